import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatFieldSelector, matchesFields, parseFieldSelector } from "./field-selector.ts";
import {
  formatLabelSelector,
  hasLabels,
  type LabelRequirement,
  matchesRequirements,
  matchesSelector,
  parseLabelSelector,
  requirementsOf,
} from "./labels.ts";

const matches = (selector: string, labels: Record<string, string>) =>
  matchesRequirements(parseLabelSelector(selector), labels);

const yes: readonly [string, Record<string, string>][] = [
  ["", {}],
  ["a", { a: "" }],
  ["!a", { b: "1" }],
  ["a=1", { a: "1" }],
  ["a==1", { a: "1" }],
  ["a!=1", { a: "2" }],
  ["a!=1", {}],
  ["a in (1, 2)", { a: "2" }],
  ["a in ()", { a: "" }],
  ["a in (,x)", { a: "" }],
  ["a notin (1,2)", {}],
  ["a>3", { a: "4" }],
  ["a<3", { a: "2" }],
  ["a=1,b=2", { a: "1", b: "2" }],
  ["a=", { a: "" }],
  ["in in (in)", { in: "in" }],
  [" example.com/a = 1 ", { "example.com/a": "1" }],
];
for (const [selector, labels] of yes) {
  test(`${selector} matches ${JSON.stringify(labels)}`, () => expect(matches(selector, labels)).toBe(true));
}

const no: readonly [string, Record<string, string>][] = [
  ["a", {}],
  ["!a", { a: "" }],
  ["a=1", {}],
  ["a!=1", { a: "1" }],
  ["a in (1,2)", { a: "3" }],
  ["a notin (1,2)", { a: "1" }],
  ["a>3", { a: "3" }],
  ["a<3", { a: "x" }],
  ["a=1,b=2", { a: "1" }],
];
for (const [selector, labels] of no) {
  test(`${selector} does not match ${JSON.stringify(labels)}`, () => expect(matches(selector, labels)).toBe(false));
}

const refused: Readonly<Record<string, string>> = {
  "a=1,": "found '', expected: identifier after ','",
  ",a": "found ',', expected: !, identifier, or 'end of string'",
  "a b": "unable to parse requirement: found 'b', expected: =, !=, in, notin, ==, >, <",
  "a in 1": "unable to parse requirement: found '1' expected: '('",
  "a in (1": "unable to parse requirement: found '', expected: ',' or ')'",
  "a=1 b": "found 'b', expected: ',' or 'end of string'",
  "!": "unable to parse requirement: found '', expected: identifier",
  "a=(": "unable to parse requirement: found '(', expected: identifier",
};
for (const [selector, message] of Object.entries(refused)) {
  test(`refuses ${selector}`, () => expect(() => parseLabelSelector(selector)).toThrow(message));
}
test("names a wrong key", () =>
  expect(() => parseLabelSelector("-a=1")).toThrow(/<nil>: Invalid value: "-a": name part must consist of/));
test("names a wrong value", () =>
  expect(() => parseLabelSelector("a=-1")).toThrow(/values\[0\]\[a\]: Invalid value: "-1": a valid label must be/));
test("refuses a limit that is no number", () =>
  expect(() => parseLabelSelector("a>x")).toThrow("for 'Gt', 'Lt' operators, the value must be an integer"));

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/);
const several = fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).map((all) => all.sort());
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({ key: name, operator: fc.constantFrom("exists" as const, "!" as const), values: fc.constant([]) }),
  fc.record({
    key: name,
    operator: fc.constantFrom("=" as const, "==" as const, "!=" as const),
    values: name.map((value) => [value]),
  }),
  fc.record({ key: name, operator: fc.constantFrom("in" as const, "notin" as const), values: several }),
  fc.record({
    key: name,
    operator: fc.constantFrom(">" as const, "<" as const),
    values: fc.integer({ min: 0 }).map((value) => [String(value)]),
  }),
);
const requirements = fc
  .uniqueArray(requirement, { selector: ({ key }) => key })
  .map((all) => all.sort((a, b) => (a.key < b.key ? -1 : 1)));

test("what is formatted parses to the same requirements", () =>
  fc.assert(
    fc.property(requirements, (all) => {
      expect(parseLabelSelector(formatLabelSelector(all))).toEqual(all);
    }),
  ));

test("no selector matches nothing, an empty one everything", () => {
  expect(matchesSelector(undefined, {})).toBe(false);
  expect(matchesSelector({}, undefined)).toBe(true);
});

test("an object's selector needs all of its labels and expressions", () => {
  const selector = {
    matchLabels: { app: "a" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["x", "y"] },
      { key: "old", operator: "DoesNotExist" },
    ],
  };
  expect(matchesSelector(selector, { app: "a", tier: "x" })).toBe(true);
  expect(matchesSelector(selector, { app: "a", tier: "x", old: "" })).toBe(false);
  expect(formatLabelSelector(requirementsOf(selector) ?? [])).toBe("app=a,!old,tier in (x,y)");
  expect(() => requirementsOf({ matchExpressions: [{ key: "a", operator: "Is" }] })).toThrow(
    '"Is" is not a valid label selector operator',
  );
});

test("labels that are only inherited are not there", () => expect(matches("toString", {})).toBe(false));

test("hasLabels wants every one", () => {
  expect(hasLabels({ a: "1", b: "2" }, { a: "1" })).toBe(true);
  expect(hasLabels({ a: "1" }, { a: "2" })).toBe(false);
  expect(hasLabels(undefined, { a: "1" })).toBe(false);
});

test("field selectors know =, == and !=", () => {
  expect(parseFieldSelector("status.phase!=Running,metadata.name==a")).toEqual([
    { field: "metadata.name", operator: "=", value: "a" },
    { field: "status.phase", operator: "!=", value: "Running" },
  ]);
  expect(parseFieldSelector("")).toEqual([]);
  expect(() => parseFieldSelector("a")).toThrow("invalid selector: 'a'; can't understand 'a'");
  expect(() => parseFieldSelector("a=\\b")).toThrow("invalid field selector: invalid escape sequence: \\b");
  expect(() => parseFieldSelector("a=b=c")).toThrow("invalid field selector: unescaped character in value: 61");
});

test("field selectors match", () => {
  const fields: Record<string, string> = { "metadata.name": "a", "status.phase": "Running" };
  const match = (text: string) => matchesFields(parseFieldSelector(text), (field) => fields[field] ?? "");
  expect(match("metadata.name=a,status.phase!=Failed")).toBe(true);
  expect(match("metadata.name=b")).toBe(false);
  expect(match("spec.nodeName=")).toBe(true);
});

test("field values survive their escapes", () =>
  fc.assert(
    fc.property(fc.string(), (value) => {
      const all = [{ field: "a", operator: "=" as const, value }];
      expect(parseFieldSelector(formatFieldSelector(all))).toEqual(all);
    }),
  ));
