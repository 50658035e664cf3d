/** Reckoning with the times that objects carry. */

/** Milliseconds since the epoch; NaN when absent, so that comparisons with it do not hold. */
export const millis = (time: string | undefined): number => (time === undefined ? Number.NaN : Date.parse(time));

/** The smallest of the delays (ms), at least one second: what `lookAgainIn` takes. */
export function soonest(delays: Iterable<number | undefined>): number | undefined {
  let least: number | undefined;
  for (const delay of delays)
    if (delay !== undefined && !Number.isNaN(delay) && (least === undefined || delay < least)) least = delay;
  return least === undefined ? undefined : Math.max(1000, Math.ceil(least));
}
