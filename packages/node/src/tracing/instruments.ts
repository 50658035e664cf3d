/** What all instrumentations share: the tracer, the context, and words of the semantic conventions for HTTP. */
import type { Stopwatch } from "@flotilla/ambient";
import type { Attributes, TextMapPropagator } from "@opentelemetry/api";
import type { IdGenerator } from "@opentelemetry/sdk-trace-base";
import type { Contexts } from "./context.ts";
import type { LeanTracer } from "./lean-span.ts";
import type { SpanNames } from "./span-name.ts";

export interface Instruments {
  /** Attributes are set once the span is there: the SDK copies those that it starts with for its samplers, twice. */
  readonly tracer: Pick<LeanTracer, "startSpan">;
  readonly contexts: Contexts;
  readonly propagator: TextMapPropagator;
  readonly names: SpanNames;
  readonly ids: IdGenerator;
  readonly now: Stopwatch;
  /** Told of each request that was answered, in seconds; absent where nobody wants metrics. */
  readonly served?: (seconds: number, attributes: Attributes) => void;
}

/** Of RFC 9110, RFC 5789 and RFC 10008; anything else could be any text, so it counts as one. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"]);

export const methodOf = (method: string | undefined): string => (method && methods.has(method) ? method : "_OTHER");

/** The name of a span when nothing better is known: low in variety. */
export const nameOf = (method: string): string => (method === "_OTHER" ? "HTTP" : method);

export const portNumber = ({ port, protocol }: URL): number => Number(port) || (protocol === "https:" ? 443 : 80);

/** Keys whose values open doors. Source: semconv attributes registry, url.query. */
const secret = /(^|&)(AWSAccessKeyId|Signature|sig|X-Goog-Signature)=[^&]*/g;

export const redactedQuery = (query: string): string => query.replace(secret, "$1$2=REDACTED");

/** Without name and password, and without what opens doors. */
export function redactedUrl(url: URL): string {
  const { protocol, host, pathname, search, username, password } = url;
  const credentials = username || password ? "REDACTED:REDACTED@" : "";
  return `${protocol}//${credentials}${host}${pathname}${search && `?${redactedQuery(search.slice(1))}`}`;
}

/** `error.type` of a failure: the system's code, or the class. */
export const errorType = (error: unknown): string => {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === "string" ? code : typeof name === "string" && name ? name : "_OTHER";
};
