/** Samples of selectors at the steps of a query. */
import type { SeriesSamples, SeriesSource } from "../metrics/series.ts";
import { QueryError } from "../telemetry.ts";
import type { AtModifier, VectorSelector } from "./ast.ts";
import type { Budget } from "./budget.ts";
import { ExecutionError } from "./failure.ts";
import { LabelSet } from "./label-set.ts";
import { emptySeries, hasPoints, type Series, type Steps, withHistograms } from "./value.ts";

export interface Selected extends SeriesSamples {
  readonly set: LabelSet;
}

/** Of the whole query, for `@ start()` and `@ end()`. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** Where a selector looks: at `first + step * stride`, which is one moment for all steps if there is an @. */
export interface Gaze {
  readonly first: number;
  readonly stride: number;
}

export function gazeOf(
  { at, offset }: { readonly at: AtModifier | undefined; readonly offset: number },
  steps: Steps,
  bounds: Bounds,
): Gaze {
  if (at === undefined) return { first: steps.start - offset, stride: steps.interval };
  return { first: (typeof at === "number" ? at : bounds[at]) - offset, stride: 0 };
}

export const lastOf = ({ first, stride }: Gaze, steps: Steps): number => first + stride * (steps.count - 1);

/** Memory that the labels of a series take, in samples. */
const labelsCost = 64;

/** By label set, so that ties are always broken the same way. */
export function selectSamples(
  source: SeriesSource,
  { matchers }: VectorSelector,
  period: { readonly from: number; readonly to: number },
  budget: Budget,
): Selected[] {
  const selected: Selected[] = [];
  try {
    for (const { times, values, histograms, ends, labels } of source.select(matchers, period)) {
      budget.take(times.length + labelsCost);
      const set = LabelSet.of(labels);
      selected.push({ set, labels, times, values, ends, ...(histograms && { histograms }) });
    }
  } catch (error) {
    // A source that refuses to read so much has found no mistake in the query's text.
    if (error instanceof QueryError && !(error instanceof ExecutionError)) throw new ExecutionError(error.message);
    throw error;
  }
  return selected.sort((a, b) => LabelSet.compare(a.set, b.set));
}

/**
 * The newest sample at or before each moment that is at most `lookback` old, the bound included, unless the series was said to have
 * ended since. With `times` the value is the sample's own time in seconds.
 */
export async function instantSeries(
  samples: readonly Selected[],
  gaze: Gaze,
  steps: Steps,
  lookback: number,
  budget: Budget,
  times = false,
): Promise<Series[]> {
  const out: Series[] = [];
  for (const one of samples) {
    budget.take(steps.count);
    if (budget.spent(one.times.length + steps.count)) await budget.pause();
    const series = instantOf(one, gaze, steps.count, lookback, times);
    if (hasPoints(series)) out.push(series);
  }
  return out;
}

function instantOf(
  samples: Selected,
  { first, stride }: Gaze,
  count: number,
  lookback: number,
  asTimes: boolean,
): Series {
  const { times, ends } = samples;
  const series = emptySeries(samples.set, count);
  const { values, present } = series;
  const histograms = samples.histograms && !asTimes ? withHistograms(series) : undefined;
  let next = 0;
  let end = 0;
  for (let step = 0; step < count; step++) {
    const moment = first + stride * step;
    while (next < times.length && (times[next] as number) <= moment) next++;
    while (end < ends.length && (ends[end] as number) <= moment) end++;
    const time = times[next - 1];
    if (time === undefined || time < moment - lookback) continue;
    if (end > 0 && (ends[end - 1] as number) > time) continue;
    present[step] = 1;
    values[step] = asTimes ? time / 1000 : (samples.values[next - 1] as number);
    if (histograms) histograms[step] = samples.histograms?.[next - 1];
  }
  return histograms ? { ...series, histograms } : series;
}

/** Samples of one series between `from` and `to`, indexes of which the second is not included; the moments are in ms. */
export interface Window {
  samples: Pick<SeriesSamples, "times" | "values" | "histograms">;
  from: number;
  to: number;
  /** Of the range, which has both its bounds. */
  start: number;
  end: number;
  /** When it is evaluated. */
  at: number;
}

/** Calls `look` for each step in which the range holds samples. */
export async function eachWindow(
  samples: Window["samples"],
  gaze: Gaze,
  steps: Steps,
  range: number,
  budget: Budget,
  look: (window: Window, step: number) => void,
): Promise<void> {
  const { times } = samples;
  const window: Window = { samples, from: 0, to: 0, start: 0, end: 0, at: 0 };
  for (let step = 0; step < steps.count; step++) {
    window.end = gaze.first + gaze.stride * step;
    window.start = window.end - range;
    window.at = steps.start + steps.interval * step;
    while (window.to < times.length && (times[window.to] as number) <= window.end) window.to++;
    while (window.from < window.to && (times[window.from] as number) < window.start) window.from++;
    const size = window.to - window.from;
    if (size > 0) look(window, step);
    if (budget.spent(size + 1)) await budget.pause();
  }
}

/** Period that a selector needs for all steps. */
export const periodOf = (gaze: Gaze, steps: Steps, back: number): { from: number; to: number } => ({
  from: gaze.first - back,
  to: lastOf(gaze, steps),
});
