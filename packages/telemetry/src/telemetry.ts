/**
 * The one interface by which telemetry is asked: by the commands, the console, objectives and the judge of releases. What it
 * promises is in `telemetry.cases.ts`, which every implementation passes: the embedded store, the same over HTTP, and any server
 * with Prometheus' API (which has no traces and logs and says so).
 */
import type { LogRecord, Resource, Scope, TracesData } from "./otlp/types.ts";

export interface Telemetry {
  /** PromQL at one moment (ms since the epoch). A query with a mistake is a `QueryError`. */
  instant(query: string, at: number): Promise<QueryData>;
  /** PromQL from `from` to `to`, both included, every `step` ms. */
  range(query: string, span: Period & { readonly step: number }): Promise<QueryData>;
  /** Label sets of the series that match any of the selectors and have samples in the period. */
  series(selectors: readonly string[], period: Period): Promise<Labels[]>;
  /** Newest first. */
  traces(search: TraceSearch): Promise<TraceSummary[]>;
  /** All that is known of one trace; undefined: nothing. */
  trace(id: string): Promise<TracesData | undefined>;
  /** By time, oldest first; of more than `limit` the newest (with `after`, the oldest). */
  logs(search: LogSearch): Promise<FoundLog[]>;
}

/** Milliseconds since the epoch, both included. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

export type Labels = Readonly<Record<string, string>>;

/** Seconds since the epoch, and the value as text ("NaN", "+Inf"), as in Prometheus' HTTP API. */
export type Point = [number, string];

/** Prometheus' JSON of a native histogram: each bucket is [boundary rule, lower, upper, count]. */
export interface HistogramJson {
  count: string;
  sum: string;
  buckets?: [number, string, string, string][];
}

/** `data` of Prometheus' HTTP API. */
export type QueryData =
  | {
      resultType: "vector";
      result: { metric: Labels; value?: Point; histogram?: [number, HistogramJson] }[];
    }
  | {
      resultType: "matrix";
      result: { metric: Labels; values?: Point[]; histograms?: [number, HistogramJson][] }[];
    }
  | { resultType: "scalar"; result: Point }
  | { resultType: "string"; result: Point };

/** A mistake in a query, with its place: the message begins with `line:column: `, as Prometheus' parser says it. */
export class QueryError extends Error {
  /** Offsets into the query's text. */
  readonly start: number | undefined;
  readonly end: number | undefined;

  constructor(message: string, start?: number, end?: number) {
    super(message);
    this.start = start;
    this.end = end;
  }
}

/** The provider does not have this signal at all; the message says where it is. */
export class NotProvidedError extends Error {}

/** All parts must hold for one span of the trace. */
export interface TraceSearch {
  readonly from?: number;
  readonly to?: number;
  /** `service.name` of the resource. */
  readonly service?: string;
  /** The span's whole name. */
  readonly operation?: string;
  /** Milliseconds. */
  readonly minDuration?: number;
  readonly maxDuration?: number;
  readonly status?: "error" | "ok" | "unset";
  /** Attributes of the span or its resource; numbers and booleans by their text. */
  readonly attributes?: Labels;
  /** Of traces; 20 if not given. */
  readonly limit?: number;
}

export interface TraceSummary {
  readonly traceId: string;
  /** Of the span without a parent; of the earliest one as long as that has not come. */
  readonly service: string;
  readonly operation: string;
  /** The earliest span of anything else, where the one above is of what only carries requests: the gateway, the data plane. */
  readonly entry?: { readonly service: string; readonly operation: string };
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** Milliseconds, from the earliest start to the latest end. */
  readonly duration: number;
  readonly spans: number;
  readonly errors: number;
  /** Spans by service, in the order in which they begin to take part. */
  readonly services: Readonly<Record<string, number>>;
  /** How many traces it stands for, when others like it were thinned out; absent: itself alone. */
  readonly weight?: number;
}

/** All parts must hold. */
export interface LogSearch {
  readonly from?: number;
  readonly to?: number;
  /** `service.name` of the resource, any of them. */
  readonly services?: readonly string[];
  /** Attributes of the record or its resource, by their text; `k8s.pod.name`, `k8s.container.name`, ... */
  readonly attributes?: Labels;
  readonly traceId?: string;
  readonly spanId?: string;
  /** A regular expression (JavaScript's), looked for in the body's text. */
  readonly grep?: string;
  readonly ignoreCase?: boolean;
  /** Severity number, see LogRecord. */
  readonly minSeverity?: number;
  /** Marks: records that are events. One name, or "*" for any; absent: everything that is no event. */
  readonly event?: string;
  /** Only what came in after the record with this `id`. */
  readonly after?: string;
  /** 1000 if not given. */
  readonly limit?: number;
}

export interface FoundLog {
  /** Grows in the order in which records came in. */
  readonly id: string;
  readonly resource: Resource;
  readonly scope: Scope;
  readonly record: LogRecord;
  /** `schemaUrl` of what the record came in with, where it had one. */
  readonly resourceSchemaUrl?: string;
  readonly scopeSchemaUrl?: string;
}
