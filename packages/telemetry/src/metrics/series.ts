/** What a query engine sees of stored metrics, and all that it needs. */
import type { Labels, Period } from "../telemetry.ts";

/** `=~` and `!~` are anchored RE2 expressions. A label that is absent equals "". */
export interface Matcher {
  readonly name: string;
  readonly op: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/**
 * A sample of a native (exponential) histogram. Bucket i of schema s holds (b^(i-1), b^i] with b = 2^(2^-s); `positive.offset` is the
 * index of its first bucket. Counts are absolute, not differences, and need not be whole: rates of histograms are histograms.
 *
 * Source: prometheus model/histogram (FloatHistogram). OTLP's scale is the schema; its index is one lower.
 */
export interface NativeHistogram {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positive: BucketRun;
  readonly negative: BucketRun;
  /** Never to be seen as following on another sample: a gauge's. */
  readonly isGauge?: boolean;
}

export interface BucketRun {
  readonly offset: number;
  readonly counts: ArrayLike<number>;
}

/** Samples of one series in a period. Times are ms since the epoch, strictly ascending. */
export interface SeriesSamples {
  /** With `__name__`. */
  readonly labels: Labels;
  readonly times: Float64Array;
  /** Parallel to `times`; NaN where the sample is a histogram. */
  readonly values: Float64Array;
  /** Parallel to `times`; absent where no sample of the series is a histogram. */
  readonly histograms?: readonly (NativeHistogram | undefined)[];
  /** When the series was said to have ended (staleness markers); ascending; no samples themselves. */
  readonly ends: readonly number[];
}

export interface MetricMetadata {
  readonly type: "counter" | "gauge" | "histogram" | "summary" | "unknown";
  readonly help: string;
  readonly unit: string;
}

/** Stored metrics. All methods see one moment; what they return is never changed. */
export interface SeriesSource {
  /**
   * Series that match all of `matchers`, each with its samples in the period; those without any are left out. A series may be
   * read when its turn comes: whoever asks goes through all that it wants without waiting for anything between.
   */
  select(matchers: readonly Matcher[], period: Period): Iterable<SeriesSamples>;
  /** Label sets only; cheaper. */
  series(matchers: readonly Matcher[], period: Period): Labels[];
  /** By metric name, as the user would write it without `_bucket`, `_sum`, `_count`. */
  metadata(): ReadonlyMap<string, MetricMetadata>;
}
