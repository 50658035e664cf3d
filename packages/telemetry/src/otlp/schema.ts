/** OTLP's messages by name, with what the codecs look up: their fields by number and by name in JSON. */
import { enums, type FieldRow, messages } from "./generated/messages.ts";
import { wire } from "./wire.ts";

/** Messages within messages; protobuf's own libraries have the same limit. */
export const deepest = 100;

export type Kind =
  | "string"
  | "bytes"
  /** Bytes that JSON has as hex: trace and span ids. */
  | "id"
  | "bool"
  | "double"
  | "int32"
  | "uint32"
  | "sint32"
  | "fixed32"
  | "int64"
  | "uint64"
  | "fixed64"
  | "sfixed64"
  | "enum"
  | "message";

export const wireType: Readonly<Record<Kind, number>> = {
  string: wire.bytes,
  bytes: wire.bytes,
  id: wire.bytes,
  message: wire.bytes,
  double: wire.fixed64,
  fixed64: wire.fixed64,
  sfixed64: wire.fixed64,
  fixed32: wire.fixed32,
  bool: wire.varint,
  int32: wire.varint,
  uint32: wire.varint,
  sint32: wire.varint,
  int64: wire.varint,
  uint64: wire.varint,
  enum: wire.varint,
};

export interface Field {
  readonly number: number;
  readonly name: string;
  readonly kind: Kind;
  readonly repeated: boolean;
  /** Its zero value is not the same as being unset. */
  readonly presence: boolean;
  readonly oneof: boolean;
  /** The types have it always; its zero value where the message does not have it. */
  readonly always: boolean;
  /** Of kind "message". */
  readonly message: Message | undefined;
  /** Of kind "enum": numbers by name. */
  readonly values: ReadonlyMap<string, number> | undefined;
}

export interface Message {
  readonly name: string;
  /** By rising number. */
  readonly fields: readonly Field[];
  readonly always: readonly Field[];
  /** Index: the field's number. */
  readonly byNumber: readonly (Field | undefined)[];
  /** Both spellings: lowerCamelCase and the one of the .proto file. */
  readonly byName: ReadonlyMap<string, Field>;
}

/** Members that OTLP requires, and so the types as well. */
const always = new Set(["Span.traceId", "Span.spanId", "KeyValue.key", "Metric.name"]);

const known = new Map<string, Message>();

/** A message of the table. */
export function messageNamed(name: string): Message {
  const found = known.get(name);
  if (found) return found;
  const rows = messages[name];
  if (!rows) throw new Error(`OTLP has no message ${name}`);
  return define(name, rows);
}

/** A message that is not in the table, of fields that may be. */
export function define(name: string, rows: readonly FieldRow[]): Message {
  const fields: Field[] = [];
  const byNumber: (Field | undefined)[] = new Array((rows.at(-1)?.[0] ?? 0) + 1).fill(undefined);
  const byName = new Map<string, Field>();
  const message: Message = { name, fields, always: [], byNumber, byName };
  // Before its fields: messages contain each other.
  known.set(name, message);
  for (const row of rows) {
    const field = fieldOf(name, row);
    fields.push(field);
    byNumber[field.number] = field;
    byName.set(field.name, field);
    byName.set(
      field.name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      field,
    );
  }
  (message.always as Field[]).push(...fields.filter((field) => field.always));
  return message;
}

function fieldOf(owner: string, [number, name, type, label]: FieldRow): Field {
  const values = enums[type];
  const isMessage = values === undefined && /^[A-Z]/.test(type);
  return {
    number,
    name,
    kind: isMessage ? "message" : values ? "enum" : (type as Kind),
    repeated: label === "repeated",
    presence: label === "optional" || label === "oneof" || (isMessage && label === ""),
    oneof: label === "oneof",
    always: always.has(`${owner}.${name}`),
    message: isMessage ? messageNamed(type) : undefined,
    values: values && new Map(Object.entries(values)),
  };
}
