/**
 * Records in columns, as a block has them: what searches go by, each kind together, so that it compresses well and a search reads
 * only what it needs; the texts of all bodies in one piece; what is left of each record as protobuf.
 */
import { serviceOf, textOf } from "../attributes.ts";
import { decode, decodeResource } from "../otlp/codec.ts";
import { messageNamed } from "../otlp/schema.ts";
import type { AnyValue } from "../otlp/types.ts";
import { Bloom } from "../store/bloom.ts";
import { ByteWriter } from "../store/bytes.ts";
import type { Draft } from "../store/segment.ts";
import type { Origin, RawLogs, RawRecord } from "./log-request.ts";

/** The sections of a block, in their order. */
export const section = { columns: 0, text: 1, rest: 2, origins: 3, ids: 4, bloom: 5 } as const;

/** What is true of a record, as bits. */
export const flag = {
  time: 1,
  observed: 2,
  /** It was observed at another time than its own; the difference is in a column. */
  observedLater: 4,
  trace: 8,
  span: 16,
  /** The body is the text. Otherwise it is in the rest, and the text only what it looks like. */
  text: 32,
  event: 64,
} as const;

/** By what whole blocks are passed over. */
export interface AboutLogs {
  /** Numbers of the first and last record; they grow in the order in which records came, over all blocks. */
  readonly first: number;
  readonly last: number;
  /** `service.name`s; undefined: too many to list. */
  readonly services?: readonly string[];
  readonly maxSeverity: number;
  /** Names of events; undefined: too many. */
  readonly events?: readonly string[];
  /** Records that are no events. */
  readonly plain: number;
  /** Records with a trace id. */
  readonly traces: number;
}

const mostListed = 16;
const mostKeys = 256;

/** Of each record, by its place. */
class Rows {
  readonly number: number[] = [];
  readonly flags: number[] = [];
  readonly severity: number[] = [];
  readonly origin: number[] = [];
  /** By this it is found: its time; when it was observed, where it has none; when it came, where it has neither. */
  readonly ms: number[] = [];
  readonly ns: number[] = [];
  /** Parallel to the records with `flag.observedLater` only. */
  readonly observedMs: number[] = [];
  readonly observedNs: number[] = [];
  /** Lengths. */
  readonly text: number[] = [];
  readonly rest: number[] = [];
}

export class LogColumns {
  #rows = new Rows();
  #origins: Origin[] = [];
  #services = new Set<string>();
  readonly #originNumbers = new Map<string, number>();
  #originBytes = 0;
  readonly #keys = new Set<string>();
  readonly #events = new Set<string>();
  #plain = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;
  #maxSeverity = 0;
  readonly #text = new ByteWriter();
  readonly #rest = new ByteWriter();
  readonly #traceIds = new ByteWriter();
  readonly #spanIds = new ByteWriter();

  get rows(): number {
    return this.#rows.flags.length;
  }

  /** Of what is kept, about. */
  get bytes(): number {
    return this.#text.length + this.#rest.length + this.#originBytes + this.#traceIds.length + this.rows * 8;
  }

  /** Time of the oldest record; Infinity: there is none. */
  get from(): number {
    return this.#from;
  }

  /** `first`: the number of its first record. `now`: ms since the epoch. */
  add(logs: RawLogs, first: number, now: number): void {
    let number = first;
    for (const { origin, records } of logs.groups) {
      const from = this.#originOf(origin);
      for (const record of records) {
        this.#rows.number.push(number++);
        this.#rows.origin.push(from);
        this.#add(record, logs, now);
      }
    }
    for (const key of logs.keys) if (this.#keys.size <= mostKeys) this.#keys.add(key);
  }

  clear(): void {
    this.#rows = new Rows();
    this.#origins = [];
    this.#services.clear();
    this.#originNumbers.clear();
    this.#originBytes = 0;
    this.#keys.clear();
    this.#events.clear();
    this.#plain = 0;
    this.#from = Number.POSITIVE_INFINITY;
    this.#to = Number.NEGATIVE_INFINITY;
    this.#maxSeverity = 0;
    for (const bytes of [this.#text, this.#rest, this.#traceIds, this.#spanIds]) bytes.clear();
  }

  /** Undefined: there is nothing. The sections are valid until the next change, their copies for ever. */
  draft(copy = false): Draft<AboutLogs> | undefined {
    const { rows } = this;
    if (rows === 0) return undefined;
    const about: AboutLogs = {
      first: this.#rows.number[0] ?? 0,
      last: this.#rows.number.at(-1) ?? 0,
      ...(this.#services.size <= mostListed && { services: [...this.#services] }),
      maxSeverity: this.#maxSeverity,
      ...(this.#events.size <= mostListed && { events: [...this.#events] }),
      plain: this.#plain,
      traces: this.#traceIds.length / 16,
    };
    return {
      from: this.#from,
      to: this.#to,
      rows,
      about,
      sections: [
        { bytes: this.#columns() },
        { bytes: copy ? Buffer.from(this.#text.written) : this.#text.written },
        { bytes: copy ? Buffer.from(this.#rest.written) : this.#rest.written },
        { bytes: this.#originTable() },
        { bytes: Buffer.concat([this.#traceIds.written, this.#spanIds.written]) },
        { bytes: this.#bloom(), plain: true },
      ],
    };
  }

  #add(record: RawRecord, { bytes, pieces }: RawLogs, now: number): void {
    const rows = this.#rows;
    const { observedMs, observedNs, severity, traceAt, spanAt, textFrom, textTo, restFrom, restTo } = record;
    let { ms, ns } = record;
    let flags = 0;
    if (ms !== 0 || ns !== 0) flags |= flag.time;
    if (observedMs !== 0 || observedNs !== 0) flags |= flag.observed;
    if (flags === 0) ms = now;
    else if (flags === flag.observed) [ms, ns] = [observedMs, observedNs];
    if (flags & flag.observed && (observedMs !== ms || observedNs !== ns)) {
      flags |= flag.observedLater;
      rows.observedMs.push(observedMs - ms);
      rows.observedNs.push(observedNs);
    }
    if (traceAt >= 0) {
      flags |= flag.trace;
      this.#traceIds.copy(bytes, traceAt, traceAt + 16);
    }
    if (spanAt >= 0) {
      flags |= flag.span;
      this.#spanIds.copy(bytes, spanAt, spanAt + 8);
    }
    const [textBefore, restBefore] = [this.#text.length, this.#rest.length];
    if (textFrom >= 0) {
      flags |= flag.text;
      this.#text.copy(bytes, textFrom, textTo);
    } else if (record.body) this.#text.bytes(Buffer.from(bodyText(record.body)));
    for (let at = restFrom; at < restTo; at += 2)
      this.#rest.copy(bytes, pieces[at] as number, pieces[at + 1] as number);
    if (record.eventName !== "") {
      flags |= flag.event;
      if (this.#events.size <= mostListed) this.#events.add(record.eventName);
    } else this.#plain++;
    rows.flags.push(flags);
    rows.severity.push(severity);
    rows.ms.push(ms);
    rows.ns.push(ns);
    rows.text.push(this.#text.length - textBefore);
    rows.rest.push(this.#rest.length - restBefore);
    this.#from = Math.min(this.#from, ms);
    this.#to = Math.max(this.#to, ms);
    this.#maxSeverity = Math.max(this.#maxSeverity, severity);
  }

  #originOf(origin: Origin): number {
    const { resource, resourceSchema, scope, scopeSchema } = origin;
    const key = [latin1(resource), resourceSchema, latin1(scope), scopeSchema]
      .map((part) => `${part.length} ${part}`)
      .join();
    const known = this.#originNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.#origins.length;
    this.#originNumbers.set(key, number);
    this.#origins.push({ ...origin, resource: Uint8Array.from(resource), scope: Uint8Array.from(scope) });
    this.#services.add(serviceOf(decodeResource(resource)));
    this.#originBytes += resource.length + scope.length;
    return number;
  }

  #columns(): Buffer {
    const rows = this.#rows;
    const out = new ByteWriter();
    out.varint(rows.flags.length);
    out.bytes(Uint8Array.from(rows.flags));
    out.bytes(Uint8Array.from(rows.severity));
    for (const origin of rows.origin) out.varint(origin);
    let last = 0;
    for (const ms of rows.ms) {
      out.signed(ms - last);
      last = ms;
    }
    for (const ns of rows.ns) out.varint(ns);
    for (const ms of rows.observedMs) out.signed(ms);
    for (const ns of rows.observedNs) out.varint(ns);
    for (const length of rows.text) out.varint(length);
    for (const length of rows.rest) out.varint(length);
    // They follow each other, but for the first and after a restart.
    let next = 0;
    for (const number of rows.number) {
      out.signed(number - next);
      next = number + 1;
    }
    return out.written;
  }

  #originTable(): Buffer {
    const out = new ByteWriter();
    out.varint(this.#origins.length);
    for (const { resource, resourceSchema, scope, scopeSchema } of this.#origins)
      for (const part of [resource, Buffer.from(resourceSchema), scope, Buffer.from(scopeSchema)]) out.sized(part);
    // None at all: too many, or none of them; the number before says which.
    const keys = this.#keys.size <= mostKeys ? [...this.#keys] : undefined;
    out.varint(keys ? keys.length + 1 : 0);
    for (const key of keys ?? []) out.sized(Buffer.from(key));
    return out.written;
  }

  #bloom(): Uint8Array {
    const ids = this.#traceIds.written;
    if (ids.length === 0) return ids.subarray(0, 0);
    const different = new Set<string>();
    for (let at = 0; at < ids.length; at += 16) different.add(ids.toString("latin1", at, at + 16));
    const bloom = new Bloom(different.size);
    for (const id of different) bloom.add(Buffer.from(id, "latin1"));
    return bloom.bytes;
  }
}

const bodyText = (body: Uint8Array): string => textOf(decode<AnyValue>(messageNamed("AnyValue"), body));

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
