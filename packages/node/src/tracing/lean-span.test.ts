// Whatever is done to a lean span and to one of the SDK leaves the same to be sent.
import { systemRandom } from "@flotilla/ambient";
import {
  type Attributes,
  type Exception,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { suppressTracing, TraceState } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { describe, expect, test } from "vitest";
import { emptyContext } from "./context.ts";
import { idsFrom } from "./ids.ts";
import { LeanTracer, leanSpansDo } from "./lean-span.ts";

const resource = resourceFromAttributes({ "service.name": "shop" });
const sent: ReadableSpan[] = [];
const lean = new LeanTracer({
  resource,
  scope: { name: "flotilla" },
  ids: idsFrom(systemRandom),
  ended: (span) => sent.push(span),
});
const theirs = new BasicTracerProvider({ resource }).getTracer("flotilla");

const parent = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
  isRemote: true,
  traceState: new TraceState("vendor=1"),
};
const below = (flags: number) => trace.setSpanContext(emptyContext, { ...parent, traceFlags: flags });

const shown = (span: Span) => {
  const { name, kind, status, attributes, links, events, ended, startTime, endTime, ...rest } =
    span as unknown as ReadableSpan;
  const { parentSpanContext, droppedAttributesCount, droppedEventsCount, droppedLinksCount } =
    span as unknown as ReadableSpan;
  return {
    ...{ name, kind, status, attributes, links, events, ended, startTime, endTime, parentSpanContext },
    ...{ droppedAttributesCount, droppedEventsCount, droppedLinksCount },
    resource: rest.resource?.attributes ?? (span as unknown as ReadableSpan).resource.attributes,
    scope: (span as unknown as ReadableSpan).instrumentationScope.name,
  };
};

const many = Array.from({ length: 130 }, (_, at) => at);
const wrong = (value: unknown) => value as Attributes;

const cases: Record<string, (span: Span) => unknown> = {
  nothing: () => {},
  attributes: (it) =>
    it.setAttributes({ text: "a", number: 1, flag: false, list: ["a", "b"] }).setAttribute("text", "b"),
  "what is no attribute": (it) => it.setAttributes(wrong({ mixed: [1, "a"], nothing: null, gone: undefined, "": 1 })),
  "too many attributes": (it) => many.map((at) => it.setAttribute(`key ${at}`, at)),
  events: (it) => it.addEvent("a", { key: 1 }, [5, 6]).addEvent("b", [7, 8]),
  "too many events": (it) => many.map((at) => it.addEvent(`event ${at}`, [at, 0])),
  links: (it) => it.addLink({ context: parent }).addLinks([{ context: parent, attributes: { key: 1 } }] as Link[]),
  "too many links": (it) => many.map((at) => it.addLink({ context: parent, attributes: { at } })),
  "an error's message": (it) => it.setStatus({ code: SpanStatusCode.ERROR, message: "out of stock" }),
  "OK has none": (it) => it.setStatus({ code: SpanStatusCode.OK, message: "fine" }),
  "OK is the last word": (it) => it.setStatus({ code: SpanStatusCode.OK }).setStatus({ code: SpanStatusCode.ERROR }),
  "a status is not taken back": (it) =>
    it.setStatus({ code: SpanStatusCode.ERROR }).setStatus({ code: SpanStatusCode.UNSET }),
  "an exception": (it) => it.recordException({ name: "Error", message: "oh", stack: "at" }, [1, 2]),
  "an exception of the system": (it) =>
    it.recordException({ name: "Error", code: "ECONNRESET", message: "oh" }, [1, 2]),
  "an exception in words": (it) => it.recordException("oh", [1, 2]),
  "an exception without a stack": (it) => it.recordException({ name: "Error" } as Exception, [1, 2]),
  "another name": (it) => it.updateName("other"),
  "a time before the start": (it) => it.end([1_799_999_999, 0]),
  "nothing changes after the end": (it) => {
    it.end([1_800_000_002, 1]);
    it.setAttribute("late", 1)
      .addEvent("late")
      .updateName("late")
      .setStatus({ code: SpanStatusCode.ERROR })
      .addLink({ context: parent });
  },
};

describe("the same as the SDK's", () => {
  test.each(Object.entries(cases))("%s", (_, change) => {
    const [ours, other] = [lean, theirs].map((tracer) => {
      const options = {
        kind: SpanKind.SERVER,
        attributes: { first: 1 },
        startTime: [1_800_000_000, 5] as [number, number],
      };
      const span = tracer.startSpan("GET /", options, below(1));
      change(span);
      span.end([1_800_000_001, 1]);
      return shown(span);
    });
    expect(ours).toEqual(other);
  });
});

describe("what is sampled", () => {
  test("all that has no parent", () => expect(lean.startSpan("a", {}, emptyContext).isRecording()).toBe(true));
  test("what the parent says", () => expect(lean.startSpan("a", {}, below(1)).isRecording()).toBe(true));
  test("not what the parent does not want", () => expect(lean.startSpan("a", {}, below(0)).isRecording()).toBe(false));
  test("but its trace goes on", () => {
    const { traceId, spanId, traceFlags } = lean.startSpan("a", {}, below(0)).spanContext();
    expect([traceId, spanId === parent.spanId, traceFlags]).toEqual([parent.traceId, false, 0]);
  });
  test("nothing where tracing is suppressed", () =>
    expect(lean.startSpan("a", {}, suppressTracing(below(1))).isRecording()).toBe(false));
});

test("the trace's state goes on", () =>
  expect(lean.startSpan("a", {}, below(1)).spanContext().traceState?.serialize()).toBe("vendor=1"));

test("it is sent once", () => {
  sent.length = 0;
  const span = lean.startSpan("a", {}, emptyContext);
  span.end();
  span.end();
  expect(sent).toEqual([span]);
});

describe("the SDK's spans are asked for by", () => {
  test.each(["OTEL_TRACES_SAMPLER", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"])(
    "%s",
    (name) => expect(leanSpansDo({ [name]: "1" })).toBe(false),
  );
  test("nothing else", () => expect(leanSpansDo({ OTEL_SERVICE_NAME: "a", OTEL_TRACES_SAMPLER: "" })).toBe(true));
});
