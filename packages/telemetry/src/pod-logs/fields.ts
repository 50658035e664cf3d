/**
 * The fields of structured log lines that mean something: severity, time, message, trace. All others are attributes.
 *
 * Source: the default field names of pino, bunyan, winston, zap, zerolog, logrus, slog, structlog, python-json-logger, log4j's and
 * logstash's JSON layouts, Serilog (CLEF), ECS, Google Cloud Logging, and of Datadog's and OpenTelemetry's log injection.
 */
import type { AnyValue, KeyValue } from "../otlp/types.ts";
import type { ParsedLine } from "./line-format.ts";
import { severityName, severityOfNumber, severityOfWord } from "./severity.ts";
import { nanosOf } from "./times.ts";

export type Meaning = "severity" | "time" | "message" | "traceId" | "spanId" | "flags" | "traceparent";

/** By the field's name in lower case, without `_`, `-`, `.` and `@` inside; a nested field is "outer.inner" before that. */
const meanings = new Map<string, Meaning>([
  ...["level", "lvl", "severity", "loglevel", "levelname", "severitytext", "l"].map(
    (name) => [name, "severity"] as const,
  ),
  ...["time", "ts", "timestamp", "datetime", "asctime", "t", "eventtime"].map((name) => [name, "time"] as const),
  ...["msg", "message", "m", "shortmessage"].map((name) => [name, "message"] as const),
  ...["traceid", "ddtraceid", "oteltraceid", "trace", "logginggoogleapiscomtrace", "xtraceid"].map(
    (name) => [name, "traceId"] as const,
  ),
  ...["spanid", "ddspanid", "otelspanid", "logginggoogleapiscomspanid"].map((name) => [name, "spanId"] as const),
  ...["traceflags", "oteltraceflags"].map((name) => [name, "flags"] as const),
  ["traceparent", "traceparent"],
]);

/** One letter means something only with Serilog's "@" before it. */
export function meaningOf(name: string): Meaning | undefined {
  const plain = name.toLowerCase().replace(/[_\-.@/]/g, "");
  if (plain.length === 1 && !name.startsWith("@")) return undefined;
  return meanings.get(plain);
}

type Found = {
  -readonly [K in "severityNumber" | "severityText" | "timeUnixNano" | "traceId" | "spanId" | "flags"]?: ParsedLine[K];
};

export type Scalar = string | number | boolean;

/** Gathers what the fields of one line say. What is not understood stays an attribute: nothing that was written is lost. */
export class Fields {
  readonly #writtenAt: number;
  readonly attributes: KeyValue[] = [];
  message: AnyValue | undefined;
  readonly #found: Found = {};

  constructor(writtenAt: number) {
    this.#writtenAt = writtenAt;
  }

  /** How many fields had a meaning. */
  understood = 0;

  /** `value`: what it says, if it is no list and no map; `any`: what is kept of it. */
  add(name: string, value: Scalar | undefined, any: AnyValue | undefined): void {
    const meaning = meaningOf(name);
    if (meaning && value !== undefined && this.#take(meaning, value, any)) this.understood++;
    else this.attributes.push(any === undefined ? { key: name } : { key: name, value: any });
  }

  result(whole: string): ParsedLine {
    const body = this.message ?? { stringValue: whole };
    return { ...this.#found, body, attributes: this.attributes, structured: true };
  }

  #take(meaning: Meaning, value: Scalar, any: AnyValue | undefined): boolean {
    switch (meaning) {
      case "severity":
        return this.#takeSeverity(value);
      case "time":
        return typeof value !== "boolean" && this.#set("timeUnixNano", nanosOf(value, this.#writtenAt));
      case "message":
        if (this.message !== undefined) return false;
        this.message = any;
        return true;
      case "traceId":
        return this.#set("traceId", idOf(value, 32));
      case "spanId":
        return this.#set("spanId", idOf(value, 16));
      case "flags":
        return this.#set("flags", flagsOf(value));
      case "traceparent":
        return this.#takeTraceparent(String(value));
    }
  }

  /** The first field of a meaning has it; others are attributes. */
  #set<K extends keyof Found>(name: K, value: Found[K]): boolean {
    if (value === undefined || this.#found[name] !== undefined) return false;
    this.#found[name] = value;
    return true;
  }

  #takeSeverity(value: Scalar): boolean {
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    const severity = typeof number === "number" ? severityOfNumber(number) : severityOfWord(String(number));
    if (!this.#set("severityNumber", severity)) return false;
    return this.#set("severityText", typeof number === "number" ? severityName(severity ?? 0) : String(value));
  }

  #takeTraceparent(text: string): boolean {
    const found = traceparent.exec(text);
    if (!found || !this.#set("traceId", found[1])) return false;
    this.#set("spanId", found[2]);
    this.#set("flags", Number.parseInt(found[3] as string, 16));
    return true;
  }
}

/** Source: W3C Trace Context, version 00. */
const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Hex of `digits` digits, or the last part of Google's "projects/p/traces/<hex>"; Datadog writes unsigned decimals of 64 bits.
 * All zeros is no id.
 */
function idOf(value: Scalar, digits: number): string | undefined {
  const text = String(value).split("/").at(-1)?.toLowerCase().replaceAll("-", "") ?? "";
  if (text.length === digits && /^[0-9a-f]+$/.test(text)) return /^0+$/.test(text) ? undefined : text;
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const hex = BigInt(text).toString(16);
  return hex === "0" || hex.length > 16 ? undefined : hex.padStart(digits, "0");
}

/** Hex as in a traceparent ("01"), or a number. */
function flagsOf(value: Scalar): number | undefined {
  const flags =
    typeof value === "string" ? (/^[0-9a-f]{1,2}$/i.test(value) ? Number.parseInt(value, 16) : -1) : Number(value);
  return Number.isInteger(flags) && flags >= 0 && flags < 256 ? flags : undefined;
}
