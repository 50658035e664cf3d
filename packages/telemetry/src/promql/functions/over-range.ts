/** Functions of range vectors, each for one series' samples at one step. Source: prometheus 2.42 promql/functions.go. */
import type { NativeHistogram } from "../../metrics/series.ts";
import { ExecutionError } from "../failure.ts";
import { added, scaled } from "../native-histogram.ts";
import { quantileOf } from "../quantile.ts";
import type { Window } from "../select.ts";
import { changesIn, counterRate, idelta, irate, resetsIn } from "./rate.ts";
import { deriv, holtWinters, predictLinear } from "./trend.ts";

/** `args` are the scalars among the arguments, in order. Undefined: there is no result in this step. */
export interface RangeFunction {
  readonly evaluate: (window: Window, args: readonly number[]) => number | NativeHistogram | undefined;
  /** Sees histograms, too; others see floats only, and nothing of a window without one. */
  readonly histograms?: boolean;
  readonly keepsName?: boolean;
}

const floats = (evaluate: RangeFunction["evaluate"]): RangeFunction => ({ evaluate });
const all = (evaluate: RangeFunction["evaluate"]): RangeFunction => ({ evaluate, histograms: true });

const last = ({ samples, to }: Window): number | NativeHistogram =>
  samples.histograms?.[to - 1] ?? (samples.values[to - 1] as number);

const rangeFunctions: ReadonlyMap<string, RangeFunction> = new Map(
  Object.entries({
    rate: all((window) => counterRate(window, true, true)),
    increase: all((window) => counterRate(window, true, false)),
    delta: all((window) => counterRate(window, false, false)),
    irate: floats(irate),
    idelta: floats(idelta),
    changes: floats(changesIn),
    resets: floats(resetsIn),
    deriv: floats(deriv),
    predict_linear: floats((window, [seconds]) => predictLinear(window, seconds as number)),
    holt_winters: floats((window, [smoothing, trend]) => holtWinters(window, smoothing as number, trend as number)),
    count_over_time: all(({ from, to }) => to - from),
    present_over_time: all(() => 1),
    absent_over_time: all(() => 1),
    last_over_time: { ...all(last), keepsName: true },
    max_over_time: floats((window) => extreme(window, (value, most) => value > most)),
    min_over_time: floats((window) => extreme(window, (value, most) => value < most)),
    sum_over_time: all((window) => ofAll(window, sum, (histograms) => histograms.reduce(added))),
    avg_over_time: all((window) =>
      ofAll(window, mean, (histograms) => scaled(histograms.reduce(added), 1 / histograms.length)),
    ),
    stddev_over_time: floats((window) => Math.sqrt(variance(window))),
    stdvar_over_time: floats(variance),
    quantile_over_time: floats(({ samples, from, to }, [q]) => quantileOf(q as number, samples.values.slice(from, to))),
  } satisfies Record<string, RangeFunction>),
);

/** Nothing for a mix of floats and histograms. */
function ofAll(
  window: Window,
  ofFloats: (window: Window) => number,
  ofHistograms: (histograms: NativeHistogram[]) => NativeHistogram,
): number | NativeHistogram | undefined {
  const { samples, from, to } = window;
  const histograms = (samples.histograms?.slice(from, to) ?? []).filter((histogram) => histogram !== undefined);
  if (histograms.length === 0) return ofFloats(window);
  return histograms.length === to - from ? ofHistograms(histograms) : undefined;
}

function extreme({ samples, from, to }: Window, isMore: (value: number, most: number) => boolean): number {
  let most = samples.values[from] as number;
  for (let at = from + 1; at < to; at++) {
    const value = samples.values[at] as number;
    if (isMore(value, most) || Number.isNaN(most)) most = value;
  }
  return most;
}

// Sums and means compensate for what is lost of small terms (Neumaier); written out, since these are the hottest loops.

function sum({ samples, from, to }: Window): number {
  let total = 0;
  let lost = 0;
  for (let at = from; at < to; at++) {
    const value = samples.values[at] as number;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return isInfinite(total) ? total : total + lost;
}

function mean({ samples, from, to }: Window): number {
  let total = 0;
  let lost = 0;
  for (let at = from; at < to; at++) {
    const value = samples.values[at] as number;
    const count = at - from + 1;
    // An infinite mean stays, but for the other infinity and NaN.
    if (isInfinite(total) && (isInfinite(value) ? total > 0 === value > 0 : !Number.isNaN(value))) continue;
    const increment = value / count - total / count;
    const next = total + increment;
    lost += Math.abs(total) >= Math.abs(increment) ? total - next + increment : increment - next + total;
    total = next;
  }
  return isInfinite(total) ? total : total + lost;
}

/** Welford's, both sums compensated. */
function variance({ samples, from, to }: Window): number {
  let mean = 0;
  let meanLost = 0;
  let squares = 0;
  let squaresLost = 0;
  for (let at = from; at < to; at++) {
    const value = samples.values[at] as number;
    const delta = value - (mean + meanLost);
    const step = delta / (at - from + 1);
    const nextMean = mean + step;
    meanLost += Math.abs(mean) >= Math.abs(step) ? mean - nextMean + step : step - nextMean + mean;
    mean = nextMean;
    const square = delta * (value - (mean + meanLost));
    const next = squares + square;
    squaresLost += Math.abs(squares) >= Math.abs(square) ? squares - next + square : square - next + squares;
    squares = next;
  }
  return (squares + squaresLost) / (to - from);
}

const isInfinite = (value: number): boolean => value === Infinity || value === -Infinity;

/** A function that exists by name but was given no implementation is a fault of ours. */
export function rangeFunction(name: string): RangeFunction {
  const found = rangeFunctions.get(name);
  if (!found) throw new ExecutionError(`function ${name} is not implemented`);
  return found;
}
