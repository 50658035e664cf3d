/** The one door to time. Everything else is handed a `Clock`, so that a simulator can hand it another. */

/** Takes back what was scheduled; harmless when it has run already. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs once, `delay` milliseconds from now. Does not keep the process alive when `background`. */
  after(delay: number, run: () => void, options?: { background?: boolean }): Cancel;
  /** Runs once at the end of this turn of the event loop, after what is already queued. */
  soon(run: () => void): void;
}

/** Timers of Node.js that are to last longer (24.8 days) run at once. Milliseconds. */
const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, run, options) {
    let timer: NodeJS.Timeout;
    const wait = (left: number) => {
      timer = left > longestTimer ? setTimeout(() => wait(left - longestTimer), longestTimer) : setTimeout(run, left);
      if (options?.background) timer.unref();
    };
    wait(delay);
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};

/** Resolves after `delay` milliseconds of `clock`; rejects with the signal's reason when aborted. */
export function sleep(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(delay, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
