/**
 * What a Node.js program reports of itself: how long its answers took, and how its runtime is. Metrics that the program makes by
 * OpenTelemetry's API go along.
 *
 * Source: opentelemetry.io/docs/specs/semconv/http/http-metrics, .../runtime/nodejs-metrics, .../runtime/v8js-metrics and
 * .../otel/sdk-metrics.
 */
import { performance } from "node:perf_hooks";
import { getHeapSpaceStatistics } from "node:v8";
import type { Cancel, Clock } from "@flotilla/ambient";
import type { Meter } from "@opentelemetry/api";
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import type { Resource } from "@opentelemetry/resources";
import { AggregationType, InstrumentType, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import type { Exporter } from "./exporter.ts";
import { complain, guarded } from "./guard.ts";
import type { Instruments } from "./instruments.ts";

/** Histograms with buckets that grow with the values, so that quantiles of any latency are right. */
class Reader extends MetricReader {
  constructor() {
    super({
      aggregationSelector: (type) =>
        type === InstrumentType.HISTOGRAM
          ? { type: AggregationType.EXPONENTIAL_HISTOGRAM }
          : { type: AggregationType.DEFAULT },
    });
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export interface Metrics {
  readonly provider: MeterProvider;
  readonly served: NonNullable<Instruments["served"]>;
  stop(): void;
}

export interface MetricsOptions {
  readonly resource: Resource;
  readonly exporter: Exporter;
  readonly format: "protobuf" | "json";
  /** Milliseconds. */
  readonly interval: number;
  readonly clock: Clock;
  /** Spans that were never sent, until now. */
  readonly dropped: () => number;
}

export function startMetrics({ resource, exporter, format, interval, clock, dropped }: MetricsOptions): Metrics {
  const reader = new Reader();
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter("flotilla");
  const duration = meter.createHistogram("http.server.request.duration", {
    unit: "s",
    description: "Duration of HTTP server requests.",
  });
  observeRuntime(meter);
  observeLosses(meter, dropped);
  const serializer = format === "json" ? JsonMetricsSerializer : ProtobufMetricsSerializer;
  let cancel: Cancel = () => {};
  const report = async () => {
    const { resourceMetrics } = await reader.collect();
    const body = guarded(() => serializer.serializeRequest(resourceMetrics));
    // What does not arrive is not kept: the next report tells of it as well.
    if (body) exporter.send(body, () => {});
  };
  const wait = () => {
    cancel = clock.after(
      interval,
      () => {
        report().catch(complain);
        wait();
      },
      { background: true },
    );
  };
  wait();
  return {
    provider,
    served: (seconds, attributes) => duration.record(seconds, attributes),
    stop: () => cancel(),
  };
}

function observeRuntime(meter: Meter): void {
  let before = performance.eventLoopUtilization();
  meter
    .createObservableGauge("nodejs.eventloop.utilization", { unit: "1", description: "Event loop utilization." })
    .addCallback((result) => {
      const now = performance.eventLoopUtilization();
      result.observe(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    });
  meter
    .createObservableCounter("nodejs.eventloop.time", {
      unit: "s",
      description: "Cumulative duration of time the event loop has been in each state.",
    })
    .addCallback((result) => {
      const { active, idle } = performance.eventLoopUtilization();
      result.observe(active / 1000, { "nodejs.eventloop.state": "active" });
      result.observe(idle / 1000, { "nodejs.eventloop.state": "idle" });
    });
  const heap = (name: string, description: string) =>
    meter.createObservableUpDownCounter(`v8js.memory.heap.${name}`, { unit: "By", description });
  const used = heap("used", "Heap memory in use.");
  const limit = heap("limit", "Heap memory size that is set aside.");
  meter.addBatchObservableCallback(
    (result) => {
      for (const { space_name, space_size, space_used_size } of getHeapSpaceStatistics()) {
        const attributes = { "v8js.heap.space.name": space_name };
        result.observe(used, space_used_size, attributes);
        result.observe(limit, space_size, attributes);
      }
    },
    [used, limit],
  );
}

/** Only when there are some: a series that is always zero tells nothing. */
function observeLosses(meter: Meter, dropped: () => number): void {
  meter
    .createObservableCounter("otel.sdk.processor.span.processed", {
      unit: "{span}",
      description: "Spans whose processing has ended.",
    })
    .addCallback((result) => {
      const count = dropped();
      if (count > 0)
        result.observe(count, { "otel.component.type": "batching_span_processor", "error.type": "queue_full" });
    });
}
