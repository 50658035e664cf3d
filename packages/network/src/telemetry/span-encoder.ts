/** One span as a field of OTLP's ScopeSpans. Source: opentelemetry/proto/trace/v1/trace.proto. */
import { type Attributes, attributes } from "./otlp.ts";
import { ReverseWriter } from "./reverse-writer.ts";

export const spanKind = { server: 2, client: 3 } as const;

/** What spans of the same sort of request have in common, encoded once: name, kind, attributes. */
export type SpanShape = Uint8Array;

export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly tracestate: string;
  readonly shape: SpanShape;
  /** Milliseconds since the epoch, with fractions. */
  readonly start: number;
  readonly end: number;
  /** Those that are not in the shape. */
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  /** What went wrong; undefined: nothing did. */
  readonly error: string | undefined;
}

export interface SpanEvent {
  readonly at: number;
  readonly name: string;
  readonly attributes: Attributes;
}

/** That it was sampled, and that it is known whether the parent is in another process: it is. */
const flags = { sampled: 1, hasIsRemote: 0x100, isRemote: 0x200 } as const;
const statusError = 2;

const shapes = new ReverseWriter();

export function spanShape(name: string, kind: (typeof spanKind)[keyof typeof spanKind], values: Attributes): SpanShape {
  attributes(shapes, 9, values);
  shapes.varint(6, kind);
  shapes.text(5, name);
  return shapes.take();
}

export function writeSpan(writer: ReverseWriter, span: SpanRecord): void {
  const begun = writer.end;
  const { parentSpanId, tracestate, events, error } = span;
  const remote = parentSpanId === undefined ? 0 : flags.hasIsRemote | flags.isRemote;
  writer.fixed32(16, flags.sampled | remote);
  if (error !== undefined) {
    const end = writer.end;
    writer.varint(3, statusError);
    if (error !== "") writer.text(2, error);
    writer.message(15, end);
  }
  for (let i = events.length - 1; i >= 0; i--) writeEvent(writer, events[i] as SpanEvent);
  attributes(writer, 9, span.attributes);
  writer.nanoseconds(8, span.end);
  writer.nanoseconds(7, span.start);
  writer.fields(span.shape);
  if (parentSpanId !== undefined) writer.hex(4, parentSpanId);
  if (tracestate !== "") writer.text(3, tracestate);
  writer.hex(2, span.spanId);
  writer.hex(1, span.traceId);
  writer.message(2, begun);
}

function writeEvent(writer: ReverseWriter, { at, name, attributes: values }: SpanEvent): void {
  const end = writer.end;
  attributes(writer, 3, values);
  writer.text(2, name);
  writer.nanoseconds(1, at);
  writer.message(11, end);
}
