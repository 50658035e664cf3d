import { parser as official } from "@prometheus-io/lezer-promql";
import { expect, test } from "vitest";
import { bare } from "./ast.ts";
import { parseQuery, parseSelector } from "./parse.ts";
import { printQuery } from "./print.ts";

/** What is read, with parentheses that show how. */
test.each([
  ["1 + 2 * 3", "1 + 2 * 3"],
  ["foo offset 1w", "foo offset 1w"],
])("%s", (query, printed) => expect(printQuery(parseQuery(query))).toBe(printed));

const shape = (query: string): string => {
  const show = (expr: ReturnType<typeof parseQuery>): string => {
    const inner = bare(expr);
    if (inner.kind === "binary") return `(${show(inner.left)}${inner.operator}${show(inner.right)})`;
    if (inner.kind === "unary") return `(${inner.operator}${show(inner.expr)})`;
    return printQuery(inner);
  };
  return show(parseQuery(query));
};

test.each([
  ["1 - 2 - 3", "((1-2)-3)"],
  ["2 ^ 3 ^ 2", "(2^(3^2))"],
  ["-2 ^ 2", "(-(2^2))"],
  ["2 ^ -1 * 3", "((2^-1)*3)"],
  ["-a * b", "((-a)*b)"],
  ["a and b or c unless d", "((aandb)or(cunlessd))"],
  ["a == b + c * d ^ e", "(a==(b+(c*(d^e))))"],
  ["a % b atan2 c", "((a%b)atan2c)"],
  ["-a offset 5m", "(-a offset 5m)"],
  ["--1", "1"],
])("%s is %s", (query, expected) => expect(shape(query)).toBe(expected));

test.each<[query: string, error: string]>([
  ["", "1:1: parse error: no expression found in input"],
  ["# only a comment", "1:1: parse error: no expression found in input"],
  ["sum(", "1:5: parse error: unclosed left parenthesis"],
  ["a + on(job", "1:11: parse error: unclosed left parenthesis"],
  ["foo{", "1:5: parse error: unexpected end of input inside braces"],
  ['foo{a="b"', "1:10: parse error: unexpected end of input inside braces"],
  ["foo{a b}", '1:7: parse error: unexpected identifier "b" in label matching, expected label matching operator'],
  ["foo{a=b}", '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
  ["foo{gibberish}", '1:14: parse error: unexpected "}" in label matching, expected label matching operator'],
  ["foo[5m", "1:7: parse error: unclosed left bracket"],
  ["foo[5]", "1:5: parse error: missing unit character in duration"],
  ["foo[0m]", "1:5: parse error: duration must be greater than 0"],
  ["foo[5m30]", '1:5: parse error: bad duration syntax: "5m30"'],
  ["foo bar", '1:5: parse error: unexpected identifier "bar"'],
  ["\n  foo bar", '2:7: parse error: unexpected identifier "bar"'],
  ["sum(a) by (b", "1:13: parse error: unclosed left parenthesis"],
  ["sum by (==)(a)", "1:9: parse error: unexpected <op:==> in grouping opts, expected label"],
  ["a offset", "1:9: parse error: unexpected end of input in offset, expected duration"],
  ["a @ b", '1:5: parse error: unexpected identifier "b" in @, expected timestamp'],
  ["foo(a)", '1:1: parse error: unknown function with name "foo"'],
  ["limitk(1, a)", '1:1: parse error: function "limitk" is experimental in Prometheus and not supported'],
  [
    "mad_over_time(a[5m])",
    '1:1: parse error: function "mad_over_time" is experimental in Prometheus and not supported',
  ],
  ["sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"],
  ["rate(a)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
  ["1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"],
  ["a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"],
  ["a and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ["a and on(x) group_left b", '1:1: parse error: no grouping allowed for "and" operation'],
  ["{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['{a=~".*"}', "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  ['a{b=~"("}', "1:3: parse error: error parsing regexp: missing closing ): `^(?:()$`"],
  ["a $ b", "1:3: parse error: unexpected character: '$'"],
  ['"a', "1:1: parse error: unterminated quoted string"],
])("%j: %s", (query, error) => {
  expect(() => parseQuery(query)).toThrow(error);
});

test("depth and length are bounded", () => {
  expect(() => parseQuery(`${"(".repeat(10_000)}1${")".repeat(10_000)}`)).toThrow("nested more than");
  expect(() => parseQuery(`${"-".repeat(10_000)}1`)).toThrow("nested more than");
  expect(() => parseQuery(`1${"+1".repeat(10_000)}`)).toThrow("operators in a row");
  expect(() => parseQuery(" ".repeat(300_000))).toThrow("longer than");
  expect(parseQuery(`1${"+1".repeat(1000)}`).kind).toBe("binary");
});

test.each([
  ['up{job="a"}', 2],
  ['{__name__=~"a.+"}', 1],
  ["up", 1],
])("a selector alone: %s", (query, count) => expect(parseSelector(query)).toHaveLength(count));

test.each(["up[5m]", "rate(up[5m])", "1", "up + up"])("no selector: %s", (query) =>
  expect(() => parseSelector(query)).toThrow("parse error"),
);

/** The grammar that Prometheus' own editor uses finds no mistake where we find none. */
test.each([
  'sum by (job, instance) (rate(http_requests_total{job=~"a|b",code!="500"}[5m] offset 1h))',
  "topk(3, foo) / on (a) group_left (b) bar",
  "max_over_time(deriv(foo[1h])[1d:5m] @ end() offset -5m)",
  'label_replace(up, "a", "$1", "b", "(.*)")',
  "-foo ^ 2 + +bar",
])("the official grammar reads %s", (query) => {
  parseQuery(query);
  official.parse(query).iterate({ enter: (node) => expect(node.type.isError).toBe(false) });
});
