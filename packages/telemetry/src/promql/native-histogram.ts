/**
 * Arithmetic of native histograms. What Prometheus keeps as spans is one dense run of buckets here.
 *
 * Source: prometheus 2.42 model/histogram/{float_histogram,generic}.go.
 */
import type { BucketRun, NativeHistogram } from "../metrics/series.ts";

export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  /** Of Prometheus' JSON: 0 upper boundary included, 1 lower, 2 none, 3 both. */
  readonly boundaries: 0 | 1 | 2 | 3;
}

const none: BucketRun = { offset: 0, counts: [] };

/** Upper bound of a positive bucket. The last before infinity ends at the largest number, since that is no power of its base. */
export function upperBound(index: number, schema: number): number {
  const size = 2 ** Math.abs(schema);
  const exponent = schema < 0 ? index * size : index / size;
  return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
}

/** Populated buckets, from the lowest to the highest. Those that reach into the zero bucket end where it begins. */
export function bucketsOf(histogram: NativeHistogram): Bucket[] {
  const { schema, zeroThreshold, zeroCount, positive, negative } = histogram;
  const buckets: Bucket[] = [];
  for (let at = negative.counts.length - 1; at >= 0; at--) {
    const count = negative.counts[at] as number;
    const index = negative.offset + at;
    const upper = Math.min(-upperBound(index - 1, schema), -zeroThreshold);
    if (count !== 0) buckets.push({ lower: -upperBound(index, schema), upper, count, boundaries: 1 });
  }
  if (zeroCount > 0) buckets.push({ lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount, boundaries: 3 });
  for (let at = 0; at < positive.counts.length; at++) {
    const count = positive.counts[at] as number;
    const index = positive.offset + at;
    const lower = Math.max(upperBound(index - 1, schema), zeroThreshold);
    if (count !== 0) buckets.push({ lower, upper: upperBound(index, schema), count, boundaries: 0 });
  }
  return buckets;
}

const mapRun = ({ offset, counts }: BucketRun, change: (count: number) => number): BucketRun => ({
  offset,
  counts: Float64Array.from(counts, change),
});

export const scaled = (histogram: NativeHistogram, factor: number): NativeHistogram => ({
  ...histogram,
  zeroCount: histogram.zeroCount * factor,
  count: histogram.count * factor,
  sum: histogram.sum * factor,
  positive: mapRun(histogram.positive, (count) => count * factor),
  negative: mapRun(histogram.negative, (count) => count * factor),
});

/** Buckets of a schema that is lower by `by`: bucket i is within bucket ceil(i / 2^by). */
export function merged(run: BucketRun, by: number): BucketRun {
  if (run.counts.length === 0) return none;
  // No shift, which would be modulo 32. Indexes have 32 bits: by 32, all below 1 are one, and all others.
  const size = 2 ** Math.min(by, 32);
  const target = (index: number) => Math.floor((index - 1) / size) + 1;
  const offset = target(run.offset);
  const counts = new Float64Array(target(run.offset + run.counts.length - 1) - offset + 1);
  for (let at = 0; at < run.counts.length; at++) {
    const index = target(run.offset + at) - offset;
    counts[index] = (counts[index] as number) + (run.counts[at] as number);
  }
  return { offset, counts };
}

/** With fewer, larger buckets. `schema` must not be above the histogram's. */
export function toSchema(histogram: NativeHistogram, schema: number): NativeHistogram {
  const { positive, negative } = histogram;
  const by = histogram.schema - schema;
  return by === 0
    ? histogram
    : { ...histogram, schema, positive: merged(positive, by), negative: merged(negative, by) };
}

/**
 * With a zero bucket at least as wide as `threshold`: buckets within it move into it. Where it would end inside of a populated
 * bucket it becomes wide enough for that one, too.
 */
export function withThreshold(histogram: NativeHistogram, threshold: number): NativeHistogram {
  if (threshold <= histogram.zeroThreshold) return histogram;
  let wide = threshold;
  for (let before = 0; before !== wide; ) {
    before = wide;
    for (const { lower, upper } of bucketsOf(histogram)) {
      if (lower >= 0 && lower < wide && upper > wide) wide = upper;
      if (upper <= 0 && -upper < wide && -lower > wide) wide = -lower;
    }
  }
  let { zeroCount } = histogram;
  const cut = (run: BucketRun): BucketRun => {
    let at = 0;
    for (; at < run.counts.length && upperBound(run.offset + at, histogram.schema) <= wide; at++)
      zeroCount += run.counts[at] as number;
    return at === 0 ? run : { offset: run.offset + at, counts: Float64Array.from(run.counts).subarray(at) };
  };
  const positive = cut(histogram.positive);
  const negative = cut(histogram.negative);
  return { ...histogram, zeroThreshold: wide, zeroCount, positive, negative };
}

/** Both with the lower schema and the wider zero bucket of the two. */
function aligned(one: NativeHistogram, other: NativeHistogram): [NativeHistogram, NativeHistogram] {
  const schema = Math.min(one.schema, other.schema);
  let a = toSchema(one, schema);
  let b = toSchema(other, schema);
  while (a.zeroThreshold !== b.zeroThreshold) {
    a = withThreshold(a, b.zeroThreshold);
    b = withThreshold(b, a.zeroThreshold);
  }
  return [a, b];
}

function combined(one: BucketRun, other: BucketRun, sign: 1 | -1): BucketRun {
  if (other.counts.length === 0) return one;
  const offset = one.counts.length === 0 ? other.offset : Math.min(one.offset, other.offset);
  const end = Math.max(
    one.counts.length === 0 ? offset : one.offset + one.counts.length,
    other.offset + other.counts.length,
  );
  const counts = new Float64Array(end - offset);
  for (let at = 0; at < one.counts.length; at++) counts[one.offset - offset + at] = one.counts[at] as number;
  for (let at = 0; at < other.counts.length; at++) {
    const index = other.offset - offset + at;
    counts[index] = (counts[index] as number) + sign * (other.counts[at] as number);
  }
  return { offset, counts };
}

function plus(one: NativeHistogram, other: NativeHistogram, sign: 1 | -1): NativeHistogram {
  const [a, b] = aligned(one, other);
  return {
    schema: a.schema,
    zeroThreshold: a.zeroThreshold,
    zeroCount: a.zeroCount + sign * b.zeroCount,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    positive: combined(a.positive, b.positive, sign),
    negative: combined(a.negative, b.negative, sign),
  };
}

export const added = (one: NativeHistogram, other: NativeHistogram): NativeHistogram => plus(one, other, 1);
export const subtracted = (one: NativeHistogram, other: NativeHistogram): NativeHistogram => plus(one, other, -1);

/** Whether a counter began anew between the two: something is less than it was, or finer. */
export function isReset(previous: NativeHistogram, current: NativeHistogram): boolean {
  if (current.count < previous.count || current.schema > previous.schema) return true;
  if (current.zeroThreshold < previous.zeroThreshold) return true;
  const before = toSchema(withThreshold(previous, current.zeroThreshold), current.schema);
  if (before.zeroThreshold !== current.zeroThreshold || current.zeroCount < before.zeroCount) return true;
  return isLess(before.positive, current.positive) || isLess(before.negative, current.negative);
}

function isLess(previous: BucketRun, current: BucketRun): boolean {
  for (let at = 0; at < previous.counts.length; at++) {
    const index = previous.offset + at - current.offset;
    if ((current.counts[index] ?? 0) < (previous.counts[at] as number)) return true;
  }
  return false;
}

export function isEqual(one: NativeHistogram, other: NativeHistogram): boolean {
  const equalRuns = (a: BucketRun, b: BucketRun) => !isLess(a, b) && !isLess(b, a);
  return (
    one.schema === other.schema &&
    one.zeroThreshold === other.zeroThreshold &&
    one.zeroCount === other.zeroCount &&
    one.count === other.count &&
    one.sum === other.sum &&
    equalRuns(one.positive, other.positive) &&
    equalRuns(one.negative, other.negative)
  );
}
