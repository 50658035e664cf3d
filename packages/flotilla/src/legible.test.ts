import { expect, test } from "vitest";
import { escaped, jsonText, legible, printLines } from "./legible.ts";

test.each([
  ["as it was", "größe\t→ 5 ms 😀", "größe\t→ 5 ms 😀"],
  ["colours", "\x1b[31mred\x1b[0m \x1b[1;38;5;12mx\x1b[m", "\x1b[31mred\x1b[0m \x1b[1;38;5;12mx\x1b[m"],
  ["the title of the window", "a\x1b]0;owned\x07b", "a␛]0;owned␇b"],
  ["clears the screen", "\x1b[2J\x1b[H", "␛[2J␛[H"],
  ["another line", "a\nb\r\nc", "a␊b␍␊c"],
  ["writes over what stands", "bad\rgood\x08\x08", "bad␍good␈␈"],
  ["an end of Windows", "line\r", "line"],
  ["in one byte", "\x9b2J\x9d0;x\x9c", "�2J�0;x�"],
  ["from right to left", "a\u202egnp.exe", "a�gnp.exe"],
  ["nothing and delete", "\0\x7f", "␀␡"],
])("%s", (_, text, seen) => {
  expect(legible(text)).toBe(seen);
  expect(legible(seen)).toBe(seen);
});

test.each([
  ["a", "a\n"],
  ["\x1b[31ma", "\x1b[31ma\x1b[0m\n"],
  ["\x1b[31ma\x1b[39m", "\x1b[31ma\x1b[39m\n"],
  ["a\nb", "a␊b\n"],
])("printed: %j", (line, written) => {
  const parts: unknown[] = [];
  printLines({ write: (part: unknown) => parts.push(part) > 0 }, [line]);
  expect(parts).toEqual([written]);
});

test("JSON says the same, in other characters", () => {
  const value = { "a\x9b": ["\u202e\x7f\x1b[31m", "ö\n"] };
  const text = jsonText(value, 2);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).not.toMatch(/[\x7f-\x9f\u202e]/);
  expect(escaped('"\x1b[1m"')).toBe('"\\u001b[1m"');
});
