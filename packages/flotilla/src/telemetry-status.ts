/** What telemetry tells of itself to `flotilla status`: what is kept, for how long, and what could not be taken. */
import type { TelemetrySettings } from "@flotilla/app";
import {
  defaultMetricLimits,
  type ForwardState,
  type LogStore,
  type Losses,
  logLimits,
  type MetricStore,
  type Signal,
  type SpanStore,
  spanLimits,
} from "@flotilla/telemetry";

export interface SignalStatus {
  /** Spans, log records, samples. */
  readonly records: number;
  readonly bytesOnDisk: number;
  /** Milliseconds since the epoch. */
  readonly oldest?: number;
  /** Milliseconds, bytes. */
  readonly retention: { readonly age: number; readonly size: number };
  /** Nothing is missing: the process before was stopped in order. */
  readonly clean: boolean;
  /** Why nothing is taken at the moment. */
  readonly fault?: string;
}

export interface TelemetryStatus {
  readonly signals: Readonly<Record<Signal, SignalStatus>>;
  /** Since the process started. */
  readonly losses: ReturnType<Losses["list"]>;
  readonly forwarding?: ForwardState;
}

export interface Stores {
  readonly traces: SpanStore;
  readonly logs: LogStore;
  readonly metrics: MetricStore;
}

export function telemetryStatus({
  stores: { traces, logs, metrics },
  settings: { retention },
  losses,
  forwarding,
}: {
  readonly stores: Stores;
  readonly settings: TelemetrySettings;
  readonly losses: Losses;
  readonly forwarding: ForwardState | undefined;
}): TelemetryStatus {
  const [ofTraces, ofLogs, ofMetrics] = [traces.stats(), logs.stats(), metrics.stats()];
  const kept = ({ age, size }: TelemetrySettings["retention"][Signal], defaults: { age: number; bytes: number }) => ({
    retention: { age: age ?? defaults.age, size: size ?? defaults.bytes },
  });
  const metricDefaults = { age: defaultMetricLimits.maxAge, bytes: defaultMetricLimits.maxBytes };
  return {
    signals: {
      traces: { ...signalOf(ofTraces), records: ofTraces.spans, ...kept(retention.traces, spanLimits) },
      logs: { ...signalOf(ofLogs), records: ofLogs.records, ...kept(retention.logs, logLimits) },
      metrics: { ...signalOf(ofMetrics), records: ofMetrics.samples, ...kept(retention.metrics, metricDefaults) },
    },
    losses: losses.list(),
    ...(forwarding && { forwarding }),
  };
}

interface Stats {
  readonly bytesOnDisk: number;
  readonly oldest: number | undefined;
  readonly recovered: { readonly clean?: boolean; readonly isClean?: boolean };
  readonly fault?: string | undefined;
}

const signalOf = ({ bytesOnDisk, oldest, recovered, fault }: Stats) => ({
  bytesOnDisk,
  ...(oldest !== undefined && { oldest }),
  clean: recovered.clean ?? recovered.isClean ?? true,
  ...(fault !== undefined && { fault }),
});
