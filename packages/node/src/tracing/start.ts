/** Traces and metrics of a Node.js program from outside, composed. Loaded before the program; `scripts/bundle-tracing.ts` makes one file of it. */
import { systemClock, systemRandom, systemStopwatch } from "@flotilla/ambient";
import { context, metrics, propagation, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  CompositePropagator,
  suppressTracing,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { defaultResource, envDetector, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { giveWayToApp, isTaken } from "./app-sdk.ts";
import { type Contexts, newContexts } from "./context.ts";
import { encodeSpans } from "./encode-spans.ts";
import { Exporter } from "./exporter.ts";
import { traceFetch } from "./fetch.ts";
import { guarded } from "./guard.ts";
import { traceClients } from "./http-client.ts";
import { traceServers } from "./http-server.ts";
import { idsFrom } from "./ids.ts";
import type { Instruments } from "./instruments.ts";
import { LeanTracer, leanSpansDo } from "./lean-span.ts";
import { annotateLines, annotatePino } from "./log-lines.ts";
import { startMetrics } from "./metrics.ts";
import { tracePostgres } from "./pg.ts";
import { type BatchSettings, type Destination, settingsFrom } from "./settings.ts";
import { SpanNames } from "./span-name.ts";
import { SpanQueue } from "./span-queue.ts";

function start(): void {
  const settings = settingsFrom(process.env);
  if (!settings || isTaken()) return;
  const contexts = newContexts();
  const untraced = <T>(run: () => T): T => contexts.with(suppressTracing(contexts.active()), run);
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "telemetry.distro.name": "flotilla" }))
    .merge(resourceFromAttributes(envDetector.detect().attributes ?? {}));
  const queue = settings.traces && queueTo(settings.traces, settings.batch, untraced);
  const metered =
    settings.metrics &&
    startMetrics({
      resource,
      exporter: new Exporter(settings.metrics, untraced, systemClock),
      format: settings.metrics.format,
      interval: settings.metricInterval,
      clock: systemClock,
      dropped: () => queue?.dropped ?? 0,
    });
  if (metered) metrics.setGlobalMeterProvider(metered.provider);
  const undo = queue ? traceWith(queue, resource, contexts, metered?.served) : [];
  giveWayToApp((signal) => {
    metered?.stop();
    if (signal === "traces") for (const each of undo) guarded(each);
  });
}

function queueTo(destination: Destination, batch: BatchSettings, untraced: <T>(run: () => T) => T): SpanQueue {
  const inJson = (spans: ReadableSpan[]) => JsonTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
  const encode = destination.format === "json" ? inJson : encodeSpans;
  return new SpanQueue(batch, new Exporter(destination, untraced, systemClock), encode, systemClock);
}

/** Answers how to stop it, in parts. */
function traceWith(
  queue: SpanQueue,
  resource: Resource,
  contexts: Contexts,
  served: Instruments["served"],
): (() => void)[] {
  const ids = idsFrom(systemRandom);
  const provider = new BasicTracerProvider({ resource, spanProcessors: [queue], idGenerator: ids });
  const propagator = new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(contexts);
  propagation.setGlobalPropagator(propagator);

  // There is no listener for SIGTERM: it would keep the program from ending by it, and what ends by itself passes "exit".
  process.once("beforeExit", () => queue.isEmpty || void queue.forceFlush());
  process.on("exit", () => guarded(() => queue.flushAtExit()));
  process.on("uncaughtExceptionMonitor", (error) => guarded(() => endWith(trace.getSpan(contexts.active()), error)));

  const scope = { name: "flotilla" };
  const tracer = leanSpansDo(process.env)
    ? new LeanTracer({ resource, scope, ids, ended: (span) => queue.onEnd(span) })
    : provider.getTracer(scope.name);
  const names = new SpanNames();
  const instruments: Instruments = { tracer, contexts, propagator, names, ids, now: systemStopwatch, served };
  return [
    ...traceServers(instruments),
    ...traceClients(instruments),
    ...traceFetch(instruments),
    ...tracePostgres(instruments),
    ...annotateLines(contexts),
    ...annotatePino(contexts),
  ];
}

/** The program is about to die of it. */
function endWith(span: Span | undefined, error: Error): void {
  span?.recordException(error);
  span?.setAttribute("error.type", error.name);
  span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span?.end();
}

guarded(start);
