/**
 * A million log lines as services of a shop write them: half of them with a trace, one in 100,000 of a rare kind. Run by itself it
 * writes them to a file, so that the process that is measured does not make them: `node log-lines.ts FILE LINES`.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";

import { type Random, seededRandom } from "../../packages/ambient/src/index.ts";
import { attributesOf } from "../../packages/telemetry/src/attributes.ts";
import { encodeLogs } from "../../packages/telemetry/src/otlp/codec.ts";
import type { LogRecord, ResourceLogs } from "../../packages/telemetry/src/otlp/types.ts";

export const start = Date.UTC(2026, 10, 21);
export const rareEvery = 100_000;

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

/** Requests of 500 lines each, of one pod. */
function* logLines(count: number): Generator<Uint8Array> {
  const random = seededRandom(1);
  let trace = hex(random, 16);
  for (let at = 0; at < count; at += 500) {
    const service = pick(random, services);
    const logRecords = Array.from({ length: 500 }, (_, each): LogRecord => {
      const index = at + each;
      if (random.next() < 0.2) trace = hex(random, 16);
      const text = textOf(random, index);
      const nanos = `${start + Math.floor(index / 10)}${String(index % 1000).padStart(3, "0")}000`;
      const traced = random.next() < 0.5;
      return {
        timeUnixNano: nanos,
        observedTimeUnixNano: nanos,
        severityNumber: text.startsWith("retrying") ? 13 : 9,
        severityText: text.startsWith("retrying") ? "WARN" : "INFO",
        body: { stringValue: text },
        attributes: attributesOf({ "log.iostream": "stdout", pid: 7, ...(traced && { reqId: `req-${index}` }) }),
        ...((traced || text.startsWith("payment")) && { flags: 1, traceId: trace, spanId: hex(random, 8) }),
      };
    });
    yield encodeLogs({ resourceLogs: [resourceLogs(service, at, logRecords)] });
  }
}

/** What a file holds that was written by this one. */
export function* requestsIn(path: string): Generator<Uint8Array> {
  const file = openSync(path, "r");
  const length = Buffer.alloc(4);
  const buffer = Buffer.alloc(1 << 20);
  try {
    while (readSync(file, length, 0, 4, null) === 4)
      yield buffer.subarray(0, readSync(file, buffer, 0, length.readUInt32LE(), null));
  } finally {
    closeSync(file);
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

const [, self, path, count] = process.argv;
if (path && count && self === import.meta.filename) {
  const file = openSync(path, "w");
  for (const request of logLines(Number(count))) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(request.length);
    writeSync(file, length);
    writeSync(file, request);
  }
  closeSync(file);
}
