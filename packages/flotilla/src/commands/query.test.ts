import type { QueryData } from "@flotilla/telemetry/ask";
import { describe, expect, test } from "vitest";
import { seriesName, shown } from "./query.ts";

const lines = (data: QueryData, width?: number) => shown(data, { paint: (_, text) => text, width });
const vector = (...result: Extract<QueryData, { resultType: "vector" }>["result"]): QueryData => ({
  resultType: "vector",
  result,
});
const matrix = (...result: Extract<QueryData, { resultType: "matrix" }>["result"]): QueryData => ({
  resultType: "matrix",
  result,
});
/** 2026-01-01T00:00:00Z. */
const start = 1_767_225_600;

describe("now", () => {
  test.each<[string, QueryData, string[]]>([
    ["a scalar", { resultType: "scalar", result: [start, "0.1"] }, ["0.1"]],
    ["a text", { resultType: "string", result: [start, "hello"] }, ["hello"]],
    ["nothing", vector(), []],
    [
      "a vector",
      vector({ metric: { __name__: "up", job: "a" }, value: [start, "1"] }, { metric: {}, value: [start, "+Inf"] }),
      ["SERIES       VALUE", 'up{job="a"}  1', "{}           +Inf"],
    ],
    [
      "a native histogram",
      vector({ metric: { __name__: "t" }, histogram: [start, { count: "0.01419239", sum: "12.5" }] }),
      ["SERIES  VALUE", "t       0.01419 observations, sum 12.5"],
    ],
  ])("%s", (_, data, expected) => expect(lines(data)).toEqual(expected));
});

describe("over time", () => {
  test("a line from the first to the last value, with gaps", () =>
    expect(
      lines(
        matrix(
          {
            metric: { a: "1" },
            values: [
              [start, "0"],
              [start + 10, "7"],
              [start + 30, "3"],
            ],
          },
          { metric: { a: "2" }, values: [[start + 30, "NaN"]] },
        ),
      ),
    ).toEqual([
      "SERIES   00:00:00 to 00:00:30  LAST  LOWEST  HIGHEST",
      '{a="1"}  ▁█ ▄                  3     0       7',
      '{a="2"}                        NaN   NaN     NaN',
    ]));
  test("one moment", () =>
    expect(lines(matrix({ metric: {}, values: [[start, "5"]] }))[1]).toBe(
      "{}      ▄                     5     5       5",
    ));
  test("days are told where there are several", () =>
    expect(
      lines(
        matrix({
          metric: {},
          values: [
            [start, "1"],
            [start + 2 * 86_400, "1"],
          ],
        }),
      )[0],
    ).toContain("01-01 00:00 to 01-03 00:00"));
  test("observations of native histograms", () =>
    expect(
      lines(
        matrix({
          metric: {},
          histograms: [
            [start, { count: "1", sum: "1" }],
            [start + 1, { count: "3", sum: "1" }],
          ],
        }),
      )[1],
    ).toBe("{}      ▁█                    3     1       3"));
  test("more values than there is room for: of those in one place the highest is seen", () => {
    const values = Array.from({ length: 1000 }, (_, i): [number, string] => [start + i, i === 501 ? "9" : "0"]);
    const [, row = ""] = lines(matrix({ metric: {}, values }), 80);
    expect(row).toMatch(/^\{\} {6}▁{10}█▁{9} +0 +0 +9$/);
  });
});

describe("a terminal that is too narrow", () => {
  const labels = { app: "shop", instance: "data-plane", job: "data-plane", namespace: "shop" };
  const two = vector(
    { metric: { __name__: "requests", ...labels, service: "a" }, value: [start, "1"] },
    { metric: { __name__: "requests", ...labels, service: "b" }, value: [start, "2"] },
  );
  test("tells what all have once", () =>
    expect(lines(two, 60)).toEqual([
      'all of requests{app="shop", instance="data-plane", job="data-plane", namespace="shop"}',
      "SERIES         VALUE",
      '{service="a"}  1',
      '{service="b"}  2',
    ]));
  test("but not where there is room", () => expect(lines(two, 200)[0]).toMatch(/^SERIES +VALUE$/));
  test("cuts names, not figures", () =>
    expect(lines(vector({ metric: { path: "/a".repeat(50) }, value: [start, "123"] }), 40)).toEqual([
      "SERIES                             VALUE",
      '{path="/a/a/a/a/a/a/a/a/a/a/a/a/…  123',
    ]));
  test("of a hundred thousand series is no trouble", () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({
      metric: { n: String(i) },
      values: [[start, "1"]] as [number, string][],
    }));
    expect(lines(matrix(...many), 80)).toHaveLength(100_001);
  });
});

test.each([
  [{}, "{}"],
  [{ __name__: "up" }, "up"],
  [{ __name__: "up", a: 'say "x"' }, 'up{a="say \\"x\\""}'],
])("the series %j", (labels, name) => expect(seriesName(labels)).toBe(name));
