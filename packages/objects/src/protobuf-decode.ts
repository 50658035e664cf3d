/** One protobuf message as the JSON value that Kubernetes' own servers would make of it. */
import { microTimeOf, timeOf } from "./conditions.ts";
import { formatDuration } from "./duration.ts";
import { type Plan, planOf, schemaProps } from "./protobuf-plan.ts";
import { malformed, Reader, wire } from "./protobuf-wire.ts";
import type { FieldSchema, Scalar, TypeRef } from "./schema.ts";

type JsonObject = Record<string, unknown>;

/** Deeper than any real object; keeps a hostile body from exhausting the stack. */
const deepest = 200;

export function decodeMessage(type: string, bytes: Uint8Array, depth = 0): JsonObject {
  const target: JsonObject = {};
  decodeInto(target, planOf(type), bytes, depth);
  return target;
}

function decodeInto(target: JsonObject, plan: Plan, bytes: Uint8Array, depth: number): void {
  if (depth > deepest) throw malformed("nested too deeply");
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { number, type } = reader.tag();
    const slot = plan.byNumber.get(number);
    if (!slot) reader.skip(type);
    else if (slot.within) decodeInto(target, slot.within, reader.bytes(), depth + 1);
    else decodeField(target, slot.name, slot.field, reader, type, depth);
  }
}

function decodeField(
  target: JsonObject,
  name: string,
  field: FieldSchema,
  reader: Reader,
  type: number,
  depth: number,
) {
  const { type: ref, protoWrapper: wrapper } = field;
  if (typeof ref === "object" && "map" in ref) {
    target[name] ??= {};
    const map = target[name] as JsonObject;
    const [key, value] = decodeEntry(ref.map, wrapper, reader.bytes(), depth);
    define(map, key, value);
  } else if (typeof ref === "object" && "list" in ref && wrapper !== "Items") {
    target[name] ??= [];
    const list = target[name] as unknown[];
    if (type === wire.bytes && isNumeric(ref.list)) {
      const packed = new Reader(reader.bytes());
      while (!packed.done) list.push(decodeValue(ref.list, wrapper, packed, depth));
    } else {
      list.push(decodeValue(ref.list, wrapper, reader, depth));
    }
  } else {
    const value = decodeValue(ref, wrapper, reader, depth);
    // A field that Go leaves out of JSON when it is empty; protobuf has it nevertheless.
    const omitted = value === undefined || (!field.pointer && !field.always && isZero(value));
    if (omitted) delete target[name];
    else target[name] = value;
  }
}

/** Also a member called "__proto__" becomes a member. */
const define = (map: JsonObject, key: string, value: unknown): void => {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
};

const isNumeric = (ref: TypeRef): boolean =>
  ref === "int32" || ref === "int64" || ref === "boolean" || ref === "double";

const isZero = (value: unknown): boolean => value === "" || value === 0 || value === false || value === null;

function decodeEntry(ref: TypeRef, wrapper: string | undefined, bytes: Uint8Array, depth: number): [string, unknown] {
  const reader = new Reader(bytes);
  let key = "";
  let value: unknown;
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === 1) key = reader.string();
    else if (number === 2) value = decodeValue(ref, wrapper, reader, depth + 1);
    else reader.skip(type);
  }
  // An absent value is the type's zero value; null is that of a time.
  return [key, value !== undefined ? value : wrapper === "Items" ? [] : typeof ref === "object" ? {} : zeroOf(ref)];
}

const zeroOf = (scalar: Scalar): unknown =>
  scalar === "boolean"
    ? false
    : isNumeric(scalar)
      ? 0
      : scalar === "Quantity"
        ? "0"
        : scalar === "string" || scalar === "bytes"
          ? ""
          : null;

function decodeValue(ref: TypeRef, wrapper: string | undefined, reader: Reader, depth: number): unknown {
  if (wrapper !== undefined) return decodeWrapped(wrapper, reader.bytes(), depth + 1);
  if (typeof ref === "object") {
    if ("ref" in ref) return decodeMessage(ref.ref, reader.bytes(), depth + 1);
    throw new Error("the table has a list or map in a list or map without a wrapper");
  }
  switch (ref) {
    case "string":
      return reader.string();
    case "boolean":
      return reader.varint() !== 0;
    case "int32":
    case "int64":
      return reader.varint();
    case "double":
      return reader.double();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    case "Quantity":
      return fieldsOf(reader.bytes()).text[1] ?? "0";
    case "IntOrString": {
      const { numbers, text } = fieldsOf(reader.bytes());
      return numbers[1] === 1 ? (text[3] ?? "") : (numbers[2] ?? 0);
    }
    case "Time":
    case "MicroTime":
      return decodeTime(ref, reader.bytes());
    case "json":
      throw new Error("the table has a JSON value without a wrapper");
  }
}

/** A small message of numbers and texts, by field number. */
function fieldsOf(bytes: Uint8Array): { numbers: Record<number, number>; text: Record<number, string> } {
  const numbers: Record<number, number> = {};
  const text: Record<number, string> = {};
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (type === wire.varint) numbers[number] = reader.varint();
    else if (type === wire.bytes) text[number] = reader.string();
    else reader.skip(type);
  }
  return { numbers, text };
}

/** An empty message is Go's zero time, which is null in JSON. */
function decodeTime(kind: "Time" | "MicroTime", bytes: Uint8Array): string | null {
  if (bytes.length === 0) return null;
  const { numbers } = fieldsOf(bytes);
  const date = new Date((numbers[1] ?? 0) * 1000);
  if (Number.isNaN(date.getTime())) throw malformed("a time is out of range");
  if (kind === "Time") return timeOf(date);
  const micros = Math.floor((numbers[2] ?? 0) / 1000);
  return `${microTimeOf(date).slice(0, 20)}${String(micros).padStart(6, "0")}Z`;
}

function decodeWrapped(wrapper: string, bytes: Uint8Array, depth: number): unknown {
  const reader = new Reader(bytes);
  const items: unknown[] = [];
  let list = false;
  let value: unknown;
  while (!reader.done) {
    const { number, type } = reader.tag();
    switch (`${wrapper} ${number}`) {
      case "Raw 1":
        value = parseRaw(reader.bytes());
        break;
      case "Duration 1":
        value = formatDuration(reader.varint() / 1e6);
        break;
      case "Items 1":
      case "SchemaOrStringArray 2":
        list = true;
        items.push(reader.string());
        break;
      case "SchemaOrArray 2":
        list = true;
        items.push(decodeMessage(schemaProps, reader.bytes(), depth + 1));
        break;
      case "SchemaOrBool 1":
        value ??= reader.varint() !== 0;
        break;
      case "SchemaOrBool 2":
      case "SchemaOrArray 1":
      case "SchemaOrStringArray 1":
        value = decodeMessage(schemaProps, reader.bytes(), depth + 1);
        break;
      default:
        reader.skip(type);
    }
  }
  return list || wrapper === "Items" ? items : value;
}

function parseRaw(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw malformed("an embedded object is not JSON");
  }
}
