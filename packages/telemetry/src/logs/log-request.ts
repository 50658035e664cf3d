/**
 * Takes an ExportLogsServiceRequest apart without decoding it: what searches go by, and of each record the bytes that are left. Nothing
 * is lost: a record is what is here taken out of it and what is left, decoded.
 */
import { deepest, type Message, messageNamed, wireType } from "../otlp/schema.ts";
import { Reader, wire } from "../otlp/wire.ts";
import { MalformedError } from "../sink.ts";
import { ByteTable } from "../store/byte-table.ts";

/** Where a group of records comes from: resource and scope as protobuf, empty where there is none. */
export interface Origin {
  readonly resource: Uint8Array;
  readonly resourceSchema: string;
  readonly scope: Uint8Array;
  readonly scopeSchema: string;
}

export interface RawGroup {
  readonly origin: Origin;
  readonly records: readonly RawRecord[];
}

/** A request taken apart. What records have of it are places in `bytes`, for most of them are only copied. */
export interface RawLogs {
  readonly bytes: Buffer;
  readonly groups: readonly RawGroup[];
  readonly count: number;
  /** Where the pieces begin and end, two numbers for each, that records keep as they are. */
  readonly pieces: readonly number[];
  /** Of all attributes of records. */
  readonly keys: ReadonlySet<string>;
}

export interface RawRecord {
  /** Milliseconds, and nanoseconds that are left, since the epoch; both 0: unset. */
  ms: number;
  ns: number;
  observedMs: number;
  observedNs: number;
  /** 0: unset. */
  severity: number;
  /** Of sixteen and of eight bytes; -1 where they have another length. */
  traceAt: number;
  spanAt: number;
  /** "": it is no event. */
  eventName: string;
  /** UTF-8 of a body that is a text and nothing else; -1: there is none. */
  textFrom: number;
  textTo: number;
  /** AnyValue of any other body; it is in the pieces as well. */
  body: Uint8Array | undefined;
  /** All fields that are not above, as protobuf: `pieces` from the one to the other place. */
  restFrom: number;
  restTo: number;
}

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
const keyOfPair = tagOf(1, wire.bytes);

/** What is malformed, anywhere in it, is a `MalformedError`: what is kept can be decoded. */
export function parseLogs(request: Uint8Array): RawLogs {
  return new LogsParser(request).logs();
}

class LogsParser {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #reader: Reader;
  readonly #pieces: number[] = [];
  readonly #keys = new ByteTable();
  #count = 0;
  #left = mostValues;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader = new Reader(bytes);
  }

  logs(): RawLogs {
    const groups: RawGroup[] = [];
    this.#fields(this.#bytes.length, "LogsData", { [tagOf(1, wire.bytes)]: (end) => this.#resourceLogs(end, groups) });
    const keys = new Set(Array.from({ length: this.#keys.count }, (_, number) => this.#keys.bytes(number).toString()));
    return { bytes: this.#bytes, groups, count: this.#count, pieces: this.#pieces, keys };
  }

  #resourceLogs(end: number, groups: RawGroup[]): void {
    const resource: Uint8Array[] = [];
    const parts: ScopeLogs[] = [];
    let resourceSchema = "";
    this.#fields(end, "ResourceLogs", {
      [tagOf(1, wire.bytes)]: (last) => resource.push(this.#checked("Resource", last)),
      [tagOf(2, wire.bytes)]: (last) => parts.push(this.#scopeLogs(last)),
      [tagOf(3, wire.bytes)]: (last) => {
        resourceSchema = this.#text(last);
      },
    });
    for (const { scope, schema, records } of parts) {
      const origin = { resource: joined(resource), resourceSchema, scope: joined(scope), scopeSchema: schema };
      if (records.length > 0) groups.push({ origin, records });
    }
  }

  #scopeLogs(end: number): ScopeLogs {
    const found: ScopeLogs = { scope: [], schema: "", records: [] };
    this.#fields(end, "ScopeLogs", {
      [tagOf(1, wire.bytes)]: (last) => found.scope.push(this.#checked("InstrumentationScope", last)),
      [tagOf(2, wire.bytes)]: (last) => found.records.push(this.#record(last)),
      [tagOf(3, wire.bytes)]: (last) => {
        found.schema = this.#text(last);
      },
    });
    return found;
  }

  #record(end: number): RawRecord {
    const reader = this.#reader;
    const pieces = this.#pieces;
    const record = emptyRecord(pieces.length);
    let bodies: Body[] | undefined;
    /** Where the run of fields began that stay as they are. */
    let kept = reader.at;
    while (reader.at < end) {
      const start = reader.at;
      const tag = reader.uint32();
      if (tag === tags.body) {
        bodies ??= [];
        bodies.push(this.#body(start, end));
      } else if (!this.#takeField(tag, record, end)) continue;
      if (start > kept) pieces.push(kept, start);
      kept = reader.at;
    }
    if (reader.at !== end) throw beyond();
    if (end > kept) pieces.push(kept, end);
    if (bodies) this.#takeBody(record, bodies);
    record.restTo = pieces.length;
    this.#count++;
    return record;
  }

  /** True: it is in the record now, and need not be kept. */
  #takeField(tag: number, record: RawRecord, end: number): boolean {
    const reader = this.#reader;
    switch (tag) {
      case tags.time:
        [record.ms, record.ns] = this.#time(end);
        return true;
      case tags.observed:
        [record.observedMs, record.observedNs] = this.#time(end);
        return true;
      case tags.severity: {
        const severity = reader.uint32();
        record.severity = severity < 256 ? severity : 0;
        return severity < 256;
      }
      case tags.traceId:
        record.traceAt = this.#id(end, 16);
        return record.traceAt >= 0;
      case tags.spanId:
        record.spanAt = this.#id(end, 8);
        return record.spanAt >= 0;
      case tags.eventName:
        record.eventName = this.#text(reader.endOfBytes(end));
        return false;
      case tags.attributes:
        this.#attribute(reader.endOfBytes(end));
        return false;
      default:
        this.#checkField(messageNamed("LogRecord"), tag, end, 0);
        return false;
    }
  }

  #body(start: number, end: number): Body {
    const to = this.#reader.endOfBytes(end);
    const from = this.#reader.at;
    this.#check(messageNamed("AnyValue"), to, 1);
    return { start, from, to };
  }

  #takeBody(record: RawRecord, bodies: readonly Body[]): void {
    const [first] = bodies;
    if (first && bodies.length === 1) record.textFrom = this.#textIn(first);
    if (first && record.textFrom >= 0) {
      record.textTo = first.to;
      return;
    }
    // Several bodies are one, as protobuf has it.
    record.body = joined(bodies.map(({ from, to }) => this.#bytes.subarray(from, to)));
    for (const { start, to } of bodies) this.#pieces.push(start, to);
  }

  /** Where the text begins of a value that is nothing else; -1: it is something else. */
  #textIn({ from, to }: Body): number {
    const reader = this.#reader;
    const before = reader.at;
    reader.at = from;
    const isText = from < to && reader.uint32() === stringValue && reader.endOfBytes(to) === to;
    const at = reader.at;
    reader.at = before;
    return isText ? at : -1;
  }

  #attribute(end: number): void {
    const reader = this.#reader;
    if (--this.#left < 0) throw tooMany();
    let [from, to] = [0, 0];
    while (reader.at < end) {
      const tag = reader.uint32();
      if (tag === keyOfPair) {
        to = reader.endOfBytes(end);
        from = reader.at;
        reader.at = to;
      } else this.#checkField(messageNamed("KeyValue"), tag, end, 1);
    }
    if (reader.at !== end) throw beyond();
    this.#keys.intern(this.#bytes, from, to);
  }

  #id(end: number, length: number): number {
    const last = this.#reader.endOfBytes(end);
    const at = this.#reader.at;
    this.#reader.at = last;
    return last - at === length ? at : -1;
  }

  #text(end: number): string {
    const text = this.#bytes.toString("utf8", this.#reader.at, end);
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
  #fields(end: number, name: string, take: Readonly<Record<number, (end: number) => unknown>>): void {
    const reader = this.#reader;
    while (reader.at < end) {
      const tag = reader.uint32();
      const each = take[tag];
      if (!each) this.#checkField(messageNamed(name), tag, end, 0);
      else if (--this.#left < 0) throw tooMany();
      else each(reader.endOfBytes(end));
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
    if (field && type !== wireType[field.kind]) throw new MalformedError(`${field.name} is of wire type ${type}`);
    if (!field?.message) reader.skip(type, end);
    else if (--this.#left < 0) throw tooMany();
    else this.#check(field.message, reader.endOfBytes(end), depth + 1);
  }
}

interface ScopeLogs {
  readonly scope: Uint8Array[];
  schema: string;
  readonly records: RawRecord[];
}

interface Body {
  /** Of the field, and of the value in it. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

const emptyRecord = (restFrom: number): RawRecord => ({
  ms: 0,
  ns: 0,
  observedMs: 0,
  observedNs: 0,
  severity: 0,
  traceAt: -1,
  spanAt: -1,
  eventName: "",
  textFrom: -1,
  textTo: -1,
  body: undefined,
  restFrom,
  restTo: restFrom,
});

const tooMany = (): Error => new MalformedError(`more than ${mostValues} values in one request`);
const beyond = (): Error => new MalformedError("a value reaches beyond its message");

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);

/** 64 bits of nanoseconds, in numbers that are exact: 2^32 ns are 4294 ms and 967296 ns. */
function dividedNanos(high: number, low: number): [ms: number, ns: number] {
  const rest = high * 967_296 + low;
  const ms = Math.floor(rest / 1e6);
  return [high * 4294 + ms, rest - ms * 1e6];
}

/** Decimal text, as records have their times. */
export const nanosText = (ms: number, ns: number): string =>
  ms === 0 ? String(ns) : `${ms}${String(ns).padStart(6, "0")}`;
