/** How fast counters grow. Source: prometheus 2.42 promql/functions.go. */
import type { NativeHistogram } from "../../metrics/series.ts";
import { added, isReset, scaled, subtracted, toSchema } from "../native-histogram.ts";
import type { Window } from "../select.ts";

/**
 * What rate, increase and delta have in common: the difference of last and first sample, with resets made good for counters, carried
 * on to the bounds of the range where the samples come close to them, but for counters no further back than to zero.
 */
export function counterRate(
  window: Window,
  isCounter: boolean,
  perSecond: boolean,
): number | NativeHistogram | undefined {
  const { samples, from, to, start, end } = window;
  if (to - from < 2) return undefined;
  const difference = samples.histograms ? histogramDifference(window, isCounter) : floatDifference(window, isCounter);
  if (difference === undefined) return undefined;

  const first = samples.times[from] as number;
  const last = samples.times[to - 1] as number;
  let toStart = (first - start) / 1000;
  const toEnd = (end - last) / 1000;
  const sampled = (last - first) / 1000;
  const between = sampled / (to - from - 1);
  const firstValue = samples.values[from] as number;
  if (isCounter && typeof difference === "number" && difference > 0 && firstValue >= 0)
    toStart = Math.min(toStart, sampled * (firstValue / difference));

  const threshold = between * 1.1;
  let covered = sampled;
  covered += toStart < threshold ? toStart : between / 2;
  covered += toEnd < threshold ? toEnd : between / 2;
  let factor = covered / sampled;
  if (perSecond) factor /= (end - start) / 1000;
  return typeof difference === "number" ? difference * factor : scaled(difference, factor);
}

function floatDifference({ samples: { values }, from, to }: Window, isCounter: boolean): number {
  let difference = (values[to - 1] as number) - (values[from] as number);
  if (!isCounter) return difference;
  for (let at = from + 1; at < to; at++) {
    const before = values[at - 1] as number;
    if ((values[at] as number) < before) difference += before;
  }
  return difference;
}

/** Undefined for a mix of floats and histograms. */
function histogramDifference(window: Window, isCounter: boolean): number | NativeHistogram | undefined {
  const { samples, from, to } = window;
  const all = samples.histograms?.slice(from, to) ?? [];
  if (all.every((histogram) => histogram === undefined)) return floatDifference(window, isCounter);
  const histograms = all.filter((histogram) => histogram !== undefined);
  if (histograms.length < all.length) return undefined;
  const schema = Math.min(
    ...(isCounter ? histograms : [histograms[0], histograms.at(-1)]).map((one) => one?.schema ?? 0),
  );
  let difference = subtracted(toSchema(histograms.at(-1) as NativeHistogram, schema), histograms[0] as NativeHistogram);
  if (isCounter)
    histograms.forEach((current, index) => {
      const previous = histograms[index - 1];
      if (previous && isReset(previous, current)) difference = added(difference, previous);
    });
  return difference;
}

export function irate({ samples: { times, values }, from, to }: Window): number | undefined {
  if (to - from < 2) return undefined;
  const last = values[to - 1] as number;
  const previous = values[to - 2] as number;
  const seconds = ((times[to - 1] as number) - (times[to - 2] as number)) / 1000;
  return (last < previous ? last : last - previous) / seconds;
}

export function idelta({ samples: { values }, from, to }: Window): number | undefined {
  return to - from < 2 ? undefined : (values[to - 1] as number) - (values[to - 2] as number);
}

export function resetsIn({ samples: { values }, from, to }: Window): number {
  let resets = 0;
  for (let at = from + 1; at < to; at++) if ((values[at] as number) < (values[at - 1] as number)) resets++;
  return resets;
}

export function changesIn({ samples: { values }, from, to }: Window): number {
  let changes = 0;
  for (let at = from + 1; at < to; at++) {
    const value = values[at] as number;
    const before = values[at - 1] as number;
    if (value !== before && !(Number.isNaN(value) && Number.isNaN(before))) changes++;
  }
  return changes;
}
