import { expect, test } from "vitest";
import { parseRegexp, RegexpError } from "./regexp.ts";

test.each<[source: string, text: string, matches: boolean]>([
  ["a", "a", true],
  ["a", "ab", false],
  ["", "", true],
  ["", "a", false],
  ["a|b|", "", true],
  ["a|bc", "bc", true],
  [".*", "line\nfeed", false],
  ["(?s).*", "line\nfeed", true],
  [".+", "", false],
  ["5..", "503", true],
  ["[^5]..", "503", false],
  ["[^a]", "\n", true],
  ["(?i)order|PAYMENT", "Payment", true],
  ["(?i:o)rder", "Order", true],
  ["(?i:o)rder", "ORDER", false],
  ["web-[0-9a-f]{4,6}", "web-12ab9", true],
  ["web-[0-9a-f]{4,6}", "web-12a", false],
  ["\\d+\\.\\w*", "12.ab", true],
  ["\\x41\\x{1F600}", "A\u{1F600}", true],
  ["[[:alpha:]]+[[:^digit:]]", "abc-", true],
  ["\\pL+", "Größe", true],
  ["\\p{Greek}", "a", false],
  ["\\Qa.b\\E+", "a.bb", true],
  ["\\Qa.b\\E", "axb", false],
  ["^a$", "a", true],
  ["a^b", "ab", false],
  ["(?m)a$\nb", "a\nb", true],
  ["a\\b.*", "a b", true],
  ["a\\B.", "ab", true],
  ["[]a]", "]", true],
  ["[a-]", "-", true],
  ["x{2}", "xx", true],
  ["x{,2}", "x{,2}", true],
  ["a{2}?b", "aab", true],
  ["(a*)*b", "aab", true],
  ["()*", "", true],
  ["\\n", "\n", true],
  ["/api/v[12]/.*", "/api/v1/query", true],
])("%j on %j: %s", (source, text, matches) => {
  expect(parseRegexp(source).test(text)).toBe(matches);
});

test.each([
  ["(a)\\1", "invalid escape sequence"],
  ["a(?=b)", "invalid or unsupported Perl syntax"],
  ["a(?!b)", "invalid or unsupported Perl syntax"],
  ["(?<=a)b", "invalid or unsupported Perl syntax"],
  ["(a", "missing closing )"],
  ["a)", "unexpected )"],
  ["[a", "missing closing ]"],
  ["a**", "invalid nested repetition operator"],
  ["*a", "missing argument to repetition operator"],
  ["a{1001}", "invalid repeat count"],
  ["[z-a]", "invalid character class range"],
  ["((a{100}){100}){100}", "nests too deeply"],
  ["\\", "trailing backslash"],
  ["\\y", "invalid escape sequence"],
  ["[[:foo:]]", "invalid character class range"],
  ["\\pX", "invalid character class range"],
])("%j is refused: %s", (source, reason) => {
  expect(() => parseRegexp(source)).toThrow(RegexpError);
  expect(() => parseRegexp(source)).toThrow(reason);
});

test.each([
  ["(.*)-(.*)", "web-1-2", "$2 of $1", "2 of web-1"],
  ["(.*?)-(.*)", "web-1-2", "$2 of $1", "1-2 of web"],
  ["(?P<app>\\w+)-.*", "web-1", "$app!$$", "web!$"],
  ["(a)|(b)", "b", "[$1][$2][$3]", "[][b][]"],
  ["(a|ab)(c|bcd)(d*)", "abcd", "$1,$2,$3", "a,bcd,"],
  ["(.)", "x", "$1x $" + "{1}x", " xx"],
])("%j on %j gives %j: %j", (source, text, template, expected) => {
  expect(parseRegexp(source).expand(text, template)).toBe(expected);
});

test("no match, nothing expanded", () => expect(parseRegexp("a").expand("b", "$0")).toBeUndefined());

test("an expression that would explode by backtracking", () => {
  expect(parseRegexp("(a+)+b").test("a".repeat(5000))).toBe(false);
  expect(parseRegexp("(x?){500}x{500}").test("x".repeat(500))).toBe(true);
  expect(parseRegexp("\\b(a*)*c").test("a".repeat(2000))).toBe(false);
});

test("many states are forgotten, not kept", () => {
  const found = parseRegexp("(.*)a.{12}");
  const text = Array.from({ length: 5000 }, (_, index) => ((index * 7919) % 13 < 6 ? "a" : "b")).join("");
  expect(found.test(`${text}a${"b".repeat(12)}`)).toBe(true);
  expect(found.test(`${text}b${"b".repeat(12)}`)).toBe(false);
});
