// Batches on their way to somebody who is there, away, slow or unwilling.
import { simulation } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { decodeTraces } from "../../../telemetry/src/otlp/codec.ts";
import type { Sent } from "./otlp-client.ts";
import { type SpanRecord, spanKind, spanShape } from "./span-encoder.ts";
import { SpanQueue } from "./span-queue.ts";

const span = (name: string): SpanRecord => ({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: undefined,
  tracestate: "",
  shape: spanShape(name, spanKind.server, {}),
  start: 1000,
  end: 1000.25,
  attributes: {},
  events: [],
  error: undefined,
});

const [here, there] = [{ "service.name": "here" }, { "service.name": "there" }];

class Bench {
  readonly simulation = simulation(1);
  sent: Sent = "taken";
  /** Names of the spans of each request. */
  readonly requests: string[][] = [];
  readonly dropped: Record<string, number> = {};
  readonly queue = new SpanQueue({
    clock: this.simulation.clock,
    scope: { name: "test" },
    send: async (request) => {
      const all = decodeTraces(request).resourceSpans?.flatMap(({ scopeSpans }) => scopeSpans?.[0]?.spans ?? []) ?? [];
      this.requests.push(all.map(({ name }) => name ?? ""));
      return this.sent;
    },
    onDropped: (count, reason) => {
      this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
    },
  });

  add(count: number, name = "a"): void {
    for (let i = 0; i < count; i++) this.queue.add(here, span(name));
  }
}

test("a batch is sent when it is half a second old", async () => {
  const { queue, requests, simulation } = new Bench();
  queue.add(here, span("a"));
  await simulation.advance(300);
  queue.add(here, span("b"));
  await simulation.advance(199);
  expect(requests).toEqual([]);
  await simulation.advance(1);
  expect(requests).toEqual([["b", "a"]]);
});

test("a full batch is sent at once", async () => {
  const bench = new Bench();
  bench.add(1100);
  await bench.simulation.settle();
  expect(bench.requests.map(({ length }) => length)).toEqual([512, 512]);
  await bench.simulation.advance(500);
  expect(bench.requests.map(({ length }) => length)).toEqual([512, 512, 76]);
});

test("each resource is a request of its own", async () => {
  const { queue, requests, simulation } = new Bench();
  for (const [resource, name] of [
    [here, "a"],
    [there, "b"],
    [here, "c"],
  ] as const)
    queue.add(resource, span(name));
  await simulation.advance(500);
  expect(requests).toEqual([["c", "a"], ["b"]]);
});

test("what nobody takes is kept, in order, and sent when somebody is back", async () => {
  const bench = new Bench();
  bench.sent = "later";
  for (const name of ["a", "b", "c"]) {
    bench.add(1, name);
    await bench.simulation.advance(600);
  }
  bench.requests.length = 0;
  bench.sent = "taken";
  await bench.simulation.advance(5000);
  expect(bench.requests).toEqual([["a"], ["b"], ["c"]]);
  expect(bench.dropped).toEqual({});
});

test("while nobody is there it is tried at growing intervals, five seconds at most", async () => {
  const bench = new Bench();
  bench.sent = "later";
  bench.add(1);
  await bench.simulation.advance(60_000);
  const first = bench.requests.length;
  await bench.simulation.advance(60_000);
  expect(bench.requests.length - first).toBe(12);
});

test("what is kept is bounded; the oldest is dropped and counted", async () => {
  const bench = new Bench();
  bench.sent = "later";
  const long = "x".repeat(1000);
  for (let i = 0; i < 100; i++) {
    bench.add(512, `${i} ${long}`);
    await bench.simulation.settle();
  }
  bench.sent = "taken";
  bench.requests.length = 0;
  await bench.simulation.advance(10_000);
  const kept = bench.requests.map(([name]) => Number(name?.split(" ")[0]));
  expect(kept.length).toBeLessThan(9);
  expect(kept.length).toBeGreaterThan(5);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 100 - kept.length + i));
  expect(bench.dropped).toEqual({ "not taken in time": 512 * (100 - kept.length) });
});

test("what is refused is dropped and counted, and what follows is sent", async () => {
  const bench = new Bench();
  bench.sent = "refused";
  bench.add(3, "a");
  await bench.simulation.advance(500);
  bench.sent = "taken";
  bench.add(1, "b");
  await bench.simulation.advance(500);
  expect([bench.requests, bench.dropped]).toEqual([[["a", "a", "a"], ["b"]], { refused: 3 }]);
});

test("a flush sends what there is, and nothing when there is nothing", async () => {
  const bench = new Bench();
  bench.add(2);
  await bench.queue.flush();
  await bench.queue.flush();
  expect(bench.requests).toEqual([["a", "a"]]);
});

test("times have microseconds", async () => {
  let start: string | undefined;
  const { simulation } = new Bench();
  const queue = new SpanQueue({
    clock: simulation.clock,
    scope: { name: "test" },
    send: async (request) => {
      start = decodeTraces(request).resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.startTimeUnixNano;
      return "taken";
    },
    onDropped: () => undefined,
  });
  queue.add(here, { ...span("a"), start: 1_795_000_000_123.456 });
  await queue.flush();
  expect(start).toBe("1795000000123456000");
});
