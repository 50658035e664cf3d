/** Lines through samples, and smoothing. Source: prometheus 2.42 promql/functions.go. */
import { ExecutionError } from "../failure.ts";
import { kahan } from "../quantile.ts";
import type { Window } from "../select.ts";

/** Least squares; the intercept is at `at` (ms). */
function regression(
  { samples: { times, values }, from, to }: Window,
  at: number,
): { slope: number; intercept: number } {
  const first = values[from] as number;
  let isConstant = true;
  let [x, xLost, y, yLost, xy, xyLost, xx, xxLost] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let index = from; index < to; index++) {
    const value = values[index] as number;
    if (value !== first && index > from) isConstant = false;
    const seconds = ((times[index] as number) - at) / 1000;
    [x, xLost] = kahan(seconds, x, xLost);
    [y, yLost] = kahan(value, y, yLost);
    [xy, xyLost] = kahan(seconds * value, xy, xyLost);
    [xx, xxLost] = kahan(seconds * seconds, xx, xxLost);
  }
  if (isConstant) {
    const finite = Math.abs(first) !== Infinity;
    return { slope: finite ? 0 : Number.NaN, intercept: finite ? first : Number.NaN };
  }
  const count = to - from;
  [x, y, xy, xx] = [x + xLost, y + yLost, xy + xyLost, xx + xxLost];
  const slope = (xy - (x * y) / count) / (xx - (x * x) / count);
  return { slope, intercept: y / count - (slope * x) / count };
}

export function deriv(window: Window): number | undefined {
  const { samples, from, to } = window;
  return to - from < 2 ? undefined : regression(window, samples.times[from] as number).slope;
}

export function predictLinear(window: Window, seconds: number): number | undefined {
  if (window.to - window.from < 2) return undefined;
  const { slope, intercept } = regression(window, window.at);
  return slope * seconds + intercept;
}

/** Double exponential smoothing. */
export function holtWinters(
  { samples: { values }, from, to }: Window,
  smoothing: number,
  trend: number,
): number | undefined {
  for (const [name, factor] of [["smoothing", smoothing] as const, ["trend", trend] as const])
    if (factor <= 0 || factor >= 1)
      throw new ExecutionError(
        `invalid ${name} factor. Expected: 0 < ${name === "trend" ? "tf" : "sf"} < 1, got: ${factor.toFixed(6)}`,
      );
  if (to - from < 2) return undefined;
  let before = 0;
  let smoothed = values[from] as number;
  let slope = (values[from + 1] as number) - smoothed;
  for (let at = from + 1; at < to; at++) {
    if (at > from + 1) slope = trend * (smoothed - before) + (1 - trend) * slope;
    const next = smoothing * (values[at] as number) + (1 - smoothing) * (smoothed + slope);
    [before, smoothed] = [smoothed, next];
  }
  return smoothed;
}
