import { describe, expect, test } from "vitest";
import type { NativeHistogram } from "../metrics/series.ts";
import {
  added,
  bucketsOf,
  isEqual,
  isReset,
  scaled,
  subtracted,
  toSchema,
  upperBound,
  withThreshold,
} from "./native-histogram.ts";
import { nativeFraction, nativeQuantile, nativeVariance } from "./quantile.ts";

const histogram = (change: Partial<NativeHistogram> = {}): NativeHistogram => ({
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 1,
  count: 8,
  sum: 20,
  positive: { offset: 1, counts: [1, 2, 4] },
  negative: { offset: 1, counts: [] },
  ...change,
});
const counts = (run: NativeHistogram["positive"]) => [run.offset, ...Array.from(run.counts)];

test.each([
  [0, 0, 1],
  [1, 0, 2],
  [-1, 0, 0.5],
  [1, 1, Math.SQRT2],
  [2, -1, 16],
  [1, -4, 65_536],
  [1024, 0, Number.MAX_VALUE],
  [1025, 0, Infinity],
  [64, -4, Number.MAX_VALUE],
])("bucket %i of schema %i ends at %d", (index, schema, bound) =>
  expect(upperBound(index, schema)).toBeCloseTo(bound, 10),
);

test("buckets in order, those without observations left out", () =>
  expect(
    bucketsOf(histogram({ positive: { offset: 1, counts: [1, 0, 4] }, negative: { offset: 0, counts: [2, 3] } })),
  ).toEqual([
    { lower: -2, upper: -1, count: 3, boundaries: 1 },
    { lower: -1, upper: -0.5, count: 2, boundaries: 1 },
    { lower: -0.001, upper: 0.001, count: 1, boundaries: 3 },
    { lower: 1, upper: 2, count: 1, boundaries: 0 },
    { lower: 4, upper: 8, count: 4, boundaries: 0 },
  ]));

test.each<[string, NativeHistogram["positive"], number, number[]]>([
  ["two buckets in one", { offset: 1, counts: [1, 2, 4, 8] }, -1, [1, 3, 12]],
  ["from an odd index", { offset: 2, counts: [1, 2, 4] }, -1, [1, 1, 6]],
  ["across zero", { offset: -2, counts: [1, 2, 4, 8] }, -1, [-1, 1, 6, 8]],
  ["two steps", { offset: 1, counts: [1, 1, 1, 1, 1] }, -2, [1, 4, 1]],
  ["none", { offset: 7, counts: [] }, -1, [0]],
])("to a coarser schema: %s", (_, positive, schema, expected) =>
  expect(counts(toSchema(histogram({ positive }), schema).positive)).toEqual(expected),
);

test("a wider zero bucket takes buckets in, whole", () => {
  const wide = withThreshold(histogram({ negative: { offset: 1, counts: [5] } }), 1.5);
  expect(wide).toMatchObject({ zeroThreshold: 2, zeroCount: 7 });
  expect([counts(wide.positive), counts(wide.negative)]).toEqual([[2, 2, 4], [2]]);
});

describe("sums", () => {
  test("of the same shape", () => expect(counts(added(histogram(), histogram()).positive)).toEqual([1, 2, 4, 8]));
  test("of other buckets", () =>
    expect(counts(added(histogram(), histogram({ positive: { offset: -1, counts: [7] } })).positive)).toEqual([
      -1, 7, 0, 1, 2, 4,
    ]));
  test("of another schema: the coarser", () =>
    expect(added(histogram({ schema: 1 }), histogram())).toMatchObject({ schema: 0, count: 16, sum: 40 }));
  test("of another zero bucket: the wider", () =>
    expect(added(histogram(), histogram({ zeroThreshold: 2 }))).toMatchObject({ zeroThreshold: 2, zeroCount: 3 }));
  test("what is added and taken away leaves the same", () =>
    expect(isEqual(subtracted(added(histogram(), histogram({ sum: 3 })), histogram({ sum: 3 })), histogram())).toBe(
      true,
    ));
  test("scaled", () => expect(scaled(histogram(), 0.5)).toMatchObject({ count: 4, sum: 10, zeroCount: 0.5 }));
});

test.each<[string, Partial<NativeHistogram>, boolean]>([
  ["the same", {}, false],
  ["more", { count: 10, positive: { offset: 1, counts: [1, 4, 4] } }, false],
  ["a lower sum alone", { sum: 1 }, false],
  ["fewer in all", { count: 7 }, true],
  ["fewer in one bucket", { positive: { offset: 1, counts: [1, 1, 5] } }, true],
  ["a bucket is gone", { positive: { offset: 2, counts: [2, 4] } }, true],
  ["fewer in the zero bucket", { zeroCount: 0 }, true],
  ["finer", { schema: 1 }, true],
  ["coarser", { schema: -1, positive: { offset: 1, counts: [3, 4] } }, false],
  ["a narrower zero bucket", { zeroThreshold: 0.0001 }, true],
  ["a wider zero bucket", { zeroThreshold: 2, zeroCount: 2, positive: { offset: 2, counts: [2, 4] } }, false],
  ["one that ends within a bucket", { zeroThreshold: 1.5, zeroCount: 2 }, true],
])("reset: %s", (_, change, is) => expect(isReset(histogram(), histogram(change))).toBe(is));

test("variance from the geometric middles", () =>
  expect(
    nativeVariance(histogram({ zeroCount: 0, count: 2, sum: 3 * Math.SQRT2, positive: { offset: 1, counts: [1, 1] } })),
  ).toBeCloseTo(0.5, 12));
test("quantile and fraction are each other's inverse", () => {
  for (const q of [0.1, 0.3, 0.5, 0.77, 0.99])
    expect(nativeFraction(-Infinity, nativeQuantile(q, histogram()), histogram())).toBeCloseTo(q, 12);
});
