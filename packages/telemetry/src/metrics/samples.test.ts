import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../store/bytes.ts";
import { noSamples, pushSample, readSamples, type Samples, sorted, writeSamples } from "./samples.ts";
import type { NativeHistogram } from "./series.ts";

const histogram = (count: number, offset = 0): NativeHistogram => ({
  schema: 3,
  zeroThreshold: 1e-128,
  zeroCount: count,
  count: count * 3,
  sum: count / 7,
  positive: { offset, counts: [count, 0, count] },
  negative: { offset: 0, counts: [] },
});

const floats = (values: readonly number[], step = 15_000): Samples => {
  const samples = noSamples();
  for (const [index, value] of values.entries())
    pushSample(samples, 1_700_000_000_000 + index * step, value, undefined);
  return samples;
};

function bytesOf(samples: Samples): Buffer {
  const writer = new ByteWriter();
  writeSamples(writer, samples);
  return writer.written;
}

const again = (samples: Samples): Samples => readSamples(bytesOf(samples), 0);

describe("samples as bytes", () => {
  test.each<[string, Samples]>([
    ["nothing", noSamples()],
    ["one sample", floats([1])],
    ["a constant", floats([7, 7, 7, 7])],
    ["whole numbers", floats([1, 2, 5, 100, 3])],
    ["hundredths", floats([0.01, 0.25, 12.37])],
    ["microseconds", floats([0.000001, 2.345678])],
    ["any floats", floats([Math.PI, Math.E, 1e300, -1e-300, Number.MAX_VALUE])],
    ["what is no number", floats([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1])],
    ["negative zero", floats([0, -0])],
    ["large whole numbers", floats([2 ** 53, -(2 ** 53), 2 ** 49])],
    ["markers only", { ...noSamples(), ends: [5, 10] }],
    ["histograms", { times: [1, 2], values: [NaN, NaN], histograms: [histogram(1), histogram(4, -9)], ends: [3] }],
    [
      "both",
      { times: [1, 2, 3], values: [NaN, 5, NaN], histograms: [histogram(1), undefined, histogram(2)], ends: [] },
    ],
    [
      "fractions of counts",
      { times: [1, 2], values: [NaN, NaN], histograms: [histogram(0.5), histogram(1)], ends: [] },
    ],
  ])("%s", (_, samples) => expect(again(samples)).toEqual(samples));

  test("whatever they are", () =>
    fc.assert(
      fc.property(fc.array(fc.double()), fc.integer({ min: 1, max: 1e9 }), (values, step) => {
        const samples = floats(values, step);
        expect(again(samples)).toEqual(samples);
      }),
    ));

  test("a counter that counts on takes two bytes a sample", () => {
    const samples = floats(Array.from({ length: 1000 }, (_, index) => 1_000_000 + index * 7));
    expect(bytesOf(samples).length).toBeLessThan(2.1 * 1000);
  });
});

test("varints", () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 51), max: 2 ** 51 })), (values) => {
      const writer = new ByteWriter(1);
      for (const value of values) writer.signed(value);
      const reader = new ByteReader(writer.written);
      expect(values.map(() => reader.signed())).toEqual(values);
      expect(reader.isAtEnd).toBe(true);
    }),
  ));

describe("putting in order", () => {
  const given: Samples = { times: [3, 1, 3, 2], values: [30, 10, 31, 20], histograms: [], ends: [9, 2, 9] };
  test("by time; of several of one time the first stays", () =>
    expect(sorted(given)).toEqual({ times: [1, 2, 3], values: [10, 20, 30], histograms: [], ends: [9] }));
});
