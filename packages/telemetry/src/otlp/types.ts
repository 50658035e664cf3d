/**
 * OTLP's messages in the form of OTLP/JSON: ids are lower-case hex, 64-bit integers decimal text, bytes base64, enums numbers.
 * One form everywhere: what is decoded, searched, answered and printed. Unset fields are absent, as in proto3.
 *
 * Source: opentelemetry-proto 1.x, opentelemetry/proto/{common,resource,trace,logs,metrics}/v1.
 */

export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  /** Decimal text of a signed 64-bit integer. */
  intValue?: string;
  /** NaN and the infinities are numbers here; in JSON text they are "NaN", "Infinity", "-Infinity". */
  doubleValue?: number;
  arrayValue?: { values?: AnyValue[] };
  kvlistValue?: { values?: KeyValue[] };
  bytesValue?: string;
}

export interface KeyValue {
  key: string;
  value?: AnyValue;
}

export interface EntityRef {
  schemaUrl?: string;
  type?: string;
  /** Keys of the resource's attributes. */
  idKeys?: string[];
  descriptionKeys?: string[];
}

export interface Resource {
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  entityRefs?: EntityRef[];
}

export interface Scope {
  name?: string;
  version?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

export interface SpanEvent {
  timeUnixNano?: string;
  name?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

export interface SpanLink {
  traceId?: string;
  spanId?: string;
  traceState?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  flags?: number;
}

/** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
export type SpanKind = 0 | 1 | 2 | 3 | 4 | 5;

export interface Span {
  traceId: string;
  spanId: string;
  traceState?: string;
  parentSpanId?: string;
  flags?: number;
  name?: string;
  kind?: SpanKind;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  events?: SpanEvent[];
  droppedEventsCount?: number;
  links?: SpanLink[];
  droppedLinksCount?: number;
  /** code: 0 unset, 1 ok, 2 error. */
  status?: { message?: string; code?: number };
}

export interface ScopeSpans {
  scope?: Scope;
  spans?: Span[];
  schemaUrl?: string;
}

export interface ResourceSpans {
  resource?: Resource;
  scopeSpans?: ScopeSpans[];
  schemaUrl?: string;
}

/** Also an ExportTraceServiceRequest: on the wire they are the same. */
export interface TracesData {
  resourceSpans?: ResourceSpans[];
}

export interface LogRecord {
  timeUnixNano?: string;
  observedTimeUnixNano?: string;
  /** 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal. */
  severityNumber?: number;
  severityText?: string;
  body?: AnyValue;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  flags?: number;
  traceId?: string;
  spanId?: string;
  eventName?: string;
}

export interface ScopeLogs {
  scope?: Scope;
  logRecords?: LogRecord[];
  schemaUrl?: string;
}

export interface ResourceLogs {
  resource?: Resource;
  scopeLogs?: ScopeLogs[];
  schemaUrl?: string;
}

export interface LogsData {
  resourceLogs?: ResourceLogs[];
}

export interface Exemplar {
  filteredAttributes?: KeyValue[];
  timeUnixNano?: string;
  asDouble?: number;
  asInt?: string;
  spanId?: string;
  traceId?: string;
}

interface DataPoint {
  attributes?: KeyValue[];
  startTimeUnixNano?: string;
  timeUnixNano?: string;
  /** 1: no recorded value, Prometheus' staleness marker. */
  flags?: number;
}

export interface NumberDataPoint extends DataPoint {
  asDouble?: number;
  asInt?: string;
  exemplars?: Exemplar[];
}

export interface HistogramDataPoint extends DataPoint {
  count?: string;
  sum?: number;
  bucketCounts?: string[];
  explicitBounds?: number[];
  exemplars?: Exemplar[];
  min?: number;
  max?: number;
}

export interface Buckets {
  offset?: number;
  bucketCounts?: string[];
}

export interface ExponentialHistogramDataPoint extends DataPoint {
  count?: string;
  sum?: number;
  /** Bucket i holds (base^i, base^(i+1)] with base 2^(2^-scale). */
  scale?: number;
  zeroCount?: string;
  positive?: Buckets;
  negative?: Buckets;
  exemplars?: Exemplar[];
  min?: number;
  max?: number;
  zeroThreshold?: number;
}

export interface SummaryDataPoint extends DataPoint {
  count?: string;
  sum?: number;
  quantileValues?: { quantile?: number; value?: number }[];
}

/** 1 delta, 2 cumulative. */
export type Temporality = 0 | 1 | 2;

export interface Metric {
  name: string;
  description?: string;
  unit?: string;
  gauge?: { dataPoints?: NumberDataPoint[] };
  sum?: { dataPoints?: NumberDataPoint[]; aggregationTemporality?: Temporality; isMonotonic?: boolean };
  histogram?: { dataPoints?: HistogramDataPoint[]; aggregationTemporality?: Temporality };
  exponentialHistogram?: { dataPoints?: ExponentialHistogramDataPoint[]; aggregationTemporality?: Temporality };
  summary?: { dataPoints?: SummaryDataPoint[] };
  metadata?: KeyValue[];
}

export interface ScopeMetrics {
  scope?: Scope;
  metrics?: Metric[];
  schemaUrl?: string;
}

export interface ResourceMetrics {
  resource?: Resource;
  scopeMetrics?: ScopeMetrics[];
  schemaUrl?: string;
}

export interface MetricsData {
  resourceMetrics?: ResourceMetrics[];
}
