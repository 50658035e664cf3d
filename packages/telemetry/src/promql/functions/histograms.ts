/** Functions of histograms, classic and native. Source: prometheus 2.42 and 3.0 promql/functions.go. */
import type { NativeHistogram } from "../../metrics/series.ts";
import { type LabelSet, metricName } from "../label-set.ts";
import { parseFloatText } from "../number.ts";
import { type ClassicBucket, classicQuantile, nativeQuantile, nativeVariance } from "../quantile.ts";
import { emptySeries, hasPoints, joined, type Series } from "../value.ts";

const bucketLabel = "le";

/** Of one native histogram each; floats have none of it. */
export const histogramFunctions: ReadonlyMap<string, (histogram: NativeHistogram) => number> = new Map(
  Object.entries({
    histogram_avg: ({ sum, count }) => sum / count,
    histogram_count: ({ count }) => count,
    histogram_stddev: (histogram) => Math.sqrt(nativeVariance(histogram)),
    histogram_stdvar: nativeVariance,
    histogram_sum: ({ sum }) => sum,
  } satisfies Record<string, (histogram: NativeHistogram) => number>),
);

/** `evaluate` of every native histogram among them; the metric's name is dropped. */
export function ofHistograms(
  series: readonly Series[],
  evaluate: (histogram: NativeHistogram, step: number) => number,
): Series[] {
  const out = series.flatMap((one) => {
    if (!one.histograms) return [];
    const result = emptySeries(one.labels.withoutName(), one.values.length);
    one.histograms.forEach((histogram, step) => {
      if (!histogram || !one.present[step]) return;
      result.present[step] = 1;
      result.values[step] = evaluate(histogram, step);
    });
    return hasPoints(result) ? [result] : [];
  });
  return joined(out);
}

/** Where there are both a classic and a native histogram of the same labels, there is no result. */
export function histogramQuantile(q: Float64Array, series: readonly Series[]): Series[] {
  const classic = classicGroups(series);
  const native = series.flatMap((one) => {
    if (!one.histograms) return [];
    const result = emptySeries(one.labels.withoutName(), one.values.length);
    const rival = classic.get(one.labels.key);
    one.histograms.forEach((histogram, step) => {
      if (!histogram || !one.present[step]) return;
      const floats = rival?.buckets.filter(({ series }) => isFloat(series, step)) ?? [];
      if (floats.length > 0) {
        for (const { series } of floats) rival?.skipped.add(`${series.labels.key} ${step}`);
        return;
      }
      result.present[step] = 1;
      result.values[step] = nativeQuantile(q[step] as number, histogram);
    });
    return hasPoints(result) ? [result] : [];
  });
  const quantiles = [...classic.values()].map((group) => quantileOfGroup(q, group));
  return joined([...native, ...quantiles.filter(hasPoints)]);
}

interface Group {
  readonly labels: LabelSet;
  readonly buckets: { readonly bound: number; readonly series: Series }[];
  /** Buckets by label set and step that a native histogram stands beside. */
  readonly skipped: Set<string>;
}

const isFloat = ({ present, histograms }: Series, step: number): boolean => present[step] === 1 && !histograms?.[step];

const onlyBucket = new Set([bucketLabel]);
const nameAndBucket = new Set([metricName, bucketLabel]);

/** By the labels but for `le`; the name still tells them apart. */
function classicGroups(series: readonly Series[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const one of series) {
    const bound = parseFloatText(one.labels.get(bucketLabel));
    if (bound === undefined) continue;
    const key = one.labels.without(onlyBucket).key;
    const group = groups.get(key) ?? { labels: one.labels.without(nameAndBucket), buckets: [], skipped: new Set() };
    group.buckets.push({ bound, series: one });
    groups.set(key, group);
  }
  return groups;
}

function quantileOfGroup(q: Float64Array, { labels, buckets, skipped }: Group): Series {
  const result = emptySeries(labels, q.length);
  for (let step = 0; step < q.length; step++) {
    const found: ClassicBucket[] = [];
    for (const { bound, series } of buckets)
      if (isFloat(series, step) && !(skipped.size > 0 && skipped.has(`${series.labels.key} ${step}`)))
        found.push({ bound, count: series.values[step] as number });
    if (found.length === 0) continue;
    result.present[step] = 1;
    result.values[step] = classicQuantile(q[step] as number, found);
  }
  return result;
}
