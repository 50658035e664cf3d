/** A million log lines as services of a shop write them: plain and JSON, half of them with a trace, one in 250,000 of a rare kind. */

import { type Random, seededRandom } from "../../packages/ambient/src/index.ts";
import { attributesOf } from "../../packages/telemetry/src/attributes.ts";
import { encodeLogs } from "../../packages/telemetry/src/otlp/codec.ts";
import type { LogRecord, ResourceLogs } from "../../packages/telemetry/src/otlp/types.ts";

export const start = Date.UTC(2026, 10, 21);
export const rareEvery = 250_000;

const services = ["storefront", "orders", "payments", "cart", "catalog", "shipping", "mail", "search"];
const paths = ["/", "/cart", "/orders", "/orders/checkout", "/products", "/api/stock", "/healthz"];

const hex = (random: Random, bytes: number): string => Buffer.from(random.bytes(bytes)).toString("hex");
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;

function textOf(random: Random, index: number): string {
  if (index % rareEvery === rareEvery - 1)
    return `payment provider answered with code card_declined for order ${index}`;
  const order = Math.floor(random.next() * 1e6);
  const ms = Math.floor(random.next() * 300);
  switch (Math.floor(random.next() * 6)) {
    case 0:
      return `GET ${pick(random, paths)} 200 ${ms}ms ip=10.0.${ms % 16}.${order % 256} agent="Mozilla/5.0 (X11; Linux x86_64)"`;
    case 1:
      return `order ${order} created for customer ${Math.floor(random.next() * 50_000)}, total ${ms}.${order % 100} EUR`;
    case 2:
      return `SELECT * FROM orders WHERE id = ${order} took ${ms}ms (rows=${order % 7})`;
    case 3:
      return `cache miss for key product:${order}, fetched from catalog in ${ms}ms`;
    case 4:
      return `retrying call to payments, attempt ${1 + (order % 3)}, last error: ECONNRESET after ${ms}ms`;
    default:
      return `request completed`;
  }
}

export interface Batch {
  readonly request: Uint8Array;
  readonly textBytes: number;
}

/** Requests of 500 lines each, of one pod; `traces` gathers some of the trace ids. */
export function* logLines(count: number, traces: string[]): Generator<Batch> {
  const random = seededRandom(1);
  let trace = hex(random, 16);
  for (let at = 0; at < count; at += 500) {
    const service = pick(random, services);
    let textBytes = 0;
    const logRecords = Array.from({ length: 500 }, (_, each): LogRecord => {
      const index = at + each;
      if (random.next() < 0.2) trace = hex(random, 16);
      if (index % 100_000 === 50_000) traces.push(trace);
      const text = textOf(random, index);
      textBytes += text.length;
      const nanos = `${start + Math.floor(index / 10)}${String(index % 1000).padStart(3, "0")}000`;
      const traced = random.next() < 0.5;
      return {
        timeUnixNano: nanos,
        observedTimeUnixNano: nanos,
        severityNumber: text.startsWith("retrying") ? 13 : 9,
        severityText: text.startsWith("retrying") ? "WARN" : "INFO",
        body: { stringValue: text },
        attributes: attributesOf({ "log.iostream": "stdout", pid: 7, ...(traced && { reqId: `req-${index}` }) }),
        ...((traced || index % 100_000 === 50_000) && { flags: 1, traceId: trace, spanId: hex(random, 8) }),
      };
    });
    yield { request: encodeLogs({ resourceLogs: [resourceLogs(service, at, logRecords)] }), textBytes };
  }
}

const resourceLogs = (service: string, at: number, logRecords: LogRecord[]): ResourceLogs => ({
  resource: {
    attributes: attributesOf({
      "service.name": service,
      "service.namespace": "shop",
      "service.version": "v1",
      "k8s.pod.name": `${service}-5d8f9c7b6d-${at % 3}`,
      "k8s.container.name": service,
      "k8s.namespace.name": "default",
      "k8s.node.name": "laptop",
    }),
  },
  scopeLogs: [{ scope: { name: "flotilla.pod-logs" }, logRecords }],
});
