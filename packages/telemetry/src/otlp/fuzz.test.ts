/** Whatever bytes come: they are taken whole or refused whole, and nothing breaks. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Losses, type Signal } from "../sink.ts";
import { encodeLogs, encodeMetrics, encodeTraces } from "./codec.ts";
import { countRecords } from "./count.ts";
import { otlpLogs, otlpMetrics, otlpSpans, sentAt } from "./exported.fixture.ts";
import { Intake, type Outcome } from "./intake.ts";
import { toJson } from "./json.ts";
import { openStores, type Stores } from "./kept.fixture.ts";

let folder: string;
let stores: Stores;
let intake: Intake;
const errors: unknown[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fuzz-"));
  stores = openStores(folder, sentAt);
  intake = new Intake({ sink: stores, losses: new Losses(), onError: (error) => errors.push(error) });
});
afterAll(() => {
  stores.close();
  rmSync(folder, { recursive: true });
});

const valid: Record<Signal, Uint8Array> = {
  traces: encodeTraces(otlpSpans),
  metrics: encodeMetrics(otlpMetrics),
  logs: encodeLogs(otlpLogs),
};
const texts: Record<Signal, Uint8Array> = {
  traces: Buffer.from(toJson("traces", otlpSpans)),
  metrics: Buffer.from(toJson("metrics", otlpMetrics)),
  logs: Buffer.from(toJson("logs", otlpLogs)),
};

/** Everything that the stores have of a signal. */
const countOf = (signal: Signal): number => {
  if (signal === "traces") return stores.spans.stats().represented;
  return signal === "logs" ? stores.logs_.stats().records : stores.series.stats().records;
};

type Change = (bytes: Uint8Array) => Uint8Array;
const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const changes: fc.Arbitrary<Change> = fc.oneof(
  // Another value of one byte: of a tag, of a length, of a text.
  fc.tuple(at, fc.nat(255)).map(
    ([place, value]): Change =>
      (bytes) => {
        const changed = new Uint8Array(bytes);
        changed[Math.floor(place * bytes.length)] = value;
        return changed;
      },
  ),
  at.map(
    (place): Change =>
      (bytes) =>
        bytes.slice(0, Math.floor(place * bytes.length)),
  ),
  fc.tuple(at, fc.uint8Array({ maxLength: 20 })).map(
    ([place, more]): Change =>
      (bytes) => {
        const where = Math.floor(place * bytes.length);
        return Buffer.concat([bytes.subarray(0, where), more, bytes.subarray(where)]);
      },
  ),
  fc.tuple(at, at).map(
    ([first, second]): Change =>
      (bytes) => {
        const [from, to] = [first, second].sort().map((place) => Math.floor(place * bytes.length));
        return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
      },
  ),
);
const changed = fc.array(changes, { minLength: 1, maxLength: 4 }).map(
  (list): Change =>
    (bytes) =>
      list.reduce((before, change) => change(before), bytes),
);

/** Of a request that is refused, nothing is there; of one that is taken, no more than it has. */
function expectWhole(signal: Signal, outcome: Outcome, before: number, request?: Uint8Array): void {
  expect(errors).toEqual([]);
  const added = countOf(signal) - before;
  if ("refused" in outcome) {
    expect(outcome).toMatchObject({ refused: "malformed" });
    expect(added).toBe(0);
  } else if (request && signal !== "metrics") {
    const { taken, rejected } = outcome.taken;
    expect(added).toBe(taken);
    expect(taken + rejected).toBe(countRecords(signal, request));
  }
}

for (const signal of ["traces", "metrics", "logs"] as const) {
  test(`${signal}: protobuf with changes`, () => {
    fc.assert(
      fc.property(changed, (change) => {
        const request = change(valid[signal]);
        const before = countOf(signal);
        expectWhole(signal, intake.take(signal, request, "protobuf", undefined), before, request);
      }),
      { numRuns: 500 },
    );
  });

  test(`${signal}: JSON with changes`, () => {
    fc.assert(
      fc.property(changed, (change) => {
        const before = countOf(signal);
        expectWhole(signal, intake.take(signal, change(texts[signal]), "json", undefined), before);
      }),
      { numRuns: 200 },
    );
  });

  test(`${signal}: gzip with changes`, () => {
    const compressed = gzipSync(valid[signal]);
    fc.assert(
      fc.property(changed, (change) => {
        const before = countOf(signal);
        expectWhole(signal, intake.take(signal, change(compressed), "protobuf", "gzip"), before);
      }),
      { numRuns: 200 },
    );
  });
}

/** A length-delimited field. */
const field = (number: number, inner: Uint8Array): Buffer => {
  const head: number[] = [(number << 3) | 2];
  let rest = inner.length;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Uint8Array.from([...head, rest]), inner]);
};
const deep = (levels: number): Buffer => {
  let value: Buffer = Buffer.from([0x10, 1]);
  for (let i = 0; i < levels; i++) value = field(5, field(1, value));
  return value;
};
const within =
  (...path: number[]) =>
  (inner: Uint8Array) =>
    path.reduceRight<Uint8Array>((bytes, number) => field(number, bytes), inner);

const bombs: Record<string, [Signal, Uint8Array]> = {
  "attributes within attributes of a span": ["traces", within(1, 2, 2, 9, 2)(deep(5000))],
  "attributes within attributes of a resource": ["traces", within(1, 1, 1, 2)(deep(5000))],
  "a body within a body": ["logs", within(1, 2, 2, 5)(deep(5000))],
  "attributes within attributes of a data point": ["metrics", within(1, 2, 2, 5, 1, 7, 2)(deep(5000))],
  "a length of four gigabytes": ["traces", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
  "a length of 2^63": ["logs", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])],
  "millions of resources without anything": ["metrics", Buffer.alloc(4_000_000, Buffer.from([0x0a, 0]))],
  "millions of buckets": ["metrics", within(1, 2, 2, 10, 1, 8, 2)(Buffer.alloc(8_000_000, 1))],
  "millions of buckets, each of eight bytes": ["metrics", within(1, 2, 2, 9, 1, 6)(Buffer.alloc(16_000_000))],
};
for (const [name, [signal, request]] of Object.entries(bombs))
  test(`refuses ${name}`, () => {
    const before = countOf(signal);
    const outcome = intake.take(signal, request, "protobuf", undefined);
    expect(outcome).toMatchObject({ refused: "malformed" });
    expectWhole(signal, outcome, before);
  });

for (const signal of ["traces", "metrics", "logs"] as const)
  test(`${signal}: 100,000 attributes`, () => {
    const attributes = Array.from({ length: 100_000 }, (_, i) => ({ key: `key${i}`, value: { intValue: String(i) } }));
    const times = { startTimeUnixNano: `${sentAt}000000`, endTimeUnixNano: `${sentAt}000000` };
    const request = {
      traces: () =>
        encodeTraces({
          resourceSpans: [
            { scopeSpans: [{ spans: [{ traceId: "ab".repeat(16), spanId: "cd".repeat(8), ...times, attributes }] }] },
          ],
        }),
      metrics: () => {
        const point = { timeUnixNano: `${sentAt}000000`, asInt: "1", attributes };
        return encodeMetrics({
          resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "m", gauge: { dataPoints: [point] } }] }] }],
        });
      },
      logs: () =>
        encodeLogs({
          resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: `${sentAt}000000`, attributes }] }] }],
        }),
    }[signal]();
    const before = countOf(signal);
    const outcome = intake.take(signal, request, "protobuf", undefined);
    expectWhole(signal, outcome, before, request);
    expect(outcome).toHaveProperty("taken");
  });
