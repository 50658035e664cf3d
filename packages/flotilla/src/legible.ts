/**
 * What others wrote (services, senders of telemetry) as lines of text: they may colour them, and nothing else. A terminal obeys what
 * it reads: titles, the clipboard, and lines that others wrote could be changed by a span's name.
 */

/** Colours, or what a terminal may obey, and what turns the direction of text around. Source: ECMA-48; Unicode UAX 9. */
const obeyed =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\x1b\[[\d;]*m|[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line, of which nothing is left that moves the cursor: each such character is one that is seen. Colours and tabs stay. */
export const legible = (line: string): string =>
  line.replace(/\r$/, "").replace(obeyed, (found) => (found.length > 1 ? found : picture(found.charCodeAt(0))));

/** Unicode's Control Pictures. */
function picture(code: number): string {
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

/** Colours that a line leaves on are on no longer in the next one. */
const ended = (line: string): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const last = /.*\x1b\[([\d;]*)m/.exec(line)?.[1];
  return last === undefined || /^(0?|39|22|49)$/.test(last) ? line : `${line}\x1b[0m`;
};

export function printLines(stream: Pick<NodeJS.WriteStream, "write">, lines: readonly string[]): void {
  stream.write(lines.map((line) => `${ended(legible(line))}\n`).join(""));
}

/** As `JSON.stringify`, which leaves some of what a terminal obeys as it is. */
export const jsonText = (value: unknown, indent = 0): string => escaped(JSON.stringify(value, null, indent));

/** JSON's own way to write such characters: in its text there are none but in strings, apart from the ends of lines. */
export const escaped = (json: string): string =>
  json.replace(obeyed, (found) =>
    found === "\n" ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}${found.slice(1)}`,
  );
