/**
 * A span for one request that is sent, by whichever client.
 *
 * Source: opentelemetry.io/docs/specs/semconv/http/http-spans, "HTTP client".
 */
import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { isTracingSuppressed } from "@opentelemetry/core";
import { errorType, type Instruments, methodOf, portNumber, redactedUrl } from "./instruments.ts";

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  /** Of a header that the program has set itself. */
  readonly header: (name: string) => string | undefined;
  readonly setHeader: (name: string, value: string) => void;
}

/** Starts the span, and gives the request the headers that make the other end's spans its children. */
export function startClientSpan(instruments: Instruments, outgoing: Outgoing): Span | undefined {
  const { tracer, contexts, propagator, names } = instruments;
  const parent = contexts.active();
  if (isTracingSuppressed(parent)) return undefined;
  const { url } = outgoing;
  const method = methodOf(outgoing.method);
  const attributes: Attributes = {
    "http.request.method": method,
    "http.request.method_original": method === outgoing.method ? undefined : outgoing.method,
    "url.full": redactedUrl(url),
    "server.address": url.hostname,
    "server.port": portNumber(url),
  };
  const name = names.of(method, url.pathname);
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT }, parent).setAttributes(attributes);
  const own = outgoing.header("traceparent");
  // Another trace than ours is somebody's intention; the same one is a copy of what came in.
  if (!own || own.includes(span.spanContext().traceId))
    propagator.inject(trace.setSpan(parent, span), outgoing, {
      set: (request, name, value) => {
        if (name === "traceparent" || !request.header(name)) request.setHeader(name, value);
      },
    });
  return span;
}

export function setResponse(span: Span, statusCode: number, protocolVersion?: string): void {
  span.setAttribute("http.response.status_code", statusCode);
  if (protocolVersion) span.setAttribute("network.protocol.version", protocolVersion);
  if (statusCode < 400) return;
  span.setAttribute("error.type", String(statusCode));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

export function setFailure(span: Span, error: unknown): void {
  span.setAttribute("error.type", errorType(error));
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
}
