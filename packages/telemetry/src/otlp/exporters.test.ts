/** The published exporters of JavaScript send, and what arrives at the sink is what was sent, field by field. */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPLogExporter as GrpcLogs } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as JsonLogs } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoLogs } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as GrpcMetrics } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as JsonMetrics } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as GrpcTraces } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonTraces } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UnavailableError } from "../sink.ts";
import { decodeLogs, decodeMetrics, decodeTraces, encodeLogs, encodeMetrics, encodeTraces } from "./codec.ts";
import { logs, metrics, otlpLogs, otlpMetrics, otlpSpans, spans } from "./exported.fixture.ts";
import { type Receiving, receiving } from "./receiver.fixture.ts";

let receiver: Receiving;
beforeAll(async () => {
  receiver = await receiving();
});
afterAll(() => receiver.close());

interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

const protocols = {
  "http/protobuf": { port: () => receiver.http.port, traces: ProtoTraces, metrics: ProtoMetrics, logs: ProtoLogs },
  "http/json": { port: () => receiver.http.port, traces: JsonTraces, metrics: JsonMetrics, logs: JsonLogs },
  grpc: { port: () => receiver.grpc.port, traces: GrpcTraces, metrics: GrpcMetrics, logs: GrpcLogs },
};

/** What arrives of one export. */
async function exported<T>(exporter: Exporter<T>, items: T): Promise<Uint8Array> {
  receiver.sink.requests.length = 0;
  try {
    const result = await new Promise<ExportResult>((resolve) => exporter.export(items, resolve));
    expect(result).toEqual({ code: ExportResultCode.SUCCESS });
  } finally {
    await exporter.shutdown();
  }
  expect(receiver.sink.requests.length).toBe(1);
  return receiver.sink.requests[0]?.request ?? new Uint8Array();
}

for (const [name, { port, ...exporters }] of Object.entries(protocols))
  for (const compression of [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP]) {
    const config = (path: string) => ({
      url: `http://127.0.0.1:${port()}${name === "grpc" ? "" : path}`,
      compression,
    });
    const title = `${name}, compression ${compression}`;

    test(`${title}: traces`, async () => {
      const bytes = await exported(new exporters.traces(config("/v1/traces")), spans);
      expect(decodeTraces(bytes)).toEqual(otlpSpans);
      expect(decodeTraces(encodeTraces(otlpSpans))).toEqual(otlpSpans);
    });

    test(`${title}: metrics`, async () => {
      const bytes = await exported(new exporters.metrics(config("/v1/metrics")), metrics);
      expect(decodeMetrics(bytes)).toEqual(otlpMetrics);
      expect(decodeMetrics(encodeMetrics(otlpMetrics))).toEqual(otlpMetrics);
    });

    test(`${title}: logs`, async () => {
      const bytes = await exported(new exporters.logs(config("/v1/logs")), logs);
      expect(decodeLogs(bytes)).toEqual(otlpLogs);
      expect(decodeLogs(encodeLogs(otlpLogs))).toEqual(otlpLogs);
    });
  }

// The one for gRPC tries nothing again.
for (const [name, Traces] of Object.entries({ "http/protobuf": ProtoTraces, "http/json": JsonTraces }))
  test(`${name}: an exporter that is told to try again does`, async () => {
    let refusals = 0;
    receiver.sink.answer = () => {
      if (refusals++ === 0) throw new UnavailableError("busy", 10);
      return { taken: 0, rejected: 0 };
    };
    const exporter = new Traces({ url: `http://127.0.0.1:${receiver.http.port}/v1/traces` });
    expect(decodeTraces(await exported(exporter, spans))).toEqual(otlpSpans);
    expect(refusals).toBe(2);
  });
