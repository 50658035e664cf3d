/** What exporters sent is what is read out of the stores, also after a restart. */
import type { ExportResult } from "@opentelemetry/core";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logs, metrics, otlpLogs, otlpSpans, sentAt, spans } from "./exported.fixture.ts";
import { type Kept, kept, lastOf, logsOf, spansOf } from "./kept.fixture.ts";
import { type Receiving, receiving } from "./receiver.fixture.ts";

let receiver: Receiving;
let found: Kept;
beforeAll(async () => {
  receiver = await receiving();
  const url = (signal: string) => ({ url: `http://127.0.0.1:${receiver.http.port}/v1/${signal}` });
  const done = (result: ExportResult) => result.error && Promise.reject(result.error);
  const exporters = [
    new OTLPTraceExporter(url("traces")),
    new OTLPMetricExporter(url("metrics")),
    new OTLPLogExporter(url("logs")),
  ] as const;
  await new Promise<ExportResult>((resolve) => exporters[0].export(spans, resolve)).then(done);
  await new Promise<ExportResult>((resolve) => exporters[1].export(metrics, resolve)).then(done);
  await new Promise<ExportResult>((resolve) => exporters[2].export(logs, resolve)).then(done);
  await Promise.all(exporters.map((exporter) => exporter.shutdown()));
  found = await kept(receiver.sink.requests, sentAt);
});
afterAll(() => receiver?.close());

test("nothing was lost", () => expect(found.losses).toEqual([]));
test("spans", () => expect(spansOf(...found.traces)).toEqual(spansOf(otlpSpans)));
test("log records", () => expect(found.logs.map(({ id, ...log }) => log)).toEqual(logsOf(otlpLogs)));
test("metrics", () =>
  expect(lastOf(found.series)).toEqual({
    bytes: [-0.5],
    duration_bytes_bucket: [5, 2, 2],
    duration_bytes_count: [5],
    duration_bytes_sum: [9.25],
    level_bytes: [0, 1e-300],
    requests_bytes_total: [7, 0, 9007199254740991],
    size_bytes: [
      expect.objectContaining({
        count: 10,
        sum: 0,
        schema: -3,
        zeroCount: 1,
        // Prometheus' indexes are one higher.
        positive: { offset: -4, counts: [1, 0, 300] },
        negative: { offset: 101, counts: [4] },
      }),
    ],
    target_info: [1],
  }));
