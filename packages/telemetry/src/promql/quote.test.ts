import { expect, test } from "vitest";
import { quoted, unquote } from "./quote.ts";

test.each([
  ['"a"', "a"],
  ["'a \"b\"'", 'a "b"'],
  ["`a\\n`", "a\\n"],
  ['"a\\nb\\t\\\\\\""', 'a\nb\t\\"'],
  ["'\\''", "'"],
  ['"\\x41\\101\\u00e4\\U0001F600"', "AAä\u{1F600}"],
  ['"\\xc3\\xa4"', "ä"],
  ['"ö\\xff"', "ö\ufffd"],
])("%s stands for %j", (literal, text) => expect(unquote(literal)).toBe(text));

test.each([
  ["a", '"a"'],
  ['a"b\\', '"a\\"b\\\\"'],
  ["a\n\t\0", '"a\\n\\t\\x00"'],
  ["Größe \u{1F600}", '"Größe \u{1F600}"'],
  ["\u200b\u{e0001}", '"\\u200b\\U000e0001"'],
])("%j is written %s", (text, literal) => expect(quoted(text)).toBe(literal));
