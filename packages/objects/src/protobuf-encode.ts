/** A JSON value as the protobuf message of its type. What the table does not know is left out. */
import { parseDuration } from "./duration.ts";
import { type Plan, planOf, schemaProps } from "./protobuf-plan.ts";
import { Writer, wire } from "./protobuf-wire.ts";
import { canonicalQuantity } from "./quantity.ts";
import type { TypeRef } from "./schema.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export const encodeMessage = (type: string, value: JsonObject): Uint8Array => encodeWith(planOf(type), value);

function encodeWith(plan: Plan, value: JsonObject): Uint8Array {
  const writer = new Writer();
  for (const slot of plan.slots) {
    if (slot.within) {
      const inner = encodeWith(slot.within, value);
      if (inner.length > 0) writeBytes(writer, slot.number, inner);
      continue;
    }
    const member = value[slot.name];
    if (member === undefined || member === null) continue;
    encodeField(writer, slot.number, slot.field.type, slot.field.protoWrapper, member);
  }
  return writer.finish();
}

function encodeField(writer: Writer, number: number, ref: TypeRef, wrapper: string | undefined, value: unknown): void {
  if (typeof ref === "object" && "map" in ref) {
    for (const [key, item] of Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const entry = new Writer();
      entry.tag(1, wire.bytes);
      entry.string(key);
      if (item === null) writeBytes(entry, 2, new Uint8Array());
      else encodeValue(entry, 2, ref.map, wrapper, item);
      writeBytes(writer, number, entry.finish());
    }
  } else if (typeof ref === "object" && "list" in ref && wrapper !== "Items") {
    for (const item of value as unknown[]) encodeValue(writer, number, ref.list, wrapper, item);
  } else {
    encodeValue(writer, number, ref, wrapper, value);
  }
}

function writeBytes(writer: Writer, number: number, bytes: Uint8Array): void {
  writer.tag(number, wire.bytes);
  writer.bytes(bytes);
}

function writeString(writer: Writer, number: number, text: string): void {
  writer.tag(number, wire.bytes);
  writer.string(text);
}

function writeVarint(writer: Writer, number: number, value: number): void {
  writer.tag(number, wire.varint);
  writer.varint(value);
}

function encodeValue(writer: Writer, number: number, ref: TypeRef, wrapper: string | undefined, value: unknown): void {
  if (wrapper !== undefined) {
    writeBytes(writer, number, encodeWrapped(wrapper, value));
    return;
  }
  if (typeof ref === "object") {
    if (!("ref" in ref)) throw new Error("the table has a list or map in a list or map without a wrapper");
    writeBytes(writer, number, encodeMessage(ref.ref, value as JsonObject));
    return;
  }
  switch (ref) {
    case "string":
      writeString(writer, number, String(value));
      break;
    case "boolean":
      writeVarint(writer, number, value ? 1 : 0);
      break;
    case "int32":
    case "int64":
      writeVarint(writer, number, Number(value));
      break;
    case "double":
      writer.tag(number, wire.fixed64);
      writer.double(Number(value));
      break;
    case "bytes":
      writeBytes(writer, number, Buffer.from(String(value), "base64"));
      break;
    case "Quantity":
      writeBytes(writer, number, encodeQuantity(value as string | number));
      break;
    case "IntOrString":
      writeBytes(writer, number, encodeIntOrString(value));
      break;
    case "Time":
    case "MicroTime":
      writeBytes(writer, number, encodeTime(ref, String(value)));
      break;
    case "json":
      throw new Error("the table has a JSON value without a wrapper");
  }
}

function encodeQuantity(value: string | number): Uint8Array {
  const writer = new Writer();
  writeString(writer, 1, canonicalQuantity(value));
  return writer.finish();
}

function encodeIntOrString(value: unknown): Uint8Array {
  const writer = new Writer();
  writeVarint(writer, 1, typeof value === "string" ? 1 : 0);
  writeVarint(writer, 2, typeof value === "number" ? value : 0);
  writeString(writer, 3, typeof value === "string" ? value : "");
  return writer.finish();
}

function encodeTime(kind: "Time" | "MicroTime", text: string): Uint8Array {
  const writer = new Writer();
  const micros = kind === "MicroTime" ? Number((/\.(\d{1,6})/.exec(text)?.[1] ?? "").padEnd(6, "0")) : 0;
  writeVarint(writer, 1, Math.floor(Date.parse(text) / 1000));
  writeVarint(writer, 2, micros * 1000);
  return writer.finish();
}

function encodeWrapped(wrapper: string, value: unknown): Uint8Array {
  const writer = new Writer();
  const schema = (number: number, props: unknown): void =>
    writeBytes(writer, number, encodeMessage(schemaProps, props as JsonObject));
  switch (wrapper) {
    case "Raw":
      writeString(writer, 1, JSON.stringify(value));
      break;
    case "Duration":
      writeVarint(writer, 1, Math.round(parseDuration(String(value)) * 1e6));
      break;
    case "Items":
      for (const item of value as unknown[]) writeString(writer, 1, String(item));
      break;
    case "SchemaOrBool":
      writeVarint(writer, 1, value === false ? 0 : 1);
      if (typeof value === "object") schema(2, value);
      break;
    case "SchemaOrArray":
      if (Array.isArray(value)) for (const item of value) schema(2, item);
      else schema(1, value);
      break;
    case "SchemaOrStringArray":
      if (Array.isArray(value)) for (const item of value) writeString(writer, 2, String(item));
      else schema(1, value);
      break;
    default:
      throw new Error(`the table has an unknown wrapper ${wrapper}`);
  }
  return writer.finish();
}
