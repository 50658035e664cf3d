/**
 * Fewer samples of older times. Every sample that is kept is one that was taken, at its own time: the last of each window, and of
 * counters also those on both sides of a reset, so that increases over any longer time stay right to the last digit. Markers stay.
 *
 * Windows are shorter than PromQL's look-back of 5 minutes, so that an instant query finds a sample wherever there was one; two fit
 * into it, so that rate(x[5m]) has what it needs.
 */

import { isReset as isHistogramReset } from "../promql/native-histogram.ts";
import { noSamples, pushSample, type Samples } from "./samples.ts";
import { counterFlag, histogramFlag } from "./series-table.ts";

/** `resolution`: length of a window in milliseconds. `flags`: of the series. */
export function downsample(samples: Samples, flags: number, resolution: number): Samples {
  if (resolution === 0) return samples;
  const { times, values, histograms, ends } = samples;
  const kept = { ...noSamples(), ends: [...ends] };
  const windowOf = (time: number) => Math.floor(time / resolution);
  const isCounter = (flags & (counterFlag | histogramFlag)) !== 0;
  let isAfterReset = false;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    const isLast = i + 1 === times.length || windowOf(times[i + 1] as number) !== windowOf(time);
    const isBeforeReset = isCounter && i + 1 < times.length && isReset(samples, i);
    if (isLast || isBeforeReset || isAfterReset) pushSample(kept, time, values[i] as number, histograms[i]);
    isAfterReset = isBeforeReset;
  }
  return kept;
}

/** Between the sample and the next. */
function isReset({ values, histograms }: Samples, index: number): boolean {
  const before = histograms[index];
  const after = histograms[index + 1];
  if (before && after) return !after.isGauge && isHistogramReset(before, after);
  if (before || after) return true;
  return (values[index + 1] as number) < (values[index] as number);
}
