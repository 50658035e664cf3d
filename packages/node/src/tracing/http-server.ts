/**
 * A span for each request that a server of node:http or node:https answers.
 *
 * Source: opentelemetry.io/docs/specs/semconv/http/http-spans, "HTTP server".
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import {
  type Attributes,
  type Context,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { getRPCMetadata, RPCType, setRPCMetadata } from "@opentelemetry/core";
import type { IdGenerator } from "@opentelemetry/sdk-trace-base";
import { bindEmitter, emptyContext } from "./context.ts";
import { guarded, listen } from "./guard.ts";
import { type Instruments, methodOf, nameOf, redactedQuery } from "./instruments.ts";

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What express adds to a request. */
interface Routed {
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown };
}

export function traceServers({ tracer, contexts, propagator, names, ids, served, now }: Instruments): (() => void)[] {
  const onStart = ({ request, response }: Exchange) => {
    if (request.headers["user-agent"]?.startsWith("kube-probe/")) {
      contexts.attach(trace.setSpanContext(emptyContext, unrecorded(ids)));
      return;
    }
    const { headers } = request;
    const isAlone = headers.traceparent === undefined && headers.baggage === undefined;
    const remote = isAlone ? emptyContext : propagator.extract(emptyContext, headers, headerGetter);
    const method = methodOf(request.method);
    const began = now();
    const attributes = requestAttributes(request);
    const span = tracer.startSpan(nameOf(method), { kind: SpanKind.SERVER }, remote).setAttributes(attributes);
    const context = setRPCMetadata(trace.setSpan(remote, span), { type: RPCType.HTTP, span });
    bindEmitter(contexts, request, context);
    bindEmitter(contexts, response, context);
    // Frameworks rewrite it on the way.
    const { url = "/" } = request;
    response.once("close", () =>
      guarded(() => {
        const { statusCode, writableFinished } = response;
        const route = routeOf(request, context);
        if (route) span.setAttribute("http.route", route);
        // Whatever was asked for and is not there could be anything.
        const name = route ? `${nameOf(method)} ${route}` : statusCode === 404 ? undefined : names.of(method, url);
        if (name) span.updateName(name);
        if (response.headersSent) span.setAttribute("http.response.status_code", statusCode);
        // Whoever asked is gone: no fault of the server, but not a whole answer either.
        const error = statusCode >= 500 ? String(statusCode) : writableFinished ? undefined : "client_closed_request";
        if (error) span.setAttribute("error.type", error);
        if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
        served?.((now() - began) / 1000, {
          "http.request.method": method,
          "url.scheme": String(attributes["url.scheme"]),
          ...(response.headersSent ? { "http.response.status_code": statusCode } : {}),
          ...(route ? { "http.route": route } : {}),
          ...(error ? { "error.type": error } : {}),
        });
      }),
    );
    contexts.attach(context);
  };
  // Fastify says which route it runs, in the request's own context.
  const onFastify = ({ route }: { route?: { url?: unknown } }) => {
    const metadata = getRPCMetadata(contexts.active());
    if (metadata && typeof route?.url === "string") metadata.route = route.url;
  };
  return [listen("http.server.request.start", onStart), listen("tracing:fastify.request.handler:start", onFastify)];
}

/** For Kubernetes' probes: nobody looks for them, here or in services that are asked because of them. */
const unrecorded = (ids: IdGenerator): SpanContext => ({
  traceId: ids.generateTraceId(),
  spanId: ids.generateSpanId(),
  traceFlags: TraceFlags.NONE,
});

const headerGetter = {
  keys: (headers: IncomingMessage["headers"]) => Object.keys(headers),
  get: (headers: IncomingMessage["headers"], name: string) => headers[name],
};

/** Of a Host header: "shop.example:8080", "[::1]". */
const authority = /^([^:[\]]+|\[[^\]]+\])(?::(\d{1,5}))?$/;

function requestAttributes(request: IncomingMessage): Attributes {
  const { method = "", url = "/", headers, socket, httpVersion } = request;
  const mark = url.indexOf("?");
  const scheme = (socket as TLSSocket).encrypted ? "https" : "http";
  const [, host, port] = authority.exec(headers.host ?? "") ?? [];
  const forwarded = headers["x-forwarded-for"];
  const client = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(",")[0]?.trim();
  const known = methodOf(method);
  return {
    "http.request.method": known,
    "http.request.method_original": known === method ? undefined : method,
    "url.path": mark < 0 ? url : url.slice(0, mark),
    "url.query": mark < 0 ? undefined : redactedQuery(url.slice(mark + 1)),
    "url.scheme": scheme,
    "server.address": host,
    "server.port": port ? Number(port) : undefined,
    "client.address": client || socket.remoteAddress,
    "network.peer.address": socket.remoteAddress,
    "network.peer.port": socket.remotePort,
    "network.protocol.version": httpVersion,
    "user_agent.original": headers["user-agent"],
  };
}

/** As the app's framework, or an instrumentation of the app's own, knows it. */
function routeOf(request: IncomingMessage, context: Context): string | undefined {
  const { baseUrl = "", route } = request as IncomingMessage & Routed;
  const path = route?.path;
  if (typeof path === "string" || path instanceof RegExp) return `${baseUrl}${path}` || "/";
  return getRPCMetadata(context)?.route;
}
