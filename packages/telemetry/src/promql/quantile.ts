/** Quantiles of values, classic histograms and native histograms. Source: prometheus 2.42 promql/quantile.go. */
import type { NativeHistogram } from "../metrics/series.ts";
import { type Bucket, bucketsOf } from "./native-histogram.ts";

/** What every quantile outside of 0 to 1 is; undefined: it is inside. */
function outside(q: number): number | undefined {
  if (Number.isNaN(q)) return Number.NaN;
  return q < 0 ? -Infinity : q > 1 ? Infinity : undefined;
}

/** NaN counts as the least. `values` are sorted in place. */
export function quantileOf(q: number, values: Float64Array): number {
  const count = values.length;
  if (count === 0) return Number.NaN;
  const beyond = outside(q);
  if (beyond !== undefined) return beyond;
  values.sort();
  const numbers = values.findLastIndex((value) => !Number.isNaN(value)) + 1;
  const at = (index: number): number => {
    const shifted = index - (count - numbers);
    return shifted < 0 ? Number.NaN : (values[shifted] as number);
  };
  const rank = q * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return at(lower) * (1 - weight) + at(upper) * weight;
}

export interface ClassicBucket {
  readonly bound: number;
  count: number;
}

/** Linear within a bucket; NaN without observations or without a bucket of +Inf. */
export function classicQuantile(q: number, buckets: readonly ClassicBucket[]): number {
  const beyond = outside(q);
  if (beyond !== undefined) return beyond;
  const sorted = mergedBounds([...buckets].sort((a, b) => a.bound - b.bound));
  const last = sorted.at(-1);
  if (last?.bound !== Infinity || sorted.length < 2) return Number.NaN;
  // Counts that fall from one bound to the next come of scrapes that were read half; they are lifted.
  for (let at = 1; at < sorted.length; at++) {
    const bucket = sorted[at] as ClassicBucket;
    bucket.count = Math.max(bucket.count, (sorted[at - 1] as ClassicBucket).count);
  }
  if (last.count === 0) return Number.NaN;
  let rank = q * last.count;
  const found = sorted.slice(0, -1).findIndex(({ count }) => count >= rank);
  const index = found < 0 ? sorted.length - 1 : found;
  if (index === sorted.length - 1) return (sorted.at(-2) as ClassicBucket).bound;
  const { bound, count: total } = sorted[index] as ClassicBucket;
  if (index === 0 && bound <= 0) return bound;
  const before = sorted[index - 1];
  const start = before?.bound ?? 0;
  const count = total - (before?.count ?? 0);
  rank -= before?.count ?? 0;
  return start + (bound - start) * (rank / count);
}

function mergedBounds(sorted: readonly ClassicBucket[]): ClassicBucket[] {
  const merged: ClassicBucket[] = [];
  for (const { bound, count } of sorted) {
    const last = merged.at(-1);
    if (last?.bound === bound) last.count += count;
    else merged.push({ bound, count });
  }
  return merged;
}

/** A zero bucket of a histogram with buckets on one side only lies on that side. */
function oneSided({ positive, negative }: NativeHistogram, bucket: Bucket): Bucket {
  if (bucket.lower >= 0 || bucket.upper <= 0) return bucket;
  if (negative.counts.length === 0 && positive.counts.length > 0) return { ...bucket, lower: 0 };
  if (positive.counts.length === 0 && negative.counts.length > 0) return { ...bucket, upper: 0 };
  return bucket;
}

/** Linear within a bucket. */
export function nativeQuantile(q: number, histogram: NativeHistogram): number {
  const beyond = outside(q);
  if (beyond !== undefined && !Number.isNaN(q)) return beyond;
  if (histogram.count === 0 || Number.isNaN(q)) return Number.NaN;
  const rank = q * histogram.count;
  const buckets = bucketsOf(histogram);
  let count = 0;
  let found: Bucket | undefined;
  for (const bucket of buckets) {
    found = bucket;
    count += bucket.count;
    if (count >= rank) break;
  }
  if (!found) return 0;
  const { lower, upper, count: within } = oneSided(histogram, found);
  count = Math.min(count, histogram.count);
  // Observations of NaN are in no bucket, so the highest may end below the rank.
  if (count < rank) return upper;
  return lower + (upper - lower) * ((rank - (count - within)) / within);
}

/** Share of the observations between the two. */
export function nativeFraction(lower: number, upper: number, histogram: NativeHistogram): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const buckets = bucketsOf(histogram).map((bucket) => oneSided(histogram, bucket));
  const below = (bound: number): number => {
    let rank = 0;
    for (const bucket of buckets) {
      if (bucket.lower >= bound) return Math.min(rank, histogram.count);
      if (bucket.upper > bound)
        return Math.min(
          rank + (bucket.count * (bound - bucket.lower)) / (bucket.upper - bucket.lower),
          histogram.count,
        );
      rank += bucket.count;
    }
    return histogram.count;
  };
  return (below(upper) - below(lower)) / histogram.count;
}

/**
 * Estimated from the geometric middle of each bucket; of the zero bucket from 0.
 *
 * Source: prometheus 3.0 promql/functions.go, histogram_stdvar.
 */
export function nativeVariance(histogram: NativeHistogram): number {
  const mean = histogram.sum / histogram.count;
  let variance = 0;
  let compensation = 0;
  for (const { lower, upper, count } of bucketsOf(histogram)) {
    const middle = lower <= 0 && upper >= 0 ? 0 : lower > 0 ? Math.sqrt(lower * upper) : -Math.sqrt(upper * lower);
    [variance, compensation] = kahan(count * (middle - mean) ** 2, variance, compensation);
  }
  return (variance + compensation) / histogram.count;
}

/** Adds with Neumaier's compensation. Source: prometheus 2.42 promql/functions.go, kahanSumInc. */
export function kahan(increment: number, sum: number, compensation: number): [sum: number, compensation: number] {
  const total = sum + increment;
  const lost = Math.abs(sum) >= Math.abs(increment) ? sum - total + increment : increment - total + sum;
  return [total, compensation + lost];
}
