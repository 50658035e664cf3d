/** The span of a request that is over. Pure. */
import type { IncomingMessage } from "node:http";
import type { TablePod } from "../table.ts";
import type { Upstream } from "../upstream.ts";
import type { Attributes } from "./otlp.ts";
import type { Passage } from "./passage.ts";
import { type SpanRecord, spanKind } from "./span-encoder.ts";

export interface Outcome {
  readonly upstream: Upstream | undefined;
  /** "namespace/name" of the HTTPRoute; "" at a Service's own address. */
  readonly route: string;
  /** The path of the rule that the request matched; "" at a Service's own address. */
  readonly pattern: string;
  /** What the client got; undefined: it left before. */
  readonly status: number | undefined;
}

/** Source: OpenTelemetry semantic conventions, http.request.method. */
const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY"]);

export const methodOf = ({ method = "" }: IncomingMessage): string => (knownMethods.has(method) ? method : "_OTHER");

export interface Known {
  readonly caller: string;
  readonly pod: TablePod | undefined;
  readonly failed: boolean;
}

export interface Times {
  readonly begun: number;
  readonly ended: number;
  readonly toEpoch: number;
}

/** Longer paths are cut: they are one request's, and nobody's to read. */
const longestPath = 512;

/** Source of names: OpenTelemetry semantic conventions, HTTP; what these have no name for is flotilla's. */
export function spanOf(
  passage: Passage,
  request: IncomingMessage,
  { upstream, route, pattern, status }: Outcome,
  { caller, pod, failed }: Known,
  { begun, ended, toEpoch }: Times,
): SpanRecord {
  const { place, trace, endpoint, waited, connectTime, answered, failures } = passage;
  const method = methodOf(request);
  const { host = "" } = request.headers;
  const lastFailure = failures?.at(-1);
  const subject = place === "gateway" ? pattern : (upstream?.name ?? "");
  const attributes: Attributes = {
    "http.request.method": method,
    "url.path": pathOf(request.url ?? ""),
    "http.response.status_code": status,
    "http.route": pattern || undefined,
    "server.address": host.replace(/:\d+$/, "") || undefined,
    "peer.service": upstream?.name,
    "k8s.namespace.name": upstream?.namespace,
    "k8s.pod.name": pod?.name,
    "network.peer.address": pod ? undefined : endpoint?.address,
    "service.version": pod?.version || undefined,
    "client.address": place === "gateway" ? request.socket.remoteAddress : undefined,
    "flotilla.caller": caller || undefined,
    "flotilla.route": route || undefined,
    "flotilla.endpoint.wait": waited >= 1 ? waited / 1000 : undefined,
    "flotilla.upstream.connect": connectTime === undefined ? undefined : connectTime / 1000,
    "flotilla.upstream.first_byte": answered === undefined ? undefined : (answered - begun) / 1000,
    "http.request.resend_count": failures?.length,
    "error.type": failed ? errorType(passage, status) : undefined,
  };
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    tracestate: trace.tracestate,
    name: subject ? `${method} ${subject}` : method,
    kind: place === "gateway" ? spanKind.server : spanKind.client,
    start: begun + toEpoch,
    end: ended + toEpoch,
    attributes,
    events: (failures ?? []).map(({ at, endpoint: { address, port }, kind, error }) => ({
      at: at + toEpoch,
      name: "try failed",
      attributes: {
        "network.peer.address": address,
        "network.peer.port": port,
        "flotilla.try.outcome": kind,
        "error.type": codeOf(error),
        "exception.message": error.message,
      },
    })),
    error: failed ? (lastFailure?.error.message ?? "") : undefined,
  };
}

const pathOf = (target: string): string => {
  const mark = target.indexOf("?");
  return target.slice(0, mark < 0 ? longestPath : Math.min(mark, longestPath));
};

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;

/** Of an answer its code; else why there was none. */
function errorType({ broken, answered, failures }: Passage, status: number | undefined): string {
  if (broken) return "broken_off";
  const last = failures?.at(-1);
  return answered === undefined && last ? codeOf(last.error) : String(status ?? "_OTHER");
}
