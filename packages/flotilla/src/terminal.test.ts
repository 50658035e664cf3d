import { expect, test } from "vitest";
import { columns, fit, LiveLines, type Terminal } from "./terminal.ts";

test("columns are as wide as their widest cell as it is seen", () =>
  expect(columns([["a", "b", "c"], ["\x1b[31mlong\x1b[39m", "", "x"], ["a"]])).toEqual([
    "a     b  c",
    "\x1b[31mlong\x1b[39m     x",
    "a",
  ]));

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdef", 5, "abcd…"],
  ["\x1b[31mabcdef\x1b[39m", 6, "\x1b[31mabcdef\x1b[39m"],
  ["\x1b[31mabcdef\x1b[39m", 4, "\x1b[31mabc…\x1b[39m"],
  ["a\x1b[31mb\x1b[39mcdef\x1b[2mg\x1b[22m", 4, "a\x1b[31mb\x1b[39mc…\x1b[2m\x1b[22m"],
])("%j in %d columns", (line, width, fitting) => expect(fit(line, width)).toBe(fitting));

/** A screen that knows what this file writes: cursor up, clear to the end of the line and of the screen. */
class Screen implements Terminal {
  readonly interactive = true;
  columns = 20;
  rows = 10;
  lines: string[] = [""];
  #row = 0;
  write(text: string): void {
    for (const [part] of text.replaceAll("\x1b", "␛").matchAll(/␛\[\d*[AJK]|\r|\n|[^␛\r\n]+/g)) {
      const up = /^␛\[(\d+)A$/.exec(part);
      if (up) this.#row -= Number(up[1]);
      else if (part === "\n") this.lines[++this.#row] ??= "";
      else if (part === "␛[J") this.lines = [...this.lines.slice(0, this.#row), ""];
      else if (part !== "\r" && part !== "␛[K") this.lines[this.#row] = part;
    }
  }
}

test("lines are drawn over each other, and fewer leave nothing behind", () => {
  const screen = new Screen();
  const live = new LiveLines(screen);
  live.draw(["shop", "a", "b"]);
  live.draw(["shop", "c"]);
  expect(screen.lines).toEqual(["shop", "c", ""]);
});
test("what is printed stands above what is live", () => {
  const screen = new Screen();
  const live = new LiveLines(screen);
  live.draw(["shop", "a"]);
  live.print("a note");
  live.draw(["shop", "b"]);
  expect(screen.lines).toEqual(["a note", "shop", "b", ""]);
});
test("a line that would wrap is cut, and no more lines are drawn than fit", () => {
  const screen = new Screen();
  new LiveLines(screen).draw(["x".repeat(30), ..."abcdefghijklmn"]);
  expect(screen.lines).toHaveLength(10);
  expect(screen.lines[0]).toBe(`${"x".repeat(19)}…`);
});
test("a terminal made narrower has wrapped what stands", () => {
  const written: string[] = [];
  const narrow = { interactive: true, columns: 20, rows: 10, write: (text: string) => void written.push(text) };
  const live = new LiveLines(narrow);
  live.draw(["x".repeat(15), "y"]);
  narrow.columns = 10;
  live.draw(["z"]);
  expect(written[1]?.startsWith("\x1b[3A\r")).toBe(true);
});
