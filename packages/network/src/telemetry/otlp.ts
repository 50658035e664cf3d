/** The parts of OTLP's messages that all signals have. Source: opentelemetry/proto/{common,resource}/v1. */
import type { ReverseWriter } from "./reverse-writer.ts";

export interface Scope {
  readonly name: string;
  readonly version?: string;
}

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Each as a KeyValue in `field`. Whole numbers from 0 are integers. What is undefined is left out. */
export function attributes(writer: ReverseWriter, field: number, values: Attributes): void {
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) attribute(writer, field, key, value);
  }
}

export function attribute(writer: ReverseWriter, field: number, key: string, value: string | number | boolean): void {
  const end = writer.end;
  if (typeof value === "string") writer.text(1, value);
  else if (typeof value === "boolean") writer.varint(2, value ? 1 : 0);
  else if (Number.isSafeInteger(value) && value >= 0) writer.varint(3, value);
  else writer.double(4, value);
  writer.message(2, end);
  writer.text(1, key);
  writer.message(field, end);
}

/**
 * An Export{Trace,Metrics}ServiceRequest of one resource and scope, of a writer that holds the fields of its ScopeSpans or
 * ScopeMetrics.
 */
export function wrapped(writer: ReverseWriter, resource: Attributes, { name, version }: Scope): Buffer {
  const scope = writer.end;
  if (version !== undefined) writer.text(2, version);
  writer.text(1, name);
  writer.message(1, scope);
  writer.message(2, 0);
  const end = writer.end;
  attributes(writer, 1, resource);
  writer.message(1, end);
  writer.message(1, 0);
  return writer.take();
}
