/** How much is kept, and what is taken. */
import { defaultTiers, type Tier } from "./compaction.ts";

export interface MetricLimits {
  /** Series with a sample in the last `activeFor`. */
  readonly maxSeries: number;
  /** Of these with one metric name (`x_bucket` is one of its own), and of one service. */
  readonly maxSeriesPerMetric: number;
  readonly maxSeriesPerService: number;
  /** Characters of all label names and values of these, each text once; of metrics' names and help texts. */
  readonly maxLabelCharacters: number;
  readonly maxMetadataCharacters: number;
  readonly activeFor: number;
  /** Labels of a series, and characters of a label's value. */
  readonly maxLabels: number;
  readonly maxLabelLength: number;
  /** Samples further in the future are refused, and older ones. Milliseconds. */
  readonly maxAhead: number;
  readonly maxLate: number;
  /** Samples that are that much older than their series' newest are refused; younger ones are put in their place. */
  readonly maxOutOfOrder: number;
  /** What memory holds before it becomes a block: over how long a time, and of how many bytes. */
  readonly headSpan: number;
  readonly headBytes: number;
  readonly tiers: readonly Tier[];
  /** Retention: by age, and of all files together. */
  readonly maxAge: number;
  readonly maxBytes: number;
  /** Bytes that are left free for others on the file system. */
  readonly reserve: number;
  /** Series, and samples, that one query may read. */
  readonly maxSelectedSeries: number;
  readonly maxSelected: number;
}

const minute = 60_000;
const hour = 60 * minute;
const mebibyte = 1024 * 1024;

export const defaultMetricLimits: MetricLimits = {
  maxSeries: 100_000,
  maxSeriesPerMetric: 20_000,
  maxSeriesPerService: 50_000,
  maxLabelCharacters: 8 * mebibyte,
  maxMetadataCharacters: 2 * mebibyte,
  activeFor: hour,
  maxLabels: 64,
  maxLabelLength: 4096,
  maxAhead: 10 * minute,
  maxLate: hour,
  maxOutOfOrder: 10 * minute,
  headSpan: 2 * hour,
  headBytes: 24 * mebibyte,
  tiers: defaultTiers,
  maxAge: 400 * 24 * hour,
  maxBytes: 256 * mebibyte,
  reserve: 64 * mebibyte,
  maxSelectedSeries: 100_000,
  maxSelected: 6_000_000,
};
