/**
 * OTLP/JSON as it comes over the wire, in the forms that protobuf's JSON allows: both spellings of names, 64-bit integers as
 * text or numbers, enums as numbers or names, unknown members.
 *
 * Source: OTLP specification, JSON Protobuf Encoding; protobuf.dev, ProtoJSON format.
 */
import { MalformedError, type Signal } from "../sink.ts";
import { isZero } from "./codec.ts";
import { checkJson } from "./json-bounds.ts";
import { type Field, type Message, messageNamed } from "./schema.ts";
import type { LogsData, MetricsData, TracesData } from "./types.ts";

export interface DataOf {
  traces: TracesData;
  metrics: MetricsData;
  logs: LogsData;
}

const messageOf: Readonly<Record<Signal, string>> = { traces: "TracesData", metrics: "MetricsData", logs: "LogsData" };

/** A mistake is a `MalformedError` that begins with its place: `resourceSpans[0].scopeSpans[2].spans[1].kind: ...`. */
export function parseJson<S extends Signal>(signal: S, text: string): DataOf[S] {
  return fromJson(messageNamed(messageOf[signal]), parse(text)) as DataOf[S];
}

export const toJson = <S extends Signal>(_signal: S, data: DataOf[S]): string => toJsonText(data);

/** Numbers that JSON does not have become text. */
export const toJsonText = (value: object): string =>
  JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "number" && !isPlain(member) ? (Object.is(member, -0) ? "-0" : String(member)) : member,
  );

const isPlain = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0);

/** Integers that a number of JavaScript does not hold exactly; times are such. */
const largeInteger = /[:,[\s]-?\d{16,}\s*[,\]}]/;

function parse(text: string): unknown {
  checkJson(text);
  try {
    if (!largeInteger.test(text)) return JSON.parse(text);
    return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
      typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
        ? context?.source
        : value,
    );
  } catch (error) {
    throw new MalformedError(`not JSON: ${(error as Error).message}`);
  }
}

type Place = (string | number)[];
type Values = Record<string, unknown>;

function fromJson(message: Message, json: unknown): object {
  return messageFrom(message, json, []);
}

function mistake(place: Place, why: string): never {
  const where = place.map((part, i) => (typeof part === "number" ? `[${part}]` : i > 0 ? `.${part}` : part)).join("");
  throw new MalformedError(`${where || "the request"}: ${why}`);
}

function messageFrom(message: Message, json: unknown, place: Place): Values {
  if (typeof json !== "object" || json === null || Array.isArray(json)) mistake(place, "expected an object");
  const target: Values = {};
  let chosen: string | undefined;
  for (const { name } of message.always) target[name] = "";
  for (const key in json) {
    const field = message.byName.get(key);
    const value = (json as Values)[key];
    if (field === undefined || value === null || value === undefined) continue;
    place.push(key);
    if (field.oneof) {
      if (chosen !== undefined && chosen !== field.name)
        mistake(place, `${chosen} is there as well, and only one may be`);
      chosen = field.name;
    }
    if (field.name === "intValue" && isBeyondInteger(value)) {
      target.doubleValue = Number(value);
      place.pop();
      continue;
    }
    const member = field.repeated ? itemsFrom(field, value, place) : valueFrom(field, value, place);
    if (field.presence || field.always || !(isZero(member) || isEmptyList(member))) target[field.name] = member;
    place.pop();
  }
  return target;
}

/** JavaScript's exporter calls every whole number an integer, also 1e300: no reason to refuse all that came with it. */
const isBeyondInteger = (json: unknown): boolean => {
  const isWhole =
    typeof json === "number" ? Number.isInteger(json) : typeof json === "string" && /^-?\d{19,400}$/.test(json);
  if (!isWhole) return false;
  const value = BigInt(json as number | string);
  return BigInt.asIntN(64, value) !== value;
};

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function itemsFrom(field: Field, json: unknown, place: Place): unknown[] {
  if (!Array.isArray(json)) mistake(place, "expected a list");
  return json.map((item: unknown, i) => {
    place.push(i);
    const value = valueFrom(field, item, place);
    place.pop();
    return value;
  });
}

function valueFrom(field: Field, json: unknown, place: Place): unknown {
  switch (field.kind) {
    case "message":
      return messageFrom(field.message as Message, json, place);
    case "string":
      return textFrom(json, place);
    case "id":
      return idFrom(json, place);
    case "bytes":
      return bytesFrom(json, place);
    case "bool":
      if (typeof json !== "boolean") mistake(place, "expected true or false");
      return json;
    case "double":
      return doubleFrom(json, place);
    case "enum":
      return typeof json === "string" && field.values?.has(json)
        ? field.values.get(json)
        : Number(integerFrom(json, -(2n ** 31n), 2n ** 31n - 1n, place));
    case "int32":
    case "sint32":
      return Number(integerFrom(json, -(2n ** 31n), 2n ** 31n - 1n, place));
    case "uint32":
    case "fixed32":
      return Number(integerFrom(json, 0n, 2n ** 32n - 1n, place));
    case "int64":
    case "sfixed64":
      return integerFrom(json, -(2n ** 63n), 2n ** 63n - 1n, place);
    case "uint64":
    case "fixed64":
      return integerFrom(json, 0n, 2n ** 64n - 1n, place);
  }
}

function textFrom(json: unknown, place: Place): string {
  if (typeof json !== "string") mistake(place, "expected text");
  // Half of a surrogate pair has no place in UTF-8.
  return json.isWellFormed() ? json : json.toWellFormed();
}

function idFrom(json: unknown, place: Place): string {
  if (typeof json === "string" && json.length % 2 === 0) {
    if (/^[\da-f]*$/.test(json)) return json;
    if (/^[\da-f]*$/i.test(json)) return json.toLowerCase();
  }
  return mistake(place, "expected hexadecimal text");
}

function bytesFrom(json: unknown, place: Place): string {
  if (typeof json !== "string" || !/^[\w+/-]*={0,2}$/.test(json)) mistake(place, "expected base64 text");
  return Buffer.from(json, "base64").toString("base64");
}

function doubleFrom(json: unknown, place: Place): number {
  if (typeof json === "number") return json;
  if (json === "NaN") return Number.NaN;
  if (typeof json === "string" && /^-?(Infinity|\d+(\.\d+)?(e[+-]?\d+)?)$/i.test(json)) return Number(json);
  return mistake(place, 'expected a number, "NaN", "Infinity" or "-Infinity"');
}

/** Decimal text. */
function integerFrom(json: unknown, least: bigint, most: bigint, place: Place): string {
  if (Number.isSafeInteger(json)) {
    const small = json as number;
    if (small >= least && small <= most) return String(small);
  }
  if (typeof json === "number" && Number.isInteger(json)) return integerFrom(String(BigInt(json)), least, most, place);
  // As nearly all are: times, counts.
  if (
    typeof json === "string" &&
    json.length < (least < 0n ? 19 : 20) &&
    /^(0|[1-9]\d*)$/.test(json) &&
    most > 2n ** 32n
  )
    return json;
  // No text that takes long to become a number.
  if (typeof json === "string" && /^-?\d{1,30}$/.test(json)) {
    const value = BigInt(json);
    if (value >= least && value <= most) return String(value);
  }
  return mistake(place, `expected an integer from ${least} to ${most}`);
}
