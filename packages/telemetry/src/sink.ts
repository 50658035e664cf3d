/**
 * Where everything that comes in ends: OTLP requests of services, what is read of pods' logs, scraped, or seen in the API. All of
 * it is OTLP's protobuf, so that it is kept, counted and forwarded by one way.
 */

export type Signal = "traces" | "metrics" | "logs";

/** What became of one request. */
export interface Taken {
  /** How many of its spans, data points or log records were taken. */
  readonly taken: number;
  /** How many were not; 0 when all were taken. */
  readonly rejected: number;
  /** Why, for the sender; present when something was rejected. */
  readonly message?: string;
}

/**
 * `request`: an Export{Trace,Metrics,Logs}ServiceRequest as protobuf; it is not changed, and not kept after the call unless
 * copied. Malformed bytes are a `MalformedError`; a store that can take nothing at the moment (disk full, falling behind) is an
 * `UnavailableError`, after which senders try again.
 */
export interface Sink {
  traces(request: Uint8Array): Taken;
  metrics(request: Uint8Array): Taken;
  logs(request: Uint8Array): Taken;
}

export class MalformedError extends Error {}

export class UnavailableError extends Error {
  /** Milliseconds after which to try again. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter = 1000) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** Counts what was refused, dropped or sampled away, so that nothing is lost in silence; shown by `status` and as metrics. */
export class Losses {
  readonly #counts = new Map<string, { signal: Signal; reason: string; count: number }>();

  /** `reason`: a few fixed words, as a label value: "malformed", "too old", "too many series". */
  add(signal: Signal, reason: string, count = 1): void {
    if (count === 0) return;
    const key = `${signal} ${reason}`;
    const known = this.#counts.get(key);
    if (known) known.count += count;
    else this.#counts.set(key, { signal, reason, count });
  }

  list(): readonly { readonly signal: Signal; readonly reason: string; readonly count: number }[] {
    return [...this.#counts.values()];
  }
}
