/** Counts of what was answered, in memory: per service and route, by class of status code. */

export interface Count {
  /** "namespace/name"; "" where no service was found. */
  readonly service: string;
  /** "namespace/name" of the HTTPRoute; "" for requests at a Service's own address. */
  readonly route: string;
  /** "2xx", ...; "aborted": the client went before the answer began. */
  readonly code: string;
  readonly requests: number;
}

export class Counters {
  readonly #counts = new Map<string, { service: string; route: string; code: string; requests: number }>();

  note(service: string, route: string, status: number | undefined): void {
    const code = status === undefined ? "aborted" : `${Math.floor(status / 100)}xx`;
    const key = `${service} ${route} ${code}`;
    const count = this.#counts.get(key);
    if (count) count.requests++;
    else this.#counts.set(key, { service, route, code, requests: 1 });
  }

  list(): Count[] {
    return [...this.#counts.values()].map((count) => ({ ...count }));
  }
}
