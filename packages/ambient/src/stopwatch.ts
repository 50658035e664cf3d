/**
 * The one door to time finer than a millisecond, for durations of requests. A reading is in milliseconds since the epoch with
 * fractions, counted on steadily from the start of the process: differences are exact and never negative, but a machine that
 * slept or whose clock was set is off by that much, so compare with a `Clock` before it is taken for the time of day.
 */
export type Stopwatch = () => number;

const { timeOrigin } = performance;

export const systemStopwatch: Stopwatch = () => timeOrigin + performance.now();
