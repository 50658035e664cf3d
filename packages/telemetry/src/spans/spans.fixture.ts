/** Spans for tests, and a store in a folder of its own under a clock that stands still. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulation, simulation } from "@flotilla/ambient";
import { attributesOf } from "../attributes.ts";
import { encodeTraces } from "../otlp/codec.ts";
import type { Span, TracesData } from "../otlp/types.ts";
import { Losses } from "../sink.ts";
import { type SpanLimits, SpanStore } from "./span-store.ts";

export interface Given extends Partial<Omit<Span, "attributes">> {
  /** Milliseconds after the world's begin. */
  at?: number;
  /** Milliseconds. */
  lasts?: number;
  attributes?: Parameters<typeof attributesOf>[0];
}

let next = 1;
export const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");

/** A span with ids of its own, unless given; a root. */
export class World {
  readonly simulation: Simulation = simulation(1);
  readonly folder = mkdtempSync(join(tmpdir(), "spans-"));
  readonly losses = new Losses();
  readonly begin = this.simulation.clock.now();
  free = Number.POSITIVE_INFINITY;
  #open: SpanStore[] = [];

  /** Blocks are of 1000 spans, unless said. */
  open(limits: Partial<SpanLimits> = {}): SpanStore {
    const { folder, losses } = this;
    const small = { blockSpans: 1000, ...limits };
    const store = SpanStore.open({
      folder,
      losses,
      limits: small,
      clock: this.simulation.clock,
      free: () => this.free,
    });
    this.#open.push(store);
    return store;
  }

  /** What a search gives: its pauses end when the simulation goes on. */
  async of<T>(searching: Promise<T>): Promise<T> {
    let done = false;
    const end = () => {
      done = true;
    };
    searching.then(end, end);
    while (!done) await this.simulation.settle();
    return searching;
  }

  /** As SIGKILL leaves it after its last flush. */
  async kill(): Promise<void> {
    await this.simulation.advance(200);
    this.#open = [];
  }

  end(): void {
    this.free = Number.POSITIVE_INFINITY;
    for (const store of this.#open) store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  span({ at = 0, lasts = 1, attributes, ...given }: Given = {}): Span {
    const start = BigInt(this.begin + at) * 1_000_000n;
    const number = next++;
    return {
      traceId: hex(number, 32),
      spanId: hex(number, 16),
      name: "GET /",
      kind: 2,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + BigInt(Math.round(lasts * 1e6))),
      ...(attributes && { attributes: attributesOf(attributes) }),
      ...given,
    };
  }

  data(service: string, ...spans: Span[]): TracesData {
    const resource = { attributes: attributesOf({ "service.name": service, "host.id": "h1" }) };
    return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "test" }, spans }] }] };
  }

  /** A request of spans of one service. */
  request(service: string, ...spans: Given[]): Uint8Array {
    return encodeTraces(this.data(service, ...spans.map((given) => this.span(given))));
  }
}
