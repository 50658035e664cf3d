/** Tracing of a Node.js program from outside, composed. Loaded before the program; `scripts/bundle-tracing.ts` makes one file of it. */
import { systemClock, systemStopwatch } from "@flotilla/ambient";
import { context, propagation, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  CompositePropagator,
  suppressTracing,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { defaultResource, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { giveWayToApp, isTaken } from "./app-sdk.ts";
import { newContexts } from "./context.ts";
import { Exporter } from "./exporter.ts";
import { traceFetch } from "./fetch.ts";
import { guarded } from "./guard.ts";
import { traceClients } from "./http-client.ts";
import { traceServers } from "./http-server.ts";
import type { Instruments } from "./instruments.ts";
import { annotateLines } from "./log-lines.ts";
import { tracePostgres } from "./pg.ts";
import { settingsFrom } from "./settings.ts";
import { SpanQueue } from "./span-queue.ts";

function start(): void {
  const settings = settingsFrom(process.env);
  if (!settings?.traces || isTaken()) return;
  const contexts = newContexts();
  const untraced = <T>(run: () => T): T => contexts.with(suppressTracing(contexts.active()), run);
  const serializer = settings.traces.format === "json" ? JsonTraceSerializer : ProtobufTraceSerializer;
  const encode = (spans: ReadableSpan[]) => serializer.serializeRequest(spans) ?? new Uint8Array();
  const queue = new SpanQueue(
    settings.batch,
    new Exporter(settings.traces, untraced, systemClock),
    encode,
    systemClock,
  );
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "telemetry.distro.name": "flotilla" }))
    .merge(resourceFromAttributes(envDetector.detect().attributes ?? {}));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [queue] });
  const propagator = new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(contexts);
  propagation.setGlobalPropagator(propagator);

  const instruments: Instruments = {
    tracer: provider.getTracer("flotilla"),
    contexts,
    propagator,
    now: systemStopwatch,
  };
  const undo = [
    ...traceServers(instruments),
    ...traceClients(instruments),
    ...traceFetch(instruments),
    ...tracePostgres(instruments),
    ...annotateLines(contexts),
  ];
  giveWayToApp(() => {
    for (const each of undo) guarded(each);
  });

  // There is no listener for SIGTERM: it would keep the program from ending by it, and what ends by itself passes "exit".
  process.once("beforeExit", () => queue.isEmpty || void queue.forceFlush());
  process.on("exit", () => guarded(() => queue.flushAtExit()));
  process.on("uncaughtExceptionMonitor", (error) => guarded(() => endWith(trace.getSpan(contexts.active()), error)));
}

/** The program is about to die of it. */
function endWith(span: Span | undefined, error: Error): void {
  span?.recordException(error);
  span?.setAttribute("error.type", error.name);
  span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span?.end();
}

guarded(start);
