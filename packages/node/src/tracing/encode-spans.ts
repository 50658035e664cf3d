/**
 * Spans as a request of OTLP in protobuf, written in one pass. The SDK's serializer goes over everything twice, first for the sizes.
 *
 * Source: opentelemetry-proto, trace/v1/trace.proto and common/v1/common.proto; the numbers below are those of its fields.
 */
import type { Attributes, AttributeValue, HrTime, Link, SpanContext } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** Bytes that the length of a message takes, guessed; a wrong guess costs a move. */
const small = 1;
const medium = 2;
const large = 3;

/** Source: trace.proto, SpanFlags. */
const knowsParent = 0x100;
const parentIsRemote = 0x200;

/** One for all requests: it has grown to the size that they need. */
const writer = new ProtobufWriter();

export function encodeSpans(spans: readonly ReadableSpan[]): Uint8Array {
  writer.clear();
  for (const ofResource of groupsOf(spans, ({ resource }) => resource)) {
    const resourceSpans = writer.open(1, large);
    const { attributes, schemaUrl } = (ofResource[0] as ReadableSpan).resource;
    const resource = writer.open(1, medium);
    writeAttributes(1, attributes);
    writer.varint(2, 0);
    writer.close(resource, medium);
    for (const ofScope of groupsOf(ofResource, ({ instrumentationScope }) => instrumentationScope)) writeScope(ofScope);
    if (schemaUrl) writer.text(3, schemaUrl);
    writer.close(resourceSpans, large);
  }
  return writer.bytes();
}

/** Those with the same key, in the order in which they come. */
function groupsOf(spans: readonly ReadableSpan[], key: (span: ReadableSpan) => object): Iterable<ReadableSpan[]> {
  const groups = new Map<object, ReadableSpan[]>();
  for (const span of spans) {
    const group = groups.get(key(span));
    if (group) group.push(span);
    else groups.set(key(span), [span]);
  }
  return groups.values();
}

function writeScope(spans: readonly ReadableSpan[]): void {
  const scopeSpans = writer.open(2, large);
  const { name, version, schemaUrl } = (spans[0] as ReadableSpan).instrumentationScope;
  const scope = writer.open(1, small);
  writer.text(1, name);
  if (version) writer.text(2, version);
  writer.close(scope, small);
  for (const span of spans) writeSpan(span);
  if (schemaUrl) writer.text(3, schemaUrl);
  writer.close(scopeSpans, large);
}

function writeSpan(span: ReadableSpan): void {
  const { parentSpanContext: parent, status } = span;
  const context = span.spanContext();
  const start = writer.open(2, medium);
  writeIds(context);
  if (parent?.spanId) writer.hex(4, parent.spanId);
  writer.text(5, span.name);
  writer.varint(6, span.kind + 1);
  writeTime(7, span.startTime);
  writeTime(8, span.endTime);
  writeAttributes(9, span.attributes);
  writer.varint(10, span.droppedAttributesCount);
  for (const { time, name, attributes, droppedAttributesCount = 0 } of span.events) {
    const event = writer.open(11, medium);
    writeTime(1, time);
    writer.text(2, name);
    if (attributes) writeAttributes(3, attributes);
    writer.varint(4, droppedAttributesCount);
    writer.close(event, medium);
  }
  writer.varint(12, span.droppedEventsCount);
  for (const link of span.links) writeLink(link);
  writer.varint(14, span.droppedLinksCount);
  const ofStatus = writer.open(15, small);
  if (status.message) writer.text(2, status.message);
  writer.varint(3, status.code);
  writer.close(ofStatus, small);
  writer.fixed32(16, flagsOf(context, parent?.isRemote));
  writer.close(start, medium);
}

function writeLink({ context, attributes, droppedAttributesCount = 0 }: Link & { droppedAttributesCount?: number }) {
  const link = writer.open(13, medium);
  writeIds(context);
  if (attributes) writeAttributes(4, attributes);
  writer.varint(5, droppedAttributesCount);
  writer.fixed32(6, flagsOf(context, context.isRemote));
  writer.close(link, medium);
}

function writeIds({ traceId, spanId, traceState }: SpanContext): void {
  writer.hex(1, traceId);
  writer.hex(2, spanId);
  const state = traceState?.serialize();
  if (state) writer.text(3, state);
}

const flagsOf = ({ traceFlags }: SpanContext, isRemote: boolean | undefined): number =>
  (traceFlags & 0xff) | knowsParent | (isRemote ? parentIsRemote : 0);

const writeTime = (field: number, [seconds, nanoseconds]: HrTime): void =>
  writer.nanoseconds(field, seconds, nanoseconds);

function writeAttributes(field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    const pair = writer.open(field, small);
    writer.text(1, key);
    const any = writer.open(2, small);
    writeValue(value);
    writer.close(any, small);
    writer.close(pair, small);
  }
}

const isInt64 = (value: number): boolean => Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;

/** The fields of an AnyValue. */
function writeValue(value: AttributeValue): void {
  if (typeof value === "string") writer.text(1, value);
  else if (typeof value === "boolean") writer.varint(2, value ? 1 : 0);
  else if (typeof value === "number") {
    if (isInt64(value)) writer.varint(3, value);
    else writer.double(4, value);
  } else {
    const list = writer.open(5, small);
    for (const each of value) {
      const any = writer.open(1, small);
      if (each !== null && each !== undefined) writeValue(each);
      writer.close(any, small);
    }
    writer.close(list, small);
  }
}
