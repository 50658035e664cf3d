/** Whether a request that failed is tried again, and how much of that is too much. Pure, but for the counts that it keeps. */

/** Source: RFC 9110, 9.2.2; CONNECT is refused and PATCH and POST are not idempotent. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

export const isIdempotent = (method: string): boolean => idempotent.has(method);

/** Tries again after a reset, at most. Source: Istio's default. */
const mostResets = 2;

export interface Failed {
  /** "connect": no connection, so nothing was sent. "reset": broken before the first byte of the answer. */
  readonly kind: "connect" | "reset";
  readonly method: string;
  /** The body so far is kept, or there is none. */
  readonly replayable: boolean;
  /** Earlier resets of this request. */
  readonly resets: number;
  readonly withinBudget: boolean;
}

export function shouldRetry({ kind, method, replayable, resets, withinBudget }: Failed): boolean {
  if (kind === "connect") return true;
  return isIdempotent(method) && replayable && resets < mostResets && withinBudget;
}

const buckets = 10;

/**
 * Retries may be a fifth of the requests of the last ten seconds, plus ten a second.
 * Source: Linkerd's retry budget (ratio 0.2, 10 per second, ttl 10 s).
 */
export class RetryBudget {
  readonly #requests = new Array<number>(buckets).fill(0);
  readonly #retries = new Array<number>(buckets).fill(0);
  #second = 0;

  noteRequest(now: number): void {
    const slot = this.#turn(now);
    this.#requests[slot] = (this.#requests[slot] as number) + 1;
  }

  /** Takes one retry out of the budget; false when there is none left. */
  take(now: number): boolean {
    const slot = this.#turn(now);
    const allowed = 10 * buckets + 0.2 * sum(this.#requests);
    if (sum(this.#retries) + 1 > allowed) return false;
    this.#retries[slot] = (this.#retries[slot] as number) + 1;
    return true;
  }

  /** Empties what is older than the window. */
  #turn(now: number): number {
    const second = Math.floor(now / 1000);
    const passed = Math.min(buckets, Math.max(0, second - this.#second));
    for (let i = 0; i < passed; i++) {
      this.#requests[(second - i) % buckets] = 0;
      this.#retries[(second - i) % buckets] = 0;
    }
    this.#second = Math.max(second, this.#second);
    return this.#second % buckets;
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
