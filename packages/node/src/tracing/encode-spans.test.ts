// What we write is, byte for byte, what the SDK writes.
import { type Attributes, type Span, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { TraceState } from "@opentelemetry/core";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { expect, test } from "vitest";
import { emptyContext } from "./context.ts";
import { encodeSpans } from "./encode-spans.ts";

const provider = new BasicTracerProvider({ resource: resourceFromAttributes({ "service.name": "shop" }) });
const tracer = provider.getTracer("flotilla", "1.2.3", { schemaUrl: "https://example.org/schema" });

function span(attributes: Attributes, more: (span: Span) => void = () => {}, by = tracer): ReadableSpan {
  const made = by.startSpan("GET /orders/{id}", {
    kind: SpanKind.SERVER,
    attributes,
    startTime: [1_800_000_000, 999_999_999],
  });
  more(made);
  made.end([1_800_000_001, 1]);
  return made as unknown as ReadableSpan;
}

const linked = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
  traceState: new TraceState("vendor=1"),
};

const cases: Record<string, () => ReadableSpan[]> = {
  none: () => [],
  "without attributes": () => [span({})],
  texts: () => [span({ empty: "", ascii: "a".repeat(63), long: "b".repeat(64), longer: "c".repeat(20_000) })],
  "texts that are not ASCII": () => [span({ short: "Grüße, 世界 🚢", long: "ü".repeat(300), half: "\ud83d" })],
  numbers: () => [
    span({
      zero: 0,
      one: 1,
      port: 65_535,
      int32: 2 ** 31,
      large: 2 ** 53 - 1,
      larger: 2 ** 62,
      minus: -1,
      least: -(2 ** 53) + 1,
    }),
  ],
  "numbers with a point": () => [span({ half: 0.5, tiny: 5e-324, infinite: Number.POSITIVE_INFINITY })],
  "yes and no": () => [span({ yes: true, no: false })],
  lists: () => [span({ texts: ["a", "ü"], numbers: [1, 2.5, -3], flags: [true], gaps: ["a", null], nothing: [] })],
  "many attributes": () => [span(Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`key.${at}`, at])))],
  events: () => [span({}, (it) => it.addEvent("e", { key: "value" }, [1, 2]).addEvent("f", [3, 4]))],
  errors: () => [span({}, (it) => it.recordException(new Error("out of stock"), [5, 6]))],
  statuses: () => [
    span({}, (it) => it.setStatus({ code: SpanStatusCode.OK })),
    span({}, (it) => it.setStatus({ code: SpanStatusCode.ERROR, message: "out of stock" })),
  ],
  links: () => [span({}, (it) => it.addLink({ context: linked, attributes: { key: 1 } }))],
  "a parent from elsewhere": () => {
    const ofTracer = tracer.startSpan("child", {}, emptyContext);
    ofTracer.end();
    return [Object.assign(ofTracer as unknown as ReadableSpan, { parentSpanContext: linked })];
  },
  "several scopes": () => [span({}), span({ other: 1 }, undefined, provider.getTracer("other")), span({ last: 1 })],
  "more than a batch": () => Array.from({ length: 2000 }, (_, at) => span({ at, text: "x".repeat(at % 200) })),
};

test.each(Object.entries(cases))("%s", (_, spans) => {
  const given = spans();
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
  expect(hex(encodeSpans(given))).toBe(hex(ProtobufTraceSerializer.serializeRequest(given)));
});
