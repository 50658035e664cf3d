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
  type StoreStats,
  spanLimits,
} from "@flotilla/telemetry";

export interface SignalStatus extends StoreStats {
  readonly recovered: StoreStats["recovered"] & { readonly damaged?: readonly string[] };
  /** Milliseconds, bytes. */
  readonly retention: { readonly age: number; readonly size: number };
}

export interface TelemetryStatus {
  readonly signals: Readonly<Record<Signal, SignalStatus>>;
  /** Since the process started. */
  readonly losses: ReturnType<Losses["list"]>;
  readonly forwarding?: ForwardState;
  /** What else does not work, in words. */
  readonly faults?: readonly string[];
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
  const kept = ({ age, size }: TelemetrySettings["retention"][Signal], defaults: { age: number; bytes: number }) => ({
    retention: { age: age ?? defaults.age, size: size ?? defaults.bytes },
  });
  const metricDefaults = { age: defaultMetricLimits.maxAge, bytes: defaultMetricLimits.maxBytes };
  return {
    signals: {
      traces: { ...traces.stats(), ...kept(retention.traces, spanLimits) },
      logs: { ...logs.stats(), ...kept(retention.logs, logLimits) },
      metrics: { ...metrics.stats(), ...kept(retention.metrics, metricDefaults) },
    },
    losses: losses.list(),
    ...(forwarding && { forwarding }),
  };
}
