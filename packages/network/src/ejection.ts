/**
 * Leaves out endpoints that cannot be connected to, for a while. Pure.
 * Source: Envoy outlier detection: 5 in a row, 30 s × count, at most 300 s, at most 10% of the endpoints but at least one.
 */

export interface Health {
  /** Connection failures in a row. */
  readonly failures: number;
  readonly ejections: number;
  /** Milliseconds since the epoch; 0: never. */
  readonly ejectedUntil: number;
}

export const healthy: Health = { failures: 0, ejections: 0, ejectedUntil: 0 };

const enough = 5;
const base = 30_000;
const longest = 300_000;

export const isEjected = ({ ejectedUntil }: Health, now: number): boolean => now < ejectedUntil;

/** `all` and `out`: how many endpoints there are, and how many are ejected. */
export function afterFailure(health: Health, now: number, { all, out }: { all: number; out: number }): Health {
  const failures = health.failures + 1;
  const most = Math.min(Math.max(1, Math.floor(all * 0.1)), all - 1);
  if (failures < enough || out >= most || isEjected(health, now)) return { ...health, failures };
  const ejections = health.ejections + 1;
  return { failures: 0, ejections, ejectedUntil: now + Math.min(longest, base * ejections) };
}

export const afterSuccess = (health: Health): Health =>
  health.failures === 0 && health.ejectedUntil === 0 ? health : { ...health, failures: 0, ejectedUntil: 0 };
