/**
 * A clock that moves only when told, and a seeded source of randomness: together, a world that replays exactly.
 * Promises settle between two steps; a step runs everything that is due at one instant, in the order it was scheduled.
 */
import type { Clock } from "./clock.ts";
import { type Random, seededRandom } from "./random.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly background: boolean;
  readonly run: () => void;
}

export interface Simulation {
  readonly clock: Clock;
  readonly random: Random;
  /** Moves time forward by `ms`, running what becomes due on the way. */
  advance(ms: number): Promise<void>;
  /** Moves time forward until `done` holds; false when it does not within `limit` ms or nothing is left to happen. */
  until(done: () => boolean, limit: number): Promise<boolean>;
  /** Lets all promises and `soon` callbacks of this instant settle. */
  settle(): Promise<void>;
}

export function simulation(seed: number, start = Date.UTC(2026, 0, 1)): Simulation {
  const random = seededRandom(seed);
  const timers = new Set<Timer>();
  let now = start;
  let order = 0;
  let soon: (() => void)[] = [];

  const clock: Clock = {
    now: () => now,
    after(delay, run, options) {
      const timer = { at: now + Math.max(0, delay), order: order++, background: options?.background ?? false, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    soon: (run) => void soon.push(run),
  };

  // Two turns of the real loop drain every chain of promises that no real I/O is part of.
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  async function settle() {
    await turn();
    while (soon.length > 0) {
      const due = soon;
      soon = [];
      for (const run of due) run();
      await turn();
    }
  }

  const next = () => {
    let first: Timer | undefined;
    for (const timer of timers)
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    return first;
  };

  async function step(until: number): Promise<boolean> {
    const timer = next();
    if (!timer || timer.at > until) return false;
    now = Math.max(now, timer.at);
    timers.delete(timer);
    timer.run();
    await settle();
    return true;
  }

  return {
    clock,
    random,
    settle,
    async advance(ms) {
      const end = now + ms;
      await settle();
      while (await step(end));
      now = end;
    },
    async until(done, limit) {
      const end = now + limit;
      await settle();
      while (!done()) if (!(await step(end))) return done();
      return true;
    },
  };
}
