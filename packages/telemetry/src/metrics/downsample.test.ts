import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { downsample } from "./downsample.ts";
import { noSamples, pushSample, type Samples } from "./samples.ts";
import type { NativeHistogram } from "./series.ts";
import { counterFlag, histogramFlag } from "./series-table.ts";

const minute = 60_000;

const every15s = (...values: number[]): Samples => {
  const samples = noSamples();
  for (const [index, value] of values.entries()) pushSample(samples, index * 15_000, value, undefined);
  return samples;
};

describe("the last of each window stays, at its own time", () => {
  const given = every15s(1, 2, 3, 4, 5, 6, 7, 8, 9);
  test.each([
    ["of a gauge", 0, { times: [45_000, 105_000, 120_000], values: [4, 8, 9] }],
    ["of a counter", counterFlag, { times: [45_000, 105_000, 120_000], values: [4, 8, 9] }],
  ])("%s", (_, flags, expected) => expect(downsample(given, flags, minute)).toMatchObject(expected));
});

describe("a fall within a window", () => {
  const given = every15s(10, 20, 5, 6, 7, 8);
  test("of a counter keeps both sides", () =>
    expect(downsample(given, counterFlag, minute).values).toEqual([20, 5, 6, 8]));
  test("of a gauge is nothing special", () => expect(downsample(given, 0, minute).values).toEqual([6, 8]));
});

test("markers stay", () => expect(downsample({ ...every15s(1, 2), ends: [20_000] }, 0, minute).ends).toEqual([20_000]));

test("full resolution stays as it is", () => expect(downsample(every15s(1, 2, 3), 0, 0).values).toEqual([1, 2, 3]));

test("histograms keep both sides of a reset", () => {
  const histogram = (...counts: number[]): NativeHistogram => ({
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: counts.reduce((sum, count) => sum + count, 0),
    sum: 0,
    positive: { offset: 0, counts },
    negative: { offset: 0, counts: [] },
  });
  const samples = noSamples();
  // The third has counted more in all, but less in its first bucket.
  for (const [index, counts] of [
    [1, 0],
    [3, 0],
    [2, 5],
    [2, 6],
  ].entries())
    pushSample(samples, index * 15_000, Number.NaN, histogram(...counts));
  expect(downsample(samples, histogramFlag, minute).histograms.map((each) => each?.count)).toEqual([3, 7, 8]);
});

const increase = ({ values }: Samples): number => {
  let sum = 0;
  for (let i = 1; i < values.length; i++) {
    const [before, now] = [values[i - 1] as number, values[i] as number];
    sum += now < before ? now : now - before;
  }
  return sum;
};

test("increases of counters stay right to the last digit, whatever resets there are", () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1 }), (values) => {
      const given = every15s(...values);
      const kept = downsample(given, counterFlag, minute);
      // The first window's first sample is not its last: what came before it is outside.
      const first = kept.values[0] as number;
      const from = given.values.indexOf(first, given.times.indexOf(kept.times[0] as number));
      expect(increase(kept)).toBe(increase({ ...given, values: given.values.slice(from) }));
    }),
  ));

test("no gap between kept samples is as long as PromQL looks back", () => {
  const given = every15s(...Array.from({ length: 4000 }, (_, index) => index));
  const { times } = downsample(given, counterFlag, 150_000);
  const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
  expect(Math.max(...gaps)).toBeLessThan(300_000);
});
