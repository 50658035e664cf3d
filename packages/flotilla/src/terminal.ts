/** What a terminal can show: colour, redrawn lines, columns. Without a terminal, plain lines. */
import { stripVTControlCharacters, styleText } from "node:util";
import { legible } from "./legible.ts";

export interface Terminal {
  readonly interactive: boolean;
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

export const terminal = (stream: NodeJS.WriteStream): Terminal => ({
  interactive: stream.isTTY === true && process.env.TERM !== "dumb",
  get columns() {
    return stream.columns ?? 120;
  },
  get rows() {
    return stream.rows ?? 40;
  },
  write: (text) => void stream.write(text),
});

export type Style = Parameters<typeof styleText>[0];

/** Coloured on a terminal only. Also follows NO_COLOR and FORCE_COLOR. Source: no-color.org. */
export const painter =
  (coloured: boolean) =>
  (style: Style, text: string): string =>
    coloured ? styleText(style, text, { validateStream: false }) : text;

export const isColoured = (stream: NodeJS.WriteStream): boolean =>
  !process.env.NO_COLOR && (stream.isTTY === true || Boolean(process.env.FORCE_COLOR));

export const visibleWidth = (text: string): number => stripVTControlCharacters(text).length;

/** Left-aligned columns, two spaces apart; the last one is not padded. */
export function columns(given: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  const rows = given.map((row) => row.map(legible));
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, visibleWidth(cell));
    });
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + " ".repeat((widths[i] as number) - visibleWidth(cell))))
      .join("  ")
      .trimEnd(),
  );
}

/** Lines that are drawn over each other. `done` leaves the last ones standing. */
export class LiveLines {
  readonly #terminal: Terminal;
  /** The widths of the lines that stand. */
  #drawn: number[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  draw(lines: readonly string[]): void {
    // What has left the screen at its top cannot be drawn over.
    const cut = lines.slice(0, this.#terminal.rows - 1).map((line) => fit(line, this.#terminal.columns));
    this.#terminal.write(`${this.#up()}${cut.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
    this.#drawn = cut.map(visibleWidth);
  }

  /** Writes above the live lines, which are drawn anew by the next `draw`. */
  print(text: string): void {
    this.#terminal.write(`${this.#up()}\x1b[J${text.split("\n").map(legible).join("\n")}\n`);
    this.#drawn = [];
  }

  done(): void {
    this.#drawn = [];
  }

  /** A terminal that was made narrower since has wrapped what stands. */
  #up(): string {
    const { columns, rows } = this.#terminal;
    const height = this.#drawn.reduce((sum, each) => sum + Math.max(1, Math.ceil(each / columns)), 0);
    return height > 0 ? `\x1b[${Math.min(height, rows - 1)}A\r` : "";
  }
}

/** A line that is too long would wrap, and one line up would no longer be one line up. Colours stay. */
export function fit(given: string, columns: number): string {
  const line = legible(given);
  if (visibleWidth(line) <= columns) return line;
  let room = columns - 1;
  let text = "";
  for (const [part] of line.matchAll(colourOrText)) {
    const isColour = part.startsWith("\x1b");
    text += isColour ? part : part.slice(0, room);
    if (!isColour) room = Math.max(0, room - part.length);
  }
  return text.replace(colourAtEnd, (colours) => `…${colours}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colourOrText = /\x1b\[[\d;]*m|[^\x1b]+/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colourAtEnd = /(?:\x1b\[[\d;]*m)*$/;
