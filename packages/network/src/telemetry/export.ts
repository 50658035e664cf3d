/** The telemetry of one data plane, and its way out: spans in batches, metrics every few seconds, to an OTLP endpoint. */
import { type Cancel, type Clock, type Random, type Stopwatch, systemStopwatch } from "@flotilla/ambient";
import type { Attributes, Scope } from "./otlp.ts";
import { OtlpClient } from "./otlp-client.ts";
import { RequestTelemetry } from "./request-telemetry.ts";
import { SpanBudget } from "./span-budget.ts";
import { SpanQueue } from "./span-queue.ts";
import { Tracing } from "./tracing.ts";

export interface OtlpOptions {
  /** OTLP/HTTP: "http://127.0.0.1:4318". */
  readonly endpoint: string;
  /** Of more spans a second than this a sample is kept, and what failed or was slow. */
  readonly spansPerSecond?: number;
}

export interface ExportOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly stopwatch?: Stopwatch;
  readonly otlp?: OtlpOptions;
}

export interface Export {
  readonly telemetry: RequestTelemetry;
  /** Sends what there is, for a second at most, then nothing more. */
  stop(): Promise<void>;
}

const defaultBudget = 1000;
/** Milliseconds between two collections of metrics. */
const interval = 5000;
const longestStop = 1000;

const scope: Scope = { name: "flotilla.data-plane" };
/** The instance is the same after a restart, so that series go on. */
const resources = {
  gateway: { "service.name": "gateway", "service.instance.id": "gateway" },
  service: { "service.name": "data-plane", "service.instance.id": "data-plane" },
} as const satisfies Record<string, Attributes>;

/** Without `otlp` everything is counted and nothing is sent. */
export function startExport({ clock, random, stopwatch = systemStopwatch, otlp }: ExportOptions): Export {
  if (!otlp) return { telemetry: new RequestTelemetry({ clock, stopwatch }), stop: () => Promise.resolve() };
  const client = new OtlpClient(otlp.endpoint, clock);
  const spans = new SpanQueue({
    clock,
    scope,
    send: (request) => client.send("traces", request),
    onDropped: (count, reason) => dropped.add(["traces", reason], count),
  });
  const telemetry = new RequestTelemetry({
    clock,
    stopwatch,
    traces: {
      tracing: new Tracing(clock, random, new SpanBudget(otlp.spansPerSecond ?? defaultBudget)),
      onSpan: (place, span) => spans.add(resources[place], span),
    },
  });
  const dropped = telemetry.meter.counter({
    name: "flotilla.telemetry.dropped",
    unit: "{item}",
    description: "Spans of the data plane that nobody took.",
    labels: ["signal", "reason"],
  });

  let sending = false;
  const sendMetrics = async () => {
    // Cumulative: what is not taken now is in the next one.
    if (sending) return;
    sending = true;
    try {
      const { request, taken } = telemetry.meter.collect(resources.service, scope);
      if ((await client.send("metrics", request)) === "taken") taken();
    } finally {
      sending = false;
    }
  };
  let cancel: Cancel;
  const tick = () => {
    void sendMetrics();
    cancel = clock.after(interval, tick, { background: true });
  };
  cancel = clock.after(interval, tick, { background: true });
  return {
    telemetry,
    async stop() {
      cancel();
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const cancelLate = clock.after(longestStop, resolve, { background: true });
      await Promise.race([Promise.all([spans.flush(), sendMetrics()]), late]);
      cancelLate();
      client.stop();
    },
  };
}
