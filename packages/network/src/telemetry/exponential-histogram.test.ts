// What the histogram says of values, beside the values themselves.
import { seededRandom } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { ExponentialHistogram } from "./exponential-histogram.ts";

const random = seededRandom(7);
const many = (next: () => number, count = 5000) => Array.from({ length: count }, next);

const of = (values: readonly number[]) => {
  const histogram = new ExponentialHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
};

/** Normally distributed. Source: Box-Muller. */
const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

const distributions: Record<string, number[]> = {
  "one value": [0.25],
  "one value, often": many(() => 3),
  uniform: many(() => random.next()),
  "log-normal latencies": many(() => 0.003 * Math.exp(normal())),
  "two humps": many(() => (random.next() < 0.9 ? 0.001 : 0.2) * (1 + random.next())),
  "eighteen orders of magnitude": many(() => 10 ** (18 * random.next() - 9)),
  "powers of two": many(() => 2 ** Math.floor(random.next() * 40 - 20)),
  ascending: many(() => 1).map((_, i) => i + 1),
  descending: many(() => 1).map((_, i) => 1 / (i + 1)),
  "with zeros": many(() => (random.next() < 0.3 ? 0 : random.next())),
  "smallest and largest doubles": [Number.MIN_VALUE, 1, Number.MAX_VALUE],
};

test.each(Object.keys(distributions))("quantiles of %s are within the stated factor of the exact ones", (name) => {
  const values = distributions[name] as number[];
  const histogram = of(values);
  const sorted = values.toSorted((a, b) => a - b);
  // Indices are found by a logarithm in floating point: a value on a bucket's edge may land beside it.
  const factor = histogram.errorFactor * (1 + 1e-9);
  for (const q of [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]) {
    const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] as number;
    const estimate = histogram.quantile(q);
    if (exact === 0) expect(estimate).toBe(0);
    else expect(Math.max(estimate / exact, exact / estimate), `q ${q}: ${estimate} for ${exact}`).toBeLessThan(factor);
  }
});

test.each(Object.keys(distributions))("of %s nothing is lost: counts, sum, extremes, at most 160 buckets", (name) => {
  const values = distributions[name] as number[];
  const histogram = of(values);
  const total = histogram.counts.reduce((sum, each) => sum + each, 0);
  expect(total + histogram.zeroCount).toBe(values.length);
  expect(histogram.count).toBe(values.length);
  expect(histogram.sum).toBe(values.reduce((sum, each) => sum + each, 0));
  expect([histogram.min, histogram.max]).toEqual([Math.min(...values), Math.max(...values)]);
  expect(histogram.counts.length).toBeLessThanOrEqual(160);
  if (histogram.counts.length > 0) {
    expect(histogram.counts[0]).toBeGreaterThan(0);
    expect(histogram.counts.at(-1)).toBeGreaterThan(0);
  }
});

test("every value is in the bucket that says so", () => {
  for (const value of distributions["eighteen orders of magnitude"] as number[]) {
    const { offset, scale } = of([value]);
    const base = 2 ** (2 ** -scale);
    expect(value).toBeGreaterThan(base ** offset * (1 - 1e-9));
    expect(value).toBeLessThanOrEqual(base ** (offset + 1) * (1 + 1e-9));
  }
});

test("a power of two is the upper edge of its bucket", () =>
  expect([1, 2, 4, 0.5].map((value) => of([value]).offset)).toEqual([-1, 255, 511, -257]));

test("it is as coarse as it must be and no coarser", () => {
  const cases: [number[], number][] = [
    [[1, 1.5], 8],
    [[1, 1.6], 7],
    [[0.001, 1], 4],
    [[0.0005, 5], 3],
    [[1, 2 ** 100], 0],
    [[1, 2 ** 200], -1],
  ];
  for (const [values, scale] of cases) expect(of(values).scale, String(values)).toBe(scale);
});

test("the order of values makes no difference", () => {
  const values = distributions["eighteen orders of magnitude"] as number[];
  const [a, b] = [of(values), of(values.toReversed())];
  expect([a.scale, a.offset, [...a.counts]]).toEqual([b.scale, b.offset, [...b.counts]]);
});

test("what is no duration is 0, what is infinite is left out", () => {
  const histogram = of([-1, Number.NaN, Number.POSITIVE_INFINITY, 1]);
  expect([histogram.count, histogram.zeroCount, histogram.sum]).toEqual([3, 2, 1]);
});

test("of nothing there is no quantile", () => expect(of([]).quantile(0.5)).toBeNaN());
