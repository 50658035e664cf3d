/** Those who answer for one cluster, at run time: their load, health and connections, and who waits for one of them. */
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import { type Candidate, choose, eligible } from "./balance.ts";
import { afterFailure, afterSuccess, type Health, healthy, isEjected } from "./ejection.ts";
import { EndpointPool } from "./endpoint-pool.ts";
import { RetryBudget } from "./retry.ts";
import type { TableCluster, TableEndpoint } from "./table.ts";

/** How long a request waits for an endpoint to appear. */
export const holdTime = 2000;
/** Before the same endpoints are tried again. Source: Envoy's retry back-off base, doubled. */
const pause = 50;

export class UpstreamEndpoint implements Candidate {
  readonly address: string;
  readonly port: number;
  readonly pool: EndpointPool;
  state: "ready" | "draining";
  outstanding = 0;
  health: Health = healthy;
  readonly #clock: Clock;

  constructor({ address, port, state }: TableEndpoint, clock: Clock) {
    this.#clock = clock;
    this.address = address;
    this.port = port;
    this.state = state;
    this.pool = new EndpointPool(clock);
  }

  get ejected(): boolean {
    return isEjected(this.health, this.#clock.now());
  }
}

export class Upstream {
  readonly budget = new RetryBudget();
  /** How often an endpoint was put aside. */
  ejections = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #endpoints = new Map<string, UpstreamEndpoint>();
  readonly #sticky = new Map<string, { endpoint: UpstreamEndpoint; until: number }>();
  #waiting: Set<() => void> = new Set();
  #cluster: TableCluster;

  constructor(cluster: TableCluster, clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#cluster = cluster;
    this.update(cluster);
  }

  get service(): string {
    return this.#cluster.service;
  }

  get namespace(): string {
    return this.service.slice(0, this.service.indexOf("/"));
  }

  get name(): string {
    return this.service.slice(this.service.indexOf("/") + 1);
  }

  get app(): string {
    return this.#cluster.app ?? "";
  }

  get port(): number {
    return this.#cluster.port;
  }

  /** Endpoints that could not be chosen at all. */
  get unready(): number {
    return this.#cluster.unready;
  }

  endpoints(): Iterable<UpstreamEndpoint> {
    return this.#endpoints.values();
  }

  update(cluster: TableCluster): void {
    this.#cluster = cluster;
    const wanted = new Map(cluster.endpoints.map((each) => [`${each.address} ${each.port}`, each]));
    for (const [key, endpoint] of this.#endpoints) {
      if (wanted.has(key)) continue;
      endpoint.pool.drain();
      this.#endpoints.delete(key);
    }
    for (const [key, endpoint] of wanted) {
      const known = this.#endpoints.get(key);
      if (!known) this.#endpoints.set(key, new UpstreamEndpoint(endpoint, this.#clock));
      else if (known.state !== endpoint.state) {
        known.state = endpoint.state;
        known.health = healthy;
        if (endpoint.state === "ready") known.pool.resume();
      }
      if (endpoint.state === "draining") this.#endpoints.get(key)?.pool.drain();
    }
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /**
   * The endpoint for the next try, of those not in `tried`; waits for one until `until`. When all were tried, it clears `tried`
   * and begins again after a pause. Undefined: time is over. What is taken must be released.
   */
  async take(tried: Set<UpstreamEndpoint>, until: number, client?: string): Promise<UpstreamEndpoint | undefined> {
    for (;;) {
      const endpoint = this.#choose(tried, client);
      if (endpoint) {
        endpoint.outstanding++;
        return endpoint;
      }
      const left = until - this.#clock.now();
      if (left <= 0) return undefined;
      await this.#change(tried.size > 0 ? Math.min(left, pause) : left);
      tried.clear();
    }
  }

  /** As `take`, without waiting. */
  takeNow(): UpstreamEndpoint | undefined {
    const endpoint = this.#choose(new Set(), undefined);
    if (endpoint) endpoint.outstanding++;
    return endpoint;
  }

  release(endpoint: UpstreamEndpoint): void {
    endpoint.outstanding--;
  }

  noteConnected(endpoint: UpstreamEndpoint): void {
    endpoint.health = afterSuccess(endpoint.health);
  }

  noteFailedConnect(endpoint: UpstreamEndpoint): void {
    const now = this.#clock.now();
    const all = [...this.#endpoints.values()];
    const out = all.filter(({ ejected }) => ejected).length;
    const before = endpoint.health;
    endpoint.health = afterFailure(before, now, { all: all.length, out });
    if (endpoint.health.ejections > before.ejections) this.ejections++;
  }

  /** Why nobody answers, for the one who asked. */
  explain(lastError: Error | undefined): string {
    const { service, port, unready } = this.#cluster;
    const who = `service ${service} port ${port}`;
    if (this.#endpoints.size > 0)
      return `${who}: no endpoint can be reached${lastError ? ` (${lastError.message})` : ""}`;
    if (unready > 0) return `${who} has no ready endpoint (${unready} not ready)`;
    return `${who} has no endpoints: no pod that its selector selects is running`;
  }

  stop(): void {
    this.update({ ...this.#cluster, endpoints: [] });
  }

  #choose(tried: ReadonlySet<UpstreamEndpoint>, client: string | undefined): UpstreamEndpoint | undefined {
    const { affinity } = this.#cluster;
    const all = [...this.#endpoints.values()];
    const candidates = eligible(tried.size === 0 ? all : all.filter((endpoint) => !tried.has(endpoint)));
    if (!affinity || !client) return choose(candidates, this.#random);
    const now = this.#clock.now();
    const sticky = this.#sticky.get(client);
    const kept = sticky && now < sticky.until && candidates.includes(sticky.endpoint) ? sticky.endpoint : undefined;
    const chosen = kept ?? choose(candidates, this.#random);
    if (chosen) this.#stick(client, chosen, now, affinity);
    return chosen;
  }

  #stick(client: string, endpoint: UpstreamEndpoint, now: number, affinity: number): void {
    // The oldest first: a map keeps the order in which keys were put in.
    this.#sticky.delete(client);
    this.#sticky.set(client, { endpoint, until: now + affinity });
    for (const [key, { until }] of this.#sticky) {
      if (until > now && this.#sticky.size <= 10_000) break;
      this.#sticky.delete(key);
    }
  }

  #change(limit: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel | undefined;
      const wake = () => {
        cancel?.();
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      cancel = this.#clock.after(limit, wake);
    });
  }
}
