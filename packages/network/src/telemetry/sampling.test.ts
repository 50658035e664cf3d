// Which requests make spans when there are more of them than the budget allows.
import type { IncomingMessage } from "node:http";
import { seededRandom } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { RequestTelemetry } from "./request-telemetry.ts";
import { SpanBudget } from "./span-budget.ts";
import type { SpanRecord } from "./span-encoder.ts";
import { parentOf } from "./trace-context.ts";
import { overBudget, Tracing } from "./tracing.ts";

const budget = 100;

class Bench {
  now = 1_000_000;
  spans: SpanRecord[] = [];
  readonly telemetry: RequestTelemetry;

  constructor() {
    const clock = { now: () => this.now, after: () => () => undefined, soon: () => undefined };
    this.telemetry = new RequestTelemetry({
      clock,
      stopwatch: () => this.now,
      traces: {
        tracing: new Tracing(clock, seededRandom(1), new SpanBudget(budget)),
        onSpan: (_, span) => void this.spans.push(span),
      },
    });
  }

  /** Passes one request on, which takes so long (ms); answers with the headers that went on. */
  pass({ status = 200, takes = 1, headers = {} }: { status?: number; takes?: number; headers?: object } = {}) {
    const request = { method: "GET", url: "/", headers, socket: {} } as IncomingMessage;
    const passage = this.telemetry.begin(request, "service");
    this.now += takes;
    this.telemetry.end(passage, request, { upstream: undefined, route: "", pattern: "", status });
    const [, traceparent = "", , tracestate] = passage.trace.headers;
    return { traceparent, ...(tracestate !== undefined && { tracestate }) };
  }

  /** A thousand a second for three seconds, of which the spans are forgotten. */
  rush(): void {
    for (let i = 0; i < 3000; i++) this.pass();
    this.spans = [];
  }
}

test("within the budget every request is a span", () => {
  const bench = new Bench();
  for (let i = 0; i < 300; i++) bench.pass({ takes: 11 });
  expect(bench.spans.length).toBe(300);
});

test("beyond it about as many as the budget allows, and what goes on says who is left out", () => {
  const bench = new Bench();
  bench.rush();
  const passed = Array.from({ length: 1000 }, () => bench.pass());
  expect(bench.spans.length).toBeGreaterThan(budget * 0.7);
  expect(bench.spans.length).toBeLessThan(budget * 1.3);
  const kept = new Set(bench.spans.map(({ traceId }) => traceId));
  for (const { traceparent, tracestate } of passed) {
    const { traceId = "", flags } = parentOf(traceparent) ?? {};
    expect([flags, tracestate]).toEqual(kept.has(traceId) ? [1, expect.stringMatching(/^ot=th:e/)] : [0, overBudget]);
  }
});

test("what failed is a span nevertheless, at every hop", () => {
  const bench = new Bench();
  bench.rush();
  let left: { traceparent: string; tracestate?: string } | undefined;
  while (left?.tracestate !== overBudget) left = bench.pass();
  bench.spans = [];
  // The next hop of a request that was left out.
  const next = bench.pass({ headers: left });
  expect([bench.spans.length, next.tracestate]).toEqual([0, overBudget]);
  bench.pass({ headers: next, status: 503 });
  const [span] = bench.spans;
  expect(span).toMatchObject({ traceId: parentOf(left.traceparent)?.traceId, error: "" });
  expect(span?.parentSpanId).toBe(parentOf(next.traceparent)?.spanId);
});

test("what is slow, beside its like, is a span nevertheless", () => {
  const bench = new Bench();
  bench.rush();
  for (let i = 0; i < 20; i++) bench.pass({ takes: 40 });
  expect(bench.spans.length).toBe(20);
});

test("of requests whose trace is recorded elsewhere the same share is kept, and their flag stays", () => {
  const bench = new Bench();
  bench.rush();
  const random = seededRandom(2);
  for (let i = 0; i < 1000; i++) {
    const traceId = Buffer.from(random.bytes(16)).toString("hex");
    const { traceparent } = bench.pass({ headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    expect(parentOf(traceparent)).toMatchObject({ traceId, flags: 1 });
  }
  expect(bench.spans.length).toBeGreaterThan(budget * 0.7);
  expect(bench.spans.length).toBeLessThan(budget * 1.3);
});

test("whoever does not want to be recorded is not, whatever happens", () => {
  const bench = new Bench();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  expect(bench.pass({ headers: { traceparent }, status: 500, takes: 5000 })).toEqual({ traceparent });
  expect(bench.spans).toEqual([]);
});

test("counts are right whatever is left out", () => {
  const bench = new Bench();
  bench.rush();
  for (let i = 0; i < 10; i++) bench.pass({ status: 500 });
  expect(bench.telemetry.stats()).toEqual([
    { service: "", route: "", code: "2xx", requests: 3000 },
    { service: "", route: "", code: "5xx", requests: 10 },
  ]);
});
