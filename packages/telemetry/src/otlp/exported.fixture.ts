/** Telemetry in the form of JavaScript's SDK, and, written by hand, what OTLP has for it. */
import type { HrTime, Link, SpanContext } from "@opentelemetry/api";
import { SpanKind, SpanStatusCode, TraceFlags, ValueType } from "@opentelemetry/api";
import type { AnyValueMap } from "@opentelemetry/api-logs";
import { TraceState } from "@opentelemetry/core";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { AggregationTemporality, DataPointType, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { AnyValue, KeyValue, LogsData, MetricsData, Resource as OtlpResource, TracesData } from "./types.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const start: HrTime = [1_763_740_000, 123_456_789];
const end: HrTime = [1_763_740_001, 5];
/** Milliseconds since the epoch, of everything. */
export const sentAt = 1_763_740_001_000;
const startNano = "1763740000123456789";
const endNano = "1763740001000000005";

/** Every type that attributes of spans and metrics may have. */
const attributes = {
  text: "plain",
  empty: "",
  unicode: "Grüße, 世界 🚢 \u0000 \u{10ffff}",
  long: "x".repeat(70_000),
  yes: true,
  no: false,
  zero: 0,
  negative: -42,
  "largest safe": Number.MAX_SAFE_INTEGER,
  "beyond safe": 2 ** 53,
  "beyond 64 bits": 1e300,
  fraction: -0.1,
  texts: ["a", "", "b"],
  numbers: [1, -2],
  booleans: [true, false],
  none: [],
};
const otlpAttributes: KeyValue[] = [
  { key: "text", value: { stringValue: "plain" } },
  { key: "empty", value: { stringValue: "" } },
  { key: "unicode", value: { stringValue: "Grüße, 世界 🚢 \u0000 \u{10ffff}" } },
  { key: "long", value: { stringValue: "x".repeat(70_000) } },
  { key: "yes", value: { boolValue: true } },
  { key: "no", value: { boolValue: false } },
  { key: "zero", value: { intValue: "0" } },
  { key: "negative", value: { intValue: "-42" } },
  { key: "largest safe", value: { intValue: "9007199254740991" } },
  { key: "beyond safe", value: { intValue: "9007199254740992" } },
  { key: "beyond 64 bits", value: { doubleValue: 1e300 } },
  { key: "fraction", value: { doubleValue: -0.1 } },
  { key: "texts", value: list({ stringValue: "a" }, { stringValue: "" }, { stringValue: "b" }) },
  { key: "numbers", value: list({ intValue: "1" }, { intValue: "-2" }) },
  { key: "booleans", value: list({ boolValue: true }, { boolValue: false }) },
  { key: "none", value: { arrayValue: {} } },
];

function list(...values: AnyValue[]): AnyValue {
  return { arrayValue: { values } };
}

const resource = resourceFromAttributes({ "service.name": "orders", "service.version": "1.2.3", "process.pid": 7 });
const otlpResource: OtlpResource = {
  attributes: [
    { key: "service.name", value: { stringValue: "orders" } },
    { key: "service.version", value: { stringValue: "1.2.3" } },
    { key: "process.pid", value: { intValue: "7" } },
  ],
};

const scope = { name: "scope", version: "0.1", schemaUrl: "https://example.org/schema" };
const otlpScope = { name: "scope", version: "0.1" };

const context = (spanId: string, isRemote = false): SpanContext => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
  traceState: new TraceState("a=1,b=2"),
  isRemote,
});
const linked: Link = {
  context: context("00f067aa0ba902b9", true),
  attributes: { why: "batch" },
  droppedAttributesCount: 4,
};

export const spans: ReadableSpan[] = [
  spanOf({
    name: "GET /orders/{id}",
    kind: SpanKind.SERVER,
    parentSpanContext: context("00f067aa0ba902b8", true),
    status: { code: SpanStatusCode.ERROR, message: "täglich" },
    attributes,
    links: [linked],
    events: [
      { time: end, name: "exception", attributes: { "exception.message": "no" }, droppedAttributesCount: 5 },
      { time: start, name: "empty" },
    ],
    droppedAttributesCount: 1,
    droppedEventsCount: 2,
    droppedLinksCount: 3,
  }),
  spanOf({ name: "", spanContext: () => context("00f067aa0ba902ba") }),
];

function spanOf(span: Partial<ReadableSpan>): ReadableSpan {
  return {
    name: "",
    kind: SpanKind.INTERNAL,
    spanContext: () => context("00f067aa0ba902b7"),
    startTime: start,
    endTime: end,
    status: { code: SpanStatusCode.UNSET },
    attributes: {},
    links: [],
    events: [],
    duration: [0, 876_543_216],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...span,
  };
}

/** Bits of `flags`: sampled; whether the parent is remote is known; it is. */
const sampledLocal = 0x101;
const sampledRemote = 0x301;

export const otlpSpans: TracesData = {
  resourceSpans: [
    {
      resource: otlpResource,
      scopeSpans: [
        {
          scope: otlpScope,
          schemaUrl: "https://example.org/schema",
          spans: [
            {
              traceId,
              spanId: "00f067aa0ba902b7",
              traceState: "a=1,b=2",
              parentSpanId: "00f067aa0ba902b8",
              flags: sampledRemote,
              name: "GET /orders/{id}",
              kind: 2,
              startTimeUnixNano: startNano,
              endTimeUnixNano: endNano,
              attributes: otlpAttributes,
              droppedAttributesCount: 1,
              events: [
                {
                  timeUnixNano: endNano,
                  name: "exception",
                  attributes: [{ key: "exception.message", value: { stringValue: "no" } }],
                  droppedAttributesCount: 5,
                },
                { timeUnixNano: startNano, name: "empty" },
              ],
              droppedEventsCount: 2,
              links: [
                {
                  traceId,
                  spanId: "00f067aa0ba902b9",
                  traceState: "a=1,b=2",
                  attributes: [{ key: "why", value: { stringValue: "batch" } }],
                  droppedAttributesCount: 4,
                  flags: sampledRemote,
                },
              ],
              droppedLinksCount: 3,
              status: { code: 2, message: "täglich" },
            },
            {
              traceId,
              spanId: "00f067aa0ba902ba",
              traceState: "a=1,b=2",
              flags: sampledLocal,
              kind: 1,
              startTimeUnixNano: startNano,
              endTimeUnixNano: endNano,
              status: {},
            },
          ],
        },
      ],
    },
  ],
};

/** Logs may nest, and have bytes. */
const nested: AnyValueMap = { a: { b: [1, "x", null, { c: new Uint8Array([0, 255]) }] }, nothing: undefined };
const otlpNested: KeyValue[] = [
  {
    key: "a",
    value: {
      kvlistValue: {
        values: [
          {
            key: "b",
            value: list(
              { intValue: "1" },
              { stringValue: "x" },
              {},
              { kvlistValue: { values: [{ key: "c", value: { bytesValue: "AP8=" } }] } },
            ),
          },
        ],
      },
    },
  },
  { key: "nothing", value: {} },
];

export const logs: ReadableLogRecord[] = [
  logOf({
    severityNumber: 17,
    severityText: "ERROR",
    body: "payment refused 🚫",
    spanContext: context("00f067aa0ba902b7"),
    attributes: { ...attributes, ...nested },
    droppedAttributesCount: 9,
  }),
  logOf({ eventName: "order.placed", body: nested }),
];

function logOf(record: Partial<ReadableLogRecord>): ReadableLogRecord {
  return {
    hrTime: start,
    hrTimeObserved: end,
    resource,
    instrumentationScope: scope,
    attributes: {},
    droppedAttributesCount: 0,
    ...record,
  };
}

export const otlpLogs: LogsData = {
  resourceLogs: [
    {
      resource: otlpResource,
      scopeLogs: [
        {
          scope: otlpScope,
          schemaUrl: "https://example.org/schema",
          logRecords: [
            {
              timeUnixNano: startNano,
              observedTimeUnixNano: endNano,
              severityNumber: 17,
              severityText: "ERROR",
              body: { stringValue: "payment refused 🚫" },
              attributes: [...otlpAttributes, ...otlpNested],
              droppedAttributesCount: 9,
              flags: 1,
              traceId,
              spanId: "00f067aa0ba902b7",
            },
            {
              timeUnixNano: startNano,
              observedTimeUnixNano: endNano,
              body: { kvlistValue: { values: otlpNested } },
              eventName: "order.placed",
            },
          ],
        },
      ],
    },
  ],
};

// Metrics have no texts of this length, which would be labels.
const { long: _, ...labels } = attributes;
const otlpLabels = otlpAttributes.filter(({ key }) => key !== "long");
const point = <T>(value: T, nth = 0) => ({ startTime: start, endTime: end, attributes: { ...labels, nth }, value });
const otlpPoint = (nth = 0) => ({
  startTimeUnixNano: startNano,
  timeUnixNano: endNano,
  attributes: [...otlpLabels, { key: "nth", value: { intValue: String(nth) } }],
});
const descriptor = (name: string, valueType: ValueType) => ({
  name,
  description: `${name} of it`,
  unit: "By",
  valueType,
});
const otlpDescriptor = (name: string) => ({ name, description: `${name} of it`, unit: "By" });
const { CUMULATIVE, DELTA } = AggregationTemporality;

export const metrics: ResourceMetrics = {
  resource: resource as Resource,
  scopeMetrics: [
    {
      scope,
      metrics: [
        {
          descriptor: descriptor("requests", ValueType.INT),
          aggregationTemporality: CUMULATIVE,
          dataPointType: DataPointType.SUM,
          isMonotonic: true,
          dataPoints: [7, 0, 2 ** 53 - 1].map(point),
        },
        {
          descriptor: descriptor("bytes", ValueType.DOUBLE),
          aggregationTemporality: DELTA,
          dataPointType: DataPointType.SUM,
          isMonotonic: false,
          dataPoints: [point(-0.5)],
        },
        {
          descriptor: descriptor("level", ValueType.DOUBLE),
          aggregationTemporality: CUMULATIVE,
          dataPointType: DataPointType.GAUGE,
          dataPoints: [0, 1e-300].map(point),
        },
        {
          descriptor: descriptor("duration", ValueType.DOUBLE),
          aggregationTemporality: CUMULATIVE,
          dataPointType: DataPointType.HISTOGRAM,
          dataPoints: [
            point({ buckets: { boundaries: [0.5, 1], counts: [2, 0, 3] }, sum: 9.25, count: 5, min: 0, max: 4.5 }),
          ],
        },
        {
          descriptor: descriptor("size", ValueType.DOUBLE),
          aggregationTemporality: DELTA,
          dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
          dataPoints: [
            point({
              count: 10,
              sum: 0,
              scale: -3,
              zeroCount: 1,
              positive: { offset: -5, bucketCounts: [1, 0, 300] },
              negative: { offset: 100, bucketCounts: [4] },
              min: -1,
              max: 1,
            }),
          ],
        },
      ],
    },
  ],
};

export const otlpMetrics: MetricsData = {
  resourceMetrics: [
    {
      resource: otlpResource,
      scopeMetrics: [
        {
          scope: otlpScope,
          schemaUrl: "https://example.org/schema",
          metrics: [
            {
              ...otlpDescriptor("requests"),
              sum: {
                aggregationTemporality: 2,
                isMonotonic: true,
                dataPoints: ["7", "0", "9007199254740991"].map((asInt, nth) => ({ ...otlpPoint(nth), asInt })),
              },
            },
            {
              ...otlpDescriptor("bytes"),
              sum: { aggregationTemporality: 1, dataPoints: [{ ...otlpPoint(), asDouble: -0.5 }] },
            },
            {
              ...otlpDescriptor("level"),
              gauge: { dataPoints: [0, 1e-300].map((asDouble, nth) => ({ ...otlpPoint(nth), asDouble })) },
            },
            {
              ...otlpDescriptor("duration"),
              histogram: {
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    ...otlpPoint(),
                    count: "5",
                    sum: 9.25,
                    min: 0,
                    max: 4.5,
                    bucketCounts: ["2", "0", "3"],
                    explicitBounds: [0.5, 1],
                  },
                ],
              },
            },
            {
              ...otlpDescriptor("size"),
              exponentialHistogram: {
                aggregationTemporality: 1,
                dataPoints: [
                  {
                    ...otlpPoint(),
                    count: "10",
                    sum: 0,
                    min: -1,
                    max: 1,
                    scale: -3,
                    zeroCount: "1",
                    positive: { offset: -5, bucketCounts: ["1", "0", "300"] },
                    negative: { offset: 100, bucketCounts: ["4"] },
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
};
