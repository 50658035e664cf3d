/** What a query may cost, and that others get their turn while it runs. */
import type { Clock } from "@flotilla/ambient";
import { ExecutionError } from "./failure.ts";

export interface Limits {
  /** Samples read and points made by one query, and by all that run at once. */
  readonly samples: number;
  readonly allSamples: number;
  /** Milliseconds. */
  readonly time: number;
  /** Milliseconds after which it lets others run. */
  readonly turn: number;
}

/**
 * 2 minutes as Prometheus; samples fewer than its 50 million, since memory is for more than queries here: a sample takes about 16
 * bytes, and as much again while it is read.
 */
export const defaultLimits: Limits = { samples: 2_000_000, allSamples: 2_000_000, time: 120_000, turn: 10 };

/** Only together with the others it is too much; it can be done alone. */
export class CrowdedError extends Error {}

/** What all queries at once hold, and results that are being sent. */
export interface Pool {
  samples: number;
}

/** Units of work, a sample looked at each, between two looks at the clock. */
const unitsPerLook = 50_000;

export class Budget {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  readonly #pool: Pool;
  readonly #deadline: number;
  #samples = 0;
  #units = unitsPerLook;
  #turnEnds: number;

  constructor(clock: Clock, limits: Limits, pool: Pool, signal?: AbortSignal) {
    this.#clock = clock;
    this.#pool = pool;
    this.#limits = limits;
    this.#signal = signal;
    this.#deadline = clock.now() + limits.time;
    this.#turnEnds = clock.now() + limits.turn;
    this.#check();
  }

  /** Counts samples that are kept in memory. */
  take(samples: number): void {
    this.#samples += samples;
    this.#pool.samples += samples;
    if (this.#samples > this.#limits.samples)
      throw new ExecutionError("query processing would load too many samples into memory in query execution");
    if (this.#pool.samples > Math.max(this.#limits.allSamples, this.#samples)) throw new CrowdedError();
  }

  /** Gives back to the others what it took, but for what the result holds. */
  end(held = 0): void {
    this.#pool.samples -= this.#samples - held;
    this.#samples = held;
  }

  /** Whether to `pause` before going on. */
  spent(units: number): boolean {
    this.#units -= units;
    if (this.#units > 0) return false;
    this.#units = unitsPerLook;
    return this.#clock.now() >= this.#turnEnds;
  }

  /** Lets everything else run that waits; throws once the query is aborted or out of time. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#check();
    this.#turnEnds = this.#clock.now() + this.#limits.turn;
  }

  #check(): void {
    if (this.#signal?.aborted) throw new ExecutionError("query was canceled in expression evaluation", "canceled");
    if (this.#clock.now() > this.#deadline)
      throw new ExecutionError("query timed out in expression evaluation", "timeout");
  }
}
