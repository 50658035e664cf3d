import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { QueryError } from "../telemetry.ts";
import { Expression } from "./expression.ts";
import { requiredBy } from "./literals.ts";
import { TimeLimitError, within } from "./time-limit.ts";

describe("what an expression requires", () => {
  test.each<[source: string, literals: string[] | undefined, isLiteral?: boolean]>([
    ["order", ["order"], true],
    ["a\\.b", ["a.b"], true],
    ["(order)", ["order"], true],
    ["order \\d+ failed", [" failed"]],
    ["^ERROR$", ["ERROR"]],
    ["error|failed", ["error", "failed"]],
    ["x(error|failed)y", ["error", "failed"]],
    ["(?:no such) order", ["no such order"], true],
    ["colou?r", ["colo"]],
    ["(abc)?", undefined],
    ["(abc)+", ["abc"]],
    ["ab{0,2}c", ["a"]],
    ["[abc]x", ["x"]],
    ["[\\]x]y", ["y"]],
    ["\\bword\\b", ["word"]],
    ["\\x41b", ["b"]],
    ["\\u0041b", ["b"]],
    ["(?!no)yes", ["yes"]],
    ["(?<=no)yes", ["yes"]],
    ["(?<name>abc)d", ["abcd"], true],
    ["(?i:ABC)", undefined],
    ["error|", undefined],
    [".*", undefined],
    ["é+x", ["é"]],
  ])("%s", (source, literals, isLiteral = false) => {
    const found = requiredBy(source, false);
    expect([found.literals, found.isLiteral]).toEqual([literals, isLiteral]);
  });

  test.each<[source: string, literals: string[] | undefined]>([
    ["OrDer", ["order"]],
    ["éOrder", ["order"]],
  ])("ignoring case: %s", (source, literals) => expect(requiredBy(source, true).literals).toEqual(literals));

  test.each<[source: string, repeats: boolean]>([
    ["abc", false],
    ["a?b{2,9}", false],
    ["a*", true],
    ["a{3,}", true],
    ["a{1,1000}", true],
    ["[a*]\\*", false],
  ])("it repeats: %s", (source, repeats) => expect(requiredBy(source, false).repeats).toBe(repeats));

  const letter = fc.constantFrom("a", "b", "A", "k", "é", "ß", "\u212a", " ", "1", "😀");
  const atom = fc.oneof(letter, fc.constantFrom(".", "[ab]", "[^a]", "\\d", "\\w", "\\x61", "\\.", "\\b", "^", "$"));
  const { expression } = fc.letrec<{ expression: string; sequence: string; piece: string }>((tie) => ({
    piece: fc.oneof(
      { maxDepth: 3 },
      atom,
      tie("expression").map((inner) => `(${inner})`),
      tie("expression").map((inner) => `(?:${inner})`),
      tie("expression").map((inner) => `(?=${inner})`),
      tie("expression").map((inner) => `(?!${inner})`),
      fc.tuple(letter, fc.constantFrom("?", "*", "+", "{2}", "{0,1}", "{1,}?", "+?")).map(([a, b]) => a + b),
    ),
    sequence: fc.array(tie("piece"), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join("")),
    expression: fc.array(tie("sequence"), { minLength: 1, maxLength: 2 }).map((all) => all.join("|")),
  }));
  const lowered = (text: string) => text.replace(/[A-Z]/g, (found) => found.toLowerCase());

  test("whatever matches has one of the literals", () =>
    fc.assert(
      fc.property(expression, fc.array(letter, { maxLength: 12 }), fc.boolean(), (source, letters, ignoreCase) => {
        const text = letters.join("");
        const { literals, isLiteral } = requiredBy(source, ignoreCase);
        const matches = new RegExp(source, ignoreCase ? "i" : "").test(text);
        const has = literals?.some((literal) => (ignoreCase ? lowered(text) : text).includes(literal)) ?? true;
        if (isLiteral) expect(has).toBe(matches);
        else if (matches) expect(has).toBe(true);
      }),
      { numRuns: 1000 },
    ));
});

test.each<[source: string, start: number, end: number]>([
  ["a(b", 1, 2],
  ["a(b(c)", 1, 2],
  ["[(]((", 4, 5],
  ["a[b", 1, 2],
  ["a)b", 1, 2],
  ["+", 0, 1],
  ["ab**c", 3, 4],
  ["[z-a]", 0, 4],
  ["(?<n>a)(?<n>b)", 7, 14],
])("where the mistake is: %s", (source, start, end) => {
  let error: unknown;
  try {
    new Expression(source);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(QueryError);
  const found = error as QueryError;
  expect(found.start).toBeGreaterThanOrEqual(start);
  expect(found.end).toBeLessThanOrEqual(end);
});

describe("a time limit", () => {
  test("gives what the function gives", () => expect(within(1000, () => 7)).toBe(7));
  test("passes on what it throws", () =>
    expect(() =>
      within(1000, () => {
        throw new RangeError("mine");
      }),
    ).toThrow(RangeError));
  test("ends what does not end", () =>
    expect(() => within(50, () => /^(a+)+$/.test(`${"a".repeat(60)}!`))).toThrow(TimeLimitError));
});
