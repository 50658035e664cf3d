/** The span of a request that is over. Pure. */
import type { IncomingMessage } from "node:http";
import type { TablePod } from "../table.ts";
import type { Upstream, UpstreamEndpoint } from "../upstream.ts";
import type { Attributes } from "./otlp.ts";
import type { Passage, Place } from "./passage.ts";
import { type SpanEvent, type SpanRecord, type SpanShape, spanKind, spanShape } from "./span-encoder.ts";

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

/** What requests of one sort have in common. */
export interface Sort extends Outcome {
  readonly place: Place;
  readonly failed: boolean;
  readonly caller: string;
  readonly client: string | undefined;
  readonly method: string;
  readonly host: string;
  readonly endpoint: UpstreamEndpoint | undefined;
  readonly pod: TablePod | undefined;
}

/** Of a name that can be resolved. Source: RFC 1035, 2.3.4. */
const longestHost = 255;

/** Source of names: OpenTelemetry semantic conventions, HTTP; what these have no name for is flotilla's. */
export function shapeOf(sort: Sort): SpanShape {
  const { place, caller, client, method, host, upstream, endpoint, pod, route, pattern, status } = sort;
  const subject = place === "gateway" ? pattern : (upstream?.name ?? "");
  return spanShape(subject ? `${method} ${subject}` : method, spanKind[place === "gateway" ? "server" : "client"], {
    "http.request.method": method,
    "http.response.status_code": status,
    "http.route": pattern || undefined,
    "server.address": host.slice(0, longestHost).replace(/:\d+$/, "") || undefined,
    "peer.service": upstream?.name,
    "k8s.namespace.name": upstream?.namespace,
    "k8s.pod.name": pod?.name,
    "network.peer.address": pod ? undefined : endpoint?.address,
    "service.version": pod?.version || undefined,
    "client.address": place === "gateway" ? client : undefined,
    "flotilla.caller": caller || undefined,
    "flotilla.route": route || undefined,
  });
}

/** Longer paths are cut: they are one request's, and nobody's to read. */
const longestPath = 512;
const noEvents: readonly SpanEvent[] = [];

/** `ended`: as the stopwatch reads; `toEpoch`: what makes such a reading the time of day. */
export function spanOf(
  passage: Passage,
  target: string,
  shape: SpanShape,
  { status, failed, ended, toEpoch }: { status: number | undefined; failed: boolean; ended: number; toEpoch: number },
): SpanRecord {
  const { trace, begun, waited, connectTime, answered, failures } = passage;
  const attributes: Record<string, string | number> = { "url.path": pathOf(target) };
  if (answered !== undefined) attributes["flotilla.upstream.first_byte"] = (answered - begun) / 1000;
  if (waited >= 1) attributes["flotilla.endpoint.wait"] = waited / 1000;
  if (connectTime !== undefined) attributes["flotilla.upstream.connect"] = connectTime / 1000;
  if (failures) attributes["http.request.resend_count"] = failures.length;
  if (failed) attributes["error.type"] = errorType(passage, status);
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    tracestate: trace.tracestate,
    shape,
    start: begun + toEpoch,
    end: ended + toEpoch,
    attributes,
    events: failures ? eventsOf(failures, toEpoch) : noEvents,
    error: failed ? (failures?.at(-1)?.error.message ?? "") : undefined,
  };
}

const eventsOf = (failures: NonNullable<Passage["failures"]>, toEpoch: number): SpanEvent[] =>
  failures.map(({ at, endpoint: { address, port }, kind, error }) => ({
    at: at + toEpoch,
    name: "try failed",
    attributes: {
      "network.peer.address": address,
      "network.peer.port": port,
      "flotilla.try.outcome": kind,
      "error.type": codeOf(error),
      "exception.message": error.message,
    } satisfies Attributes,
  }));

function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return target.slice(0, mark < 0 ? longestPath : Math.min(mark, longestPath));
}

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;

/** Of an answer its code; else why there was none. */
function errorType({ broken, answered, failures }: Passage, status: number | undefined): string {
  if (broken) return "broken_off";
  const last = failures?.at(-1);
  return answered === undefined && last ? codeOf(last.error) : String(status ?? "_OTHER");
}
