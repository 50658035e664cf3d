/** OTLP's messages between protobuf and the objects of `types.ts`. One walk over the table of fields serves them all. */
import { MalformedError } from "../sink.ts";
import { deepest, type Field, type Kind, type Message, messageNamed, wireType } from "./schema.ts";
import type { LogRecord, LogsData, MetricsData, Resource, Scope, Span, TracesData } from "./types.ts";
import { Reader, Writer, wire } from "./wire.ts";

export const decodeTraces = (bytes: Uint8Array): TracesData => decode(messageNamed("TracesData"), bytes);
export const decodeMetrics = (bytes: Uint8Array): MetricsData => decode(messageNamed("MetricsData"), bytes);
export const decodeLogs = (bytes: Uint8Array): LogsData => decode(messageNamed("LogsData"), bytes);
export const decodeSpan = (bytes: Uint8Array): Span => decode(messageNamed("Span"), bytes);
export const decodeLogRecord = (bytes: Uint8Array): LogRecord => decode(messageNamed("LogRecord"), bytes);
export const decodeResource = (bytes: Uint8Array): Resource => decode(messageNamed("Resource"), bytes);
export const decodeScope = (bytes: Uint8Array): Scope => decode(messageNamed("InstrumentationScope"), bytes);

export const encodeTraces = (data: TracesData): Uint8Array => encode(messageNamed("TracesData"), data);
export const encodeMetrics = (data: MetricsData): Uint8Array => encode(messageNamed("MetricsData"), data);
export const encodeLogs = (data: LogsData): Uint8Array => encode(messageNamed("LogsData"), data);
export const encodeSpan = (span: Span): Uint8Array => encode(messageNamed("Span"), span);
export const encodeLogRecord = (record: LogRecord): Uint8Array => encode(messageNamed("LogRecord"), record);
export const encodeScope = (scope: Scope): Uint8Array => encode(messageNamed("InstrumentationScope"), scope);

/**
 * Messages and numbers in lists. A message of two bytes takes a hundred as an object: without a limit, a body of 8 MiB could
 * take half a gigabyte. A batch of 8192 data points with ten attributes and 30 buckets each has 450,000.
 */
const mostValues = 500_000;

type Values = Record<string, unknown>;

/** What is not of the message is left out. Malformed bytes are a `MalformedError`. */
export function decode<T extends object>(message: Message, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const target = {} as Values;
  decodeInto(target, message, { reader, left: mostValues }, reader.length, 0);
  return target as T;
}

interface Decoding {
  readonly reader: Reader;
  /** How many more values are allowed. */
  left: number;
}

function decodeInto(target: Values, message: Message, decoding: Decoding, end: number, depth: number): void {
  if (depth > deepest) throw new MalformedError("messages are nested too deeply");
  const { reader } = decoding;
  let chosen: Field | undefined;
  for (const { name } of message.always) target[name] ??= "";
  while (reader.at < end) {
    const tag = reader.uint32();
    const field = message.byNumber[tag >>> 3];
    if (tag < 8) throw new MalformedError("a field has no number");
    if (field === undefined) {
      reader.skip(tag & 7, end);
      continue;
    }
    if (field.oneof) {
      if (chosen !== undefined && chosen !== field) delete target[chosen.name];
      chosen = field;
    }
    if (field.repeated) decodeItems(target, field, decoding, tag & 7, end, depth);
    else if (field.message) target[field.name] = decodeNested(field, target[field.name], decoding, tag & 7, end, depth);
    else decodeScalar(target, field, decoding.reader, tag & 7, end);
  }
  if (reader.at !== end) throw new MalformedError("a value reaches beyond its message");
}

/** A message that comes in several parts is their sum, as protobuf has it. */
function decodeNested(field: Field, known: unknown, decoding: Decoding, type: number, end: number, depth: number) {
  expectType(field, type);
  if (--decoding.left < 0) throw tooMany();
  const nested = (known as Values | undefined) ?? {};
  decodeInto(nested, field.message as Message, decoding, decoding.reader.endOfBytes(end), depth + 1);
  return nested;
}

function decodeScalar(target: Values, field: Field, reader: Reader, type: number, end: number): void {
  expectType(field, type);
  const value = decodeValue(field.kind, reader, end);
  // Zero is the same as unset, also where it comes after another value.
  if (field.presence || field.always || !isZero(value)) target[field.name] = value;
  else if (target[field.name] !== undefined) delete target[field.name];
}

function decodeItems(target: Values, field: Field, decoding: Decoding, type: number, end: number, depth: number) {
  target[field.name] ??= [];
  const list = target[field.name] as unknown[];
  if (field.message) {
    list.push(decodeNested(field, undefined, decoding, type, end, depth));
    return;
  }
  const { reader } = decoding;
  const packed = type === wire.bytes && wireType[field.kind] !== wire.bytes;
  if (!packed) expectType(field, type);
  const last = packed ? reader.endOfBytes(end) : reader.at + 1;
  while (reader.at < last) {
    if (--decoding.left < 0) throw tooMany();
    list.push(decodeValue(field.kind, reader, packed ? last : end));
  }
  if (packed && reader.at !== last) throw new MalformedError(`${field.name}: a number reaches beyond the list`);
  if (list.length === 0) delete target[field.name];
}

const tooMany = (): Error => new MalformedError(`more than ${mostValues} values in one request`);

function expectType(field: Field, type: number): void {
  if (type !== wireType[field.kind]) throw new MalformedError(`${field.name} is of wire type ${type}`);
}

function decodeValue(kind: Kind, reader: Reader, end: number): string | number | boolean {
  switch (kind) {
    case "string":
      return reader.text("utf8", end);
    case "bytes":
      return reader.text("base64", end);
    case "id":
      return reader.text("hex", end);
    case "bool":
      return reader.bool();
    case "enum":
      return reader.int32();
    case "message":
      throw new Error("a message is not a single value");
    default:
      return reader[kind]();
  }
}

/** What proto3 takes for unset. */
export const isZero = (value: unknown): boolean =>
  value === "" || value === "0" || value === false || (value === 0 && !Object.is(value, -0));

// One for all: a call never leaves anything in it.
const writer = new Writer();

/** Members that the message does not have are left out. A value of the wrong type is the caller's bug and throws. */
export function encode(message: Message, value: object): Uint8Array {
  try {
    encodeFields(message, value as Values);
  } catch (error) {
    writer.finish();
    throw error;
  }
  return writer.finish();
}

function encodeFields(message: Message, value: Values): void {
  for (let i = message.fields.length - 1; i >= 0; i--) {
    const field = message.fields[i] as Field;
    const member = value[field.name];
    if (member === undefined || member === null) continue;
    if (field.repeated) encodeItems(field, member as unknown[]);
    else if (field.presence || !isZero(member)) encodeOne(field, member);
  }
}

function encodeOne(field: Field, value: unknown): void {
  encodeValue(field, value);
  writer.uint32((field.number << 3) | wireType[field.kind]);
}

/** Numbers are packed, as proto3 has it. */
function encodeItems(field: Field, items: readonly unknown[]): void {
  if (items.length === 0) return;
  if (wireType[field.kind] === wire.bytes) {
    for (let i = items.length - 1; i >= 0; i--) encodeOne(field, items[i]);
    return;
  }
  const before = writer.length;
  for (let i = items.length - 1; i >= 0; i--) encodeValue(field, items[i]);
  writer.uint32(writer.length - before);
  writer.uint32((field.number << 3) | wire.bytes);
}

function encodeValue(field: Field, value: unknown): void {
  switch (field.kind) {
    case "message":
      encodeNested(field.message as Message, value as Values);
      break;
    case "string":
      writer.text(value as string, "utf8");
      break;
    case "bytes":
      writer.text(value as string, "base64");
      break;
    case "id":
      writer.text(value as string, "hex");
      break;
    case "bool":
      writer.uint32(value ? 1 : 0);
      break;
    case "int64":
    case "uint64":
      writer.int64(value as string);
      break;
    case "fixed64":
    case "sfixed64":
      writer.fixed64(value as string);
      break;
    case "enum":
      writer.int32(value as number);
      break;
    default:
      writer[field.kind](value as number);
  }
}

function encodeNested(message: Message, value: Values): void {
  const before = writer.length;
  encodeFields(message, value);
  writer.uint32(writer.length - before);
}
