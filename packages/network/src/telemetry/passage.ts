/**
 * What is noted of one request on its way, by those it passes: times, tries, the endpoint. Plain fields, because every request
 * pays for them; they are read once, when it is over (`request-telemetry.ts`).
 */
import type { Stopwatch } from "@flotilla/ambient";
import type { Failed } from "../retry.ts";
import type { UpstreamEndpoint } from "../upstream.ts";
import type { Trace } from "./tracing.ts";

export interface FailedTry {
  /** As the stopwatch reads. */
  readonly at: number;
  readonly endpoint: UpstreamEndpoint;
  readonly kind: Failed["kind"];
  readonly error: Error;
}

/** "gateway": came in at a Gateway's listener; "service": at a Service's own address. */
export type Place = "gateway" | "service";

export class Passage {
  readonly #now: Stopwatch;
  readonly place: Place;
  readonly trace: Trace;
  /** As the stopwatch reads. */
  readonly begun: number;
  /** The last one that was tried. */
  endpoint: UpstreamEndpoint | undefined;
  /** Milliseconds, of all tries, until there was an endpoint. */
  waited = 0;
  /** Milliseconds of the last connection that was made for it; undefined: a kept one was used. */
  connectTime: number | undefined;
  /** When the headers of the answer came; undefined: nobody answered. */
  answered: number | undefined;
  failures: FailedTry[] | undefined;
  /** The answer ended before its end, and it was not the client who left. */
  broken = false;
  #asked = 0;

  constructor(now: Stopwatch, place: Place, trace: Trace) {
    this.#now = now;
    this.place = place;
    this.trace = trace;
    this.begun = now();
  }

  waiting(): void {
    this.#asked = this.#now();
  }

  took(endpoint: UpstreamEndpoint | undefined): void {
    this.waited += this.#now() - this.#asked;
    if (endpoint) this.endpoint = endpoint;
  }

  connecting(): void {
    this.#asked = this.#now();
  }

  connected(): void {
    this.connectTime = this.#now() - this.#asked;
  }

  answer(): void {
    this.answered = this.#now();
  }

  failed(endpoint: UpstreamEndpoint, kind: Failed["kind"], error: Error): void {
    this.failures ??= [];
    this.failures.push({ at: this.#now(), endpoint, kind, error });
  }
}
