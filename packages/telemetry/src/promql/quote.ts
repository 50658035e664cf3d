/** String literals: Go's rules for "..." and `...`, and the same escapes within '...'. */

const simple: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};
const lengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * The text that a literal, quotes included, stands for. Octal and hexadecimal escapes are bytes, so that several can form one
 * UTF-8 character. The literal has passed the scanner, which knows only complete escapes.
 */
export function unquote(literal: string): string {
  const quote = literal[0];
  const inner = literal.slice(1, -1);
  if (quote === "`") return inner;
  if (!inner.includes("\\")) return inner;
  const bytes: Uint8Array[] = [];
  const encoder = new TextEncoder();
  for (let at = 0; at < inner.length; ) {
    const backslash = inner.indexOf("\\", at);
    if (backslash < 0) {
      bytes.push(encoder.encode(inner.slice(at)));
      break;
    }
    if (backslash > at) bytes.push(encoder.encode(inner.slice(at, backslash)));
    const letter = inner[backslash + 1] as string;
    const length = lengths[letter];
    if (length !== undefined) {
      const code = Number.parseInt(inner.slice(backslash + 2, backslash + 2 + length), 16);
      bytes.push(letter === "x" ? Uint8Array.of(code) : encoder.encode(String.fromCodePoint(code)));
      at = backslash + 2 + length;
    } else if (letter >= "0" && letter <= "7") {
      bytes.push(Uint8Array.of(Number.parseInt(inner.slice(backslash + 1, backslash + 4), 8)));
      at = backslash + 4;
    } else {
      bytes.push(encoder.encode(simple[letter] ?? letter));
      at = backslash + 2;
    }
  }
  return new TextDecoder().decode(Buffer.concat(bytes));
}

/** As Go's %q writes it. */
export function quoted(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === '"' || character === "\\") out += `\\${character}`;
    else if (code >= 0x20 && code !== 0x7f && (code < 0x80 || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)))
      out += character;
    else out += escaped(code);
  }
  return `${out}"`;
}

function escaped(code: number): string {
  const letter = Object.entries(simple).find(([, value]) => value.codePointAt(0) === code)?.[0];
  if (letter) return `\\${letter}`;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
