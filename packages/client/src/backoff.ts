/** Growing delays between attempts. */
import type { Random } from "@flotilla/ambient";

export interface BackoffLimits {
  /** Milliseconds before the second attempt, and at most. */
  readonly first: number;
  readonly most: number;
}

/** Of a key whose look failed. Source: client-go util/workqueue DefaultTypedControllerRateLimiter. */
export const keyBackoff: BackoffLimits = { first: 5, most: 1_000_000 };
/** Of lists and watches. Source: client-go tools/cache/reflector.go. */
export const watchBackoff: BackoffLimits = { first: 800, most: 30_000 };

/** Milliseconds to wait after the `failures`-th failure in a row (from 1): doubles, less up to a fifth by chance. */
export function backoffDelay({ first, most }: BackoffLimits, failures: number, random: Random): number {
  const full = Math.min(most, first * 2 ** Math.min(failures - 1, 60));
  return full * (1 - 0.2 * random.next());
}
