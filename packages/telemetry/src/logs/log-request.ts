/**
 * Takes an ExportLogsServiceRequest apart without decoding it: what searches go by, and of each record the bytes that are left. Nothing
 * is lost: a record is what is here taken out of it and what is left, decoded.
 */
import { type Message, messageNamed } from "../otlp/schema.ts";
import { Reader, wire } from "../otlp/wire.ts";
import { MalformedError } from "../sink.ts";

/** Where a group of records comes from: resource and scope as protobuf, empty where there is none. */
export interface Origin {
  readonly resource: Uint8Array;
  readonly resourceSchema: string;
  readonly scope: Uint8Array;
  readonly scopeSchema: string;
}

export interface RawGroup {
  readonly origin: Origin;
  readonly records: RawRecord[];
}

/** Bytes are parts of the request. */
export interface RawRecord {
  /** Milliseconds, and nanoseconds that are left, since the epoch; both 0: unset. */
  ms: number;
  ns: number;
  observedMs: number;
  observedNs: number;
  /** 0: unset. */
  severity: number;
  /** Sixteen and eight bytes; undefined where they have another length. */
  traceId: Uint8Array | undefined;
  spanId: Uint8Array | undefined;
  isEvent: boolean;
  eventName: string;
  /** UTF-8 of a body that is a text and nothing else. */
  text: Uint8Array | undefined;
  /** AnyValue of any other body; it is in `rest` as well. */
  body: Uint8Array | undefined;
  /** All fields that are not above, as protobuf; pieces of it, one after the other. */
  rest: Uint8Array[];
  /** Keys of the record's attributes. */
  keys: string[];
}

/** Deeper than this nothing is decoded, see codec.ts. */
const deepest = 100;
const mostValues = 1_000_000;

const tagOf = (field: number, type: number): number => (field << 3) | type;
const tags = {
  time: tagOf(1, wire.fixed64),
  severity: tagOf(2, wire.varint),
  body: tagOf(5, wire.bytes),
  attributes: tagOf(6, wire.bytes),
  traceId: tagOf(9, wire.bytes),
  spanId: tagOf(10, wire.bytes),
  observed: tagOf(11, wire.fixed64),
  eventName: tagOf(12, wire.bytes),
};
const stringValue = tagOf(1, wire.bytes);

/** What is malformed, anywhere in it, is a `MalformedError`: what is kept can be decoded. */
export function parseLogs(request: Uint8Array): RawGroup[] {
  return new LogsParser(request).groups();
}

class LogsParser {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #view: DataView;
  readonly #reader: Reader;
  #left = mostValues;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader = new Reader(bytes);
  }

  groups(): RawGroup[] {
    const groups: RawGroup[] = [];
    this.#fields(
      this.#bytes.length,
      {
        [tagOf(1, wire.bytes)]: (end) => this.#resourceLogs(end, groups),
      },
      "LogsData",
    );
    return groups;
  }

  #resourceLogs(end: number, groups: RawGroup[]): void {
    const resource: Uint8Array[] = [];
    const parts: { scope: Uint8Array[]; schema: string; records: RawRecord[] }[] = [];
    let resourceSchema = "";
    this.#fields(
      end,
      {
        [tagOf(1, wire.bytes)]: (last) => resource.push(this.#checked("Resource", last)),
        [tagOf(2, wire.bytes)]: (last) => parts.push(this.#scopeLogs(last)),
        [tagOf(3, wire.bytes)]: (last) => {
          resourceSchema = this.#text(last);
        },
      },
      "ResourceLogs",
    );
    for (const { scope, schema, records } of parts) {
      const origin = { resource: joined(resource), resourceSchema, scope: joined(scope), scopeSchema: schema };
      if (records.length > 0) groups.push({ origin, records });
    }
  }

  #scopeLogs(end: number) {
    const found = { scope: [] as Uint8Array[], schema: "", records: [] as RawRecord[] };
    this.#fields(
      end,
      {
        [tagOf(1, wire.bytes)]: (last) => found.scope.push(this.#checked("InstrumentationScope", last)),
        [tagOf(2, wire.bytes)]: (last) => found.records.push(this.#record(last)),
        [tagOf(3, wire.bytes)]: (last) => {
          found.schema = this.#text(last);
        },
      },
      "ScopeLogs",
    );
    return found;
  }

  #record(end: number): RawRecord {
    const reader = this.#reader;
    const record = emptyRecord();
    const bodies: [start: number, from: number, to: number][] = [];
    /** Where the run of fields began that stay as they are. */
    let kept = reader.at;
    const keep = (upTo: number) => {
      if (upTo > kept) record.rest.push(this.#bytes.subarray(kept, upTo));
    };
    while (reader.at < end) {
      const start = reader.at;
      const tag = reader.uint32();
      if (this.#takeField(tag, record, end, bodies, start)) {
        keep(start);
        kept = reader.at;
      }
    }
    if (reader.at !== end) throw beyond();
    keep(end);
    if (bodies.length > 0) this.#takeBody(record, bodies);
    return record;
  }

  /** True: it is in the record now, and need not be kept. */
  #takeField(tag: number, record: RawRecord, end: number, bodies: [number, number, number][], start: number): boolean {
    const reader = this.#reader;
    switch (tag) {
      case tags.time:
        [record.ms, record.ns] = this.#time(end);
        return true;
      case tags.observed:
        [record.observedMs, record.observedNs] = this.#time(end);
        return true;
      case tags.severity: {
        record.severity = 0;
        const severity = reader.uint32();
        if (severity < 256) record.severity = severity;
        return severity < 256;
      }
      case tags.traceId:
        record.traceId = this.#id(end, 16);
        return record.traceId !== undefined;
      case tags.spanId:
        record.spanId = this.#id(end, 8);
        return record.spanId !== undefined;
      case tags.eventName:
        record.eventName = this.#text(reader.endOfBytes(end));
        record.isEvent = record.eventName !== "";
        return false;
      case tags.attributes:
        record.keys.push(this.#key(reader.endOfBytes(end)));
        return false;
      case tags.body: {
        const last = reader.endOfBytes(end);
        bodies.push([start, reader.at, last]);
        this.#check(messageNamed("AnyValue"), last, 1);
        return true;
      }
      default:
        this.#checkField(messageNamed("LogRecord"), tag, end, 0);
        return false;
    }
  }

  #takeBody(record: RawRecord, bodies: [number, number, number][]): void {
    const [first] = bodies;
    const text = bodies.length === 1 && first ? this.#onlyText(first[1], first[2]) : undefined;
    if (text) {
      record.text = text;
      return;
    }
    // Several bodies are one, as protobuf has it.
    record.body = joined(bodies.map(([, from, to]) => this.#bytes.subarray(from, to)));
    for (const [start, , to] of bodies) record.rest.push(this.#bytes.subarray(start, to));
  }

  /** The text of a value that is nothing else. */
  #onlyText(from: number, to: number): Uint8Array | undefined {
    const reader = this.#reader;
    const before = reader.at;
    reader.at = from;
    let text: Uint8Array | undefined;
    if (from < to && reader.uint32() === stringValue && reader.endOfBytes(to) === to)
      text = this.#bytes.subarray(reader.at, to);
    reader.at = before;
    return text;
  }

  #key(end: number): string {
    let key = "";
    this.#fields(
      end,
      {
        [tagOf(1, wire.bytes)]: (last) => {
          key = this.#text(last);
        },
        [tagOf(2, wire.bytes)]: (last) => this.#check(messageNamed("AnyValue"), last, 2),
      },
      "KeyValue",
    );
    return key;
  }

  #id(end: number, length: number): Uint8Array | undefined {
    const last = this.#reader.endOfBytes(end);
    const id = this.#bytes.subarray(this.#reader.at, last);
    this.#reader.at = last;
    return id.length === length ? id : undefined;
  }

  #text(end: number): string {
    const text = this.#buffer.toString("utf8", this.#reader.at, end);
    this.#reader.at = end;
    return text;
  }

  #time(end: number): [ms: number, ns: number] {
    const at = this.#reader.at;
    if (at + 8 > end) throw beyond();
    this.#reader.at = at + 8;
    return dividedNanos(this.#view.getUint32(at + 4, true), this.#view.getUint32(at, true));
  }

  #checked(name: string, end: number): Uint8Array {
    const start = this.#reader.at;
    this.#check(messageNamed(name), end, 1);
    return this.#bytes.subarray(start, end);
  }

  /** Gives each field that is asked for its end, and checks the others. */
  #fields(end: number, take: Readonly<Record<number, (end: number) => unknown>>, name: string): void {
    const reader = this.#reader;
    while (reader.at < end) {
      const tag = reader.uint32();
      const each = take[tag];
      if (each) {
        if (--this.#left < 0) throw new MalformedError(`more than ${mostValues} values in one request`);
        each(reader.endOfBytes(end));
      } else this.#checkField(messageNamed(name), tag, end, 0);
    }
    if (reader.at !== end) throw beyond();
  }

  #check(message: Message, end: number, depth: number): void {
    if (depth > deepest) throw new MalformedError("messages are nested too deeply");
    const reader = this.#reader;
    while (reader.at < end) this.#checkField(message, reader.uint32(), end, depth);
    if (reader.at !== end) throw beyond();
  }

  #checkField(message: Message, tag: number, end: number, depth: number): void {
    const reader = this.#reader;
    if (tag < 8) throw new MalformedError("a field has no number");
    const field = message.byNumber[tag >>> 3];
    const type = tag & 7;
    if (!field) reader.skip(type, end);
    else if (type !== typeOf(field.kind)) throw new MalformedError(`${field.name} is of wire type ${type}`);
    else if (field.message) {
      if (--this.#left < 0) throw new MalformedError(`more than ${mostValues} values in one request`);
      this.#check(field.message, reader.endOfBytes(end), depth + 1);
    } else reader.skip(type, end);
  }
}

const typeOf = (kind: string): number => {
  if (kind === "double" || kind.endsWith("fixed64")) return wire.fixed64;
  if (kind === "fixed32") return wire.fixed32;
  return kind === "string" || kind === "bytes" || kind === "id" || kind === "message" ? wire.bytes : wire.varint;
};

const emptyRecord = (): RawRecord => ({
  ms: 0,
  ns: 0,
  observedMs: 0,
  observedNs: 0,
  severity: 0,
  traceId: undefined,
  spanId: undefined,
  isEvent: false,
  eventName: "",
  text: undefined,
  body: undefined,
  rest: [],
  keys: [],
});

const beyond = (): Error => new MalformedError("a value reaches beyond its message");

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);

/** 64 bits of nanoseconds, in numbers that are exact: 2^32 ns are 4294 ms and 967296 ns. */
export function dividedNanos(high: number, low: number): [ms: number, ns: number] {
  const rest = high * 967_296 + low;
  const ms = Math.floor(rest / 1e6);
  return [high * 4294 + ms, rest - ms * 1e6];
}

/** Decimal text, as records have their times. */
export const nanosText = (ms: number, ns: number): string =>
  ms === 0 ? String(ns) : `${ms}${String(ns).padStart(6, "0")}`;
