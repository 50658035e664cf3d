/** Lines that are JSON objects: the message is the body, what means something goes to its place, all else are attributes. */
import { checkJson } from "../otlp/json-bounds.ts";
import type { AnyValue } from "../otlp/types.ts";
import { MalformedError } from "../sink.ts";
import { Fields, meaningOf, type Scalar } from "./fields.ts";
import type { ParsedLine } from "./line-format.ts";

/** JSON's numbers are those of JavaScript here but for these, which are kept digit by digit. */
const longInteger = /\d{16}/;

/** A level of JSON is three messages of OTLP, of which a record has at most a hundred within each other. */
const deepest = 25;

/** Undefined: no JSON object, or one that is nested too deeply to be a record. */
export function parseJsonLine(text: string, writtenAt: number): ParsedLine | undefined {
  const first = text.trimStart();
  if (!first.startsWith("{") || !first.trimEnd().endsWith("}")) return undefined;
  let line: unknown;
  try {
    checkJson(text, deepest);
    line = longInteger.test(text)
      ? JSON.parse(text, keepLong as (key: string, value: unknown) => unknown)
      : JSON.parse(text);
  } catch (error) {
    // Braces alone do not make it JSON.
    if (error instanceof SyntaxError || error instanceof MalformedError) return undefined;
    throw error;
  }
  const fields = new Fields(writtenAt);
  const record = line as Record<string, unknown>;
  for (const [name, value] of Object.entries(record)) {
    if (isTraceGroup(name, value)) addGroup(fields, name, value);
    else fields.add(name, scalarOf(value), anyOf(value));
  }
  // structlog and Serilog: the message has a name that means other things elsewhere.
  if (fields.message === undefined) messageFrom(fields, ["event", "@mt", "MessageTemplate", "text"]);
  return fields.result(text);
}

class Long {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
}

function keepLong(_key: string, value: unknown, context: { source?: string }): unknown {
  const { source } = context;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined) return value;
  return /^-?\d{16,20}$/.test(source) ? new Long(source) : value;
}

const scalarOf = (value: unknown): Scalar | undefined => {
  if (value instanceof Long) return value.digits;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
};

/** Undefined: null. */
function anyOf(value: unknown): AnyValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? { intValue: String(value) } : { doubleValue: value };
  if (value instanceof Long)
    return BigInt.asIntN(64, BigInt(value.digits)) === BigInt(value.digits)
      ? { intValue: value.digits }
      : { stringValue: value.digits };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((each) => anyOf(each) ?? {}) } };
  return {
    kvlistValue: {
      values: Object.entries(value).map(([key, inner]) => {
        const any = anyOf(inner);
        return any ? { key, value: any } : { key };
      }),
    },
  };
}

/** `dd: {trace_id, span_id}`, `trace: {id}`, `span: {id}`, `log: {level}`: groups of what means something. */
const isTraceGroup = (name: string, value: unknown): value is Record<string, unknown> =>
  (name === "dd" || name === "trace" || name === "span" || name === "log") &&
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value);

function addGroup(fields: Fields, name: string, group: Record<string, unknown>) {
  const left: [string, unknown][] = [];
  for (const [inner, value] of Object.entries(group)) {
    const full = `${name}.${inner}`;
    const scalar = scalarOf(value);
    if (meaningOf(full) && scalar !== undefined) fields.add(full, scalar, anyOf(value));
    else left.push([inner, value]);
  }
  if (left.length > 0) fields.add(name, undefined, anyOf(Object.fromEntries(left)));
}

function messageFrom(fields: Fields, names: readonly string[]) {
  for (const name of names) {
    const at = fields.attributes.findIndex(({ key, value }) => key === name && value?.stringValue !== undefined);
    if (at < 0) continue;
    fields.message = fields.attributes.splice(at, 1)[0]?.value;
    return;
  }
}
