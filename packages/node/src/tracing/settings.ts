/**
 * What the environment says about tracing.
 *
 * Source: opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables and .../protocol/exporter. Other than there,
 * an endpoint that is not given means no tracing, for nobody asked for it; and batches wait half a second instead of five.
 * The sampler, limits of spans and resource attributes are read by the SDK itself.
 */
import { parseKeyPairsIntoRecord } from "@opentelemetry/core";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  /** Where requests go, by signal; undefined: the signal is not wanted. */
  readonly traces: Destination | undefined;
  readonly metrics: Destination | undefined;
  readonly batch: BatchSettings;
  /** Milliseconds between two reports of metrics. */
  readonly metricInterval: number;
}

export interface Destination {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: "protobuf" | "json";
  /** Milliseconds for one request. */
  readonly timeout: number;
}

export interface BatchSettings {
  /** Milliseconds that a span waits at most before it is sent. */
  readonly delay: number;
  /** Spans; what comes to a full queue is dropped and counted. */
  readonly queue: number;
  readonly size: number;
}

/** Undefined: there is nothing to do in this process. */
export function settingsFrom(env: Environment): Settings | undefined {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return undefined;
  const traces = destination(env, "TRACES");
  const metrics = destination(env, "METRICS");
  if (!traces && !metrics) return undefined;
  const queue = count(env.OTEL_BSP_MAX_QUEUE_SIZE, 2048);
  return {
    traces,
    metrics,
    batch: {
      delay: count(env.OTEL_BSP_SCHEDULE_DELAY, 500),
      queue,
      size: Math.min(count(env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, 512), queue),
    },
    metricInterval: count(env.OTEL_METRIC_EXPORT_INTERVAL, 10_000),
  };
}

function destination(env: Environment, signal: "TRACES" | "METRICS"): Destination | undefined {
  const exporters = env[`OTEL_${signal}_EXPORTER`]?.split(",").map((name) => name.trim());
  if (exporters?.some((name) => name !== "") && !exporters.includes("otlp")) return undefined;
  const read = (name: string) => env[`OTEL_EXPORTER_OTLP_${signal}_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`];
  const format = formatOf(read("PROTOCOL"));
  const url = urlOf(env, signal);
  if (!format || !url) return undefined;
  return {
    url,
    format,
    headers: {
      ...parseKeyPairsIntoRecord(env.OTEL_EXPORTER_OTLP_HEADERS),
      ...parseKeyPairsIntoRecord(env[`OTEL_EXPORTER_OTLP_${signal}_HEADERS`]),
    },
    timeout: count(read("TIMEOUT"), 10_000),
  };
}

/** Undefined for what we do not speak: gRPC, and what a later specification may name. */
function formatOf(protocol: string | undefined): Destination["format"] | undefined {
  if (protocol === undefined || protocol === "http/protobuf") return "protobuf";
  return protocol === "http/json" ? "json" : undefined;
}

/** An endpoint for one signal is used as it is; the one for all gets the signal's path. */
function urlOf(env: Environment, signal: "TRACES" | "METRICS"): URL | undefined {
  const own = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`];
  const shared = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url = URL.parse(own || (shared ? `${shared.replace(/\/$/, "")}/v1/${signal.toLowerCase()}` : ""));
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined;
}

/** A positive whole number; anything else is the default, as the specification wants. */
function count(text: string | undefined, fallback: number): number {
  const value = Number(text);
  return text && Number.isSafeInteger(value) && value > 0 ? value : fallback;
}
