/** What expressions come to. Vectors are evaluated series by series, each for all steps at once. */
import type { NativeHistogram } from "../metrics/series.ts";
import { bytes, floats } from "./arrays.ts";
import { ExecutionError } from "./failure.ts";
import type { LabelSet } from "./label-set.ts";

/** The moments for which a query is evaluated, in ms. */
export interface Steps {
  readonly start: number;
  /** At least 1. */
  readonly interval: number;
  readonly count: number;
}

/** Parallel arrays with one entry for each step. */
export interface Series {
  readonly labels: LabelSet;
  readonly values: Float64Array;
  /** 1 where there is a value. */
  readonly present: Uint8Array;
  /** Where one is a histogram its value is NaN; absent where none is. */
  readonly histograms?: (NativeHistogram | undefined)[];
}

export type Value =
  | { readonly kind: "vector"; readonly series: Series[] }
  | { readonly kind: "scalar"; readonly values: Float64Array }
  | { readonly kind: "string"; readonly value: string };

export const vector = (series: Series[]): Value => ({ kind: "vector", series });

export const emptySeries = (labels: LabelSet, count: number): Series => ({
  labels,
  values: floats(count),
  present: bytes(count),
});

export const hasPoints = ({ present }: Series): boolean => present.includes(1);

/** The same points under other labels. */
export const relabelled = (series: Series, labels: LabelSet): Series =>
  series.labels === labels ? series : { ...series, labels };

export const withHistograms = (series: Series): (NativeHistogram | undefined)[] =>
  series.histograms ?? new Array(series.values.length).fill(undefined);

export const sameLabels = "vector cannot contain metrics with the same labelset";

/**
 * One series for each label set, as each step's vector must have it: those that share one are joined if they never have a point
 * in the same step, else it is an error with `message`.
 */
export function joined(series: readonly Series[], message = sameLabels): Series[] {
  const byKey = new Map<string, Series>();
  for (const one of series) {
    const other = byKey.get(one.labels.key);
    byKey.set(one.labels.key, other ? join(other, one, message) : one);
  }
  return byKey.size === series.length ? (series as Series[]) : [...byKey.values()];
}

function join(one: Series, other: Series, message: string): Series {
  const values = one.values.slice();
  const present = one.present.slice();
  const histograms = one.histograms || other.histograms ? [...withHistograms(one)] : undefined;
  for (let step = 0; step < values.length; step++) {
    if (!other.present[step]) continue;
    if (present[step]) throw new ExecutionError(message);
    present[step] = 1;
    values[step] = other.values[step] as number;
    if (histograms) histograms[step] = other.histograms?.[step];
  }
  return { labels: one.labels, values, present, ...(histograms && { histograms }) };
}

/** No two series may share a label set, not even in different steps: so it is for what comes of range vectors. */
export function distinct(series: Series[]): Series[] {
  const keys = new Set(series.map(({ labels }) => labels.key));
  if (keys.size !== series.length) throw new ExecutionError(sameLabels);
  return series;
}
