import { attributesOf, type FoundLog, type TraceTree, traceTree } from "@flotilla/telemetry/ask";
import { expect, test } from "vitest";
import { waterfall } from "./waterfall.ts";

const start = 1_700_000_000_000_000_000n;
const nanos = (ms: number) => String(start + BigInt(Math.round(ms * 1e6)));

type Given = readonly [
  service: string,
  name: string,
  parent: number | undefined,
  from: number,
  to: number,
  error?: string,
];

/** A span's id is its place in the list. Milliseconds. */
const tree = (...spans: Given[]) =>
  traceTree({
    resourceSpans: spans.map(([service, name, parent, from, to, error], i) => ({
      resource: { attributes: attributesOf({ "service.name": service }) },
      scopeSpans: [
        {
          spans: [
            {
              traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
              spanId: String(i),
              ...(parent !== undefined && { parentSpanId: String(parent) }),
              name,
              startTimeUnixNano: nanos(from),
              endTimeUnixNano: nanos(to),
              ...(error && { status: { code: 2, message: error } }),
            },
          ],
        },
      ],
    })),
  }) as TraceTree;

const log: FoundLog = {
  id: "1",
  resource: { attributes: attributesOf({ "service.name": "payments" }) },
  scope: {},
  record: { timeUnixNano: nanos(220), severityText: "INFO", body: { stringValue: "order 12 paid\nreally" } },
};

const lines = (given: TraceTree, logs: FoundLog[] = [], width = 80) =>
  waterfall(given, logs, { paint: (_, text) => text, width, textWidth: width });

test("shows who called whom, and what everything waited for", () => {
  const given = tree(
    ["storefront", "POST /orders", undefined, 0, 250],
    ["orders", "POST /orders", 0, 5, 245],
    ["payments", "POST /payments", 1, 10, 230, "declined"],
    ["orders", "INSERT", 1, 6, 9],
  );
  expect(lines(given, [log])).toEqual([
    "trace 4bf92f3577b34da6a3ce929d0e0e4736  2023-11-14T22:13:20.000Z  250 ms  4 spans, 3 services, 1 with an error",
    "",
    "storefront POST /orders        250 ms  ━──────────────────────────────────────━━",
    "  orders POST /orders          240 ms  ━━──────────────────────────────────━━━━",
    "    orders INSERT                3 ms  ━━",
    "    payments POST /payments    220 ms   ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
    "    ✗ declined",
    "",
    "critical path ━ 250 ms through 4 spans; most time of their own have",
    "  payments    POST /payments  220 ms  88%",
    "  orders      POST /orders    17 ms   7%",
    "  storefront  POST /orders    10 ms   4%",
    "",
    "logs",
    "  +220 ms  payments  INFO  order 12 paid ⏎ really",
  ]);
});

test("what is left out of a line is told by its place: the ids of this trace", () => {
  const told = { ...log.record, traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
  const body = { stringValue: `paid trace_id=${told.traceId} span_id=${told.spanId}` };
  const shown = lines(tree(["a", "x", undefined, 0, 300]), [{ ...log, record: { ...told, body } }]);
  expect(shown.at(-1)).toBe("  +220 ms  payments  INFO  paid");
});

test("a client's own time is time that it waited for somebody", () => {
  const given = tree(["data-plane", "POST payments", undefined, 0, 200]);
  const span = given.roots[0]?.span as { kind?: number; attributes?: ReturnType<typeof attributesOf> };
  span.kind = 3;
  span.attributes = attributesOf({ "server.address": "10.0.0.1", "peer.service": "payments" });
  expect(lines(given)).toContain("  data-plane  POST payments  200 ms  100%  waiting for payments");
});

test("a trace that took no time is shown as well", () =>
  expect(lines(tree(["a", "x", undefined, 0, 0]))[2]).toMatch(/^a x\s+0 ms\s+─/));

test.each([40, 80, 200])("no line is wider than a terminal of %d columns, however deep the trace", (width) => {
  const deep = tree(
    ...Array.from({ length: 60 }, (_, i): Given => ["s", "n".repeat(90), i ? i - 1 : undefined, i, 99]),
  );
  const shown = lines(deep, [], width).slice(2, 62);
  expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(Math.max(width, 66));
});
