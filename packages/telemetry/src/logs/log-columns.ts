/**
 * Records in columns, as a block has them: what searches go by, each kind together, so that it compresses well and a search reads
 * only what it needs; the texts of all bodies in one piece; what is left of each record as protobuf.
 */
import { serviceOf, textOf } from "../attributes.ts";
import { decode, decodeResource } from "../otlp/codec.ts";
import { messageNamed } from "../otlp/schema.ts";
import type { AnyValue } from "../otlp/types.ts";
import { Bloom } from "../store/bloom.ts";
import type { Draft } from "../store/segment.ts";
import type { Origin, RawGroup, RawRecord } from "./log-request.ts";
import { PackedWriter } from "./packed.ts";

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

interface Row {
  readonly number: number;
  readonly flags: number;
  readonly severity: number;
  readonly origin: number;
  /** By this it is found: its time; when it was observed, where it has none; when it came, where it has neither. */
  readonly ms: number;
  readonly ns: number;
  readonly observedMs: number;
  readonly observedNs: number;
  readonly text: number;
  readonly rest: number;
}

export class LogColumns {
  #rows: Row[] = [];
  #origins: Origin[] = [];
  #services: string[] = [];
  readonly #originNumbers = new Map<string, number>();
  #originBytes = 0;
  readonly #keys = new Set<string>();
  readonly #events = new Set<string>();
  #plain = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;
  #maxSeverity = 0;
  readonly #text = new PackedWriter();
  readonly #rest = new PackedWriter();
  readonly #traceIds = new PackedWriter();
  readonly #spanIds = new PackedWriter();

  get rows(): number {
    return this.#rows.length;
  }

  /** Of what is kept, about. */
  get bytes(): number {
    return this.#text.length + this.#rest.length + this.#originBytes + this.#traceIds.length + this.#rows.length * 8;
  }

  /** Time of the oldest record; Infinity: there is none. */
  get from(): number {
    return this.#from;
  }

  /** `first`: the number of its first record. `now`: ms since the epoch. */
  add(groups: readonly RawGroup[], first: number, now: number): void {
    let number = first;
    for (const { origin, records } of groups) {
      const from = this.#originOf(origin);
      for (const record of records) this.#add(record, number++, from, now);
    }
  }

  clear(): void {
    this.#rows = [];
    this.#origins = [];
    this.#services = [];
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

  /** The sections are copies. Undefined: there is nothing. */
  draft(): Draft<AboutLogs> | undefined {
    if (this.#rows.length === 0) return undefined;
    const services = [...new Set(this.#services)];
    const about: AboutLogs = {
      first: this.#rows[0]?.number ?? 0,
      last: this.#rows.at(-1)?.number ?? 0,
      ...(services.length <= mostListed && { services }),
      maxSeverity: this.#maxSeverity,
      ...(this.#events.size <= mostListed && { events: [...this.#events] }),
      plain: this.#plain,
      traces: this.#traceIds.length / 16,
    };
    return {
      from: this.#from,
      to: this.#to,
      rows: this.#rows.length,
      about,
      sections: [
        { bytes: this.#columns() },
        { bytes: Buffer.from(this.#text.written) },
        { bytes: Buffer.from(this.#rest.written) },
        { bytes: this.#originTable() },
        { bytes: Buffer.concat([this.#traceIds.written, this.#spanIds.written]) },
        { bytes: this.#bloom(), plain: true },
      ],
    };
  }

  #add(record: RawRecord, number: number, origin: number, now: number): void {
    const hasTime = record.ms !== 0 || record.ns !== 0;
    const hasObserved = record.observedMs !== 0 || record.observedNs !== 0;
    const [ms, ns] = hasTime ? [record.ms, record.ns] : hasObserved ? [record.observedMs, record.observedNs] : [now, 0];
    const isLater = hasObserved && (record.observedMs !== ms || record.observedNs !== ns);
    const text = record.text ?? Buffer.from(record.body ? bodyText(record.body) : "");
    const before = this.#rest.length;
    for (const piece of record.rest) this.#rest.bytes(piece);
    this.#text.bytes(text);
    if (record.traceId) this.#traceIds.bytes(record.traceId);
    if (record.spanId) this.#spanIds.bytes(record.spanId);
    this.#rows.push({
      number,
      flags:
        (hasTime ? flag.time : 0) |
        (hasObserved ? flag.observed : 0) |
        (isLater ? flag.observedLater : 0) |
        (record.traceId ? flag.trace : 0) |
        (record.spanId ? flag.span : 0) |
        (record.text ? flag.text : 0) |
        (record.isEvent ? flag.event : 0),
      severity: record.severity,
      origin,
      ms,
      ns,
      observedMs: record.observedMs,
      observedNs: record.observedNs,
      text: text.length,
      rest: this.#rest.length - before,
    });
    this.#from = Math.min(this.#from, ms);
    this.#to = Math.max(this.#to, ms);
    this.#maxSeverity = Math.max(this.#maxSeverity, record.severity);
    if (!record.isEvent) this.#plain++;
    else if (this.#events.size <= mostListed) this.#events.add(record.eventName);
    if (this.#keys.size <= mostKeys) for (const key of record.keys) this.#keys.add(key);
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
    this.#services.push(serviceOf(decodeResource(resource)));
    this.#originBytes += resource.length + scope.length;
    return number;
  }

  #columns(): Buffer {
    const rows = this.#rows;
    const out = new PackedWriter();
    out.number(rows.length);
    out.bytes(Uint8Array.from(rows, ({ flags }) => flags));
    out.bytes(Uint8Array.from(rows, ({ severity }) => severity));
    for (const { origin } of rows) out.number(origin);
    let last = 0;
    for (const { ms } of rows) {
      out.signed(ms - last);
      last = ms;
    }
    for (const { ns } of rows) out.number(ns);
    for (const { flags, ms, observedMs } of rows) if (flags & flag.observedLater) out.signed(observedMs - ms);
    for (const { flags, observedNs } of rows) if (flags & flag.observedLater) out.number(observedNs);
    for (const { text } of rows) out.number(text);
    for (const { rest } of rows) out.number(rest);
    // They follow each other, but for the first and after a restart.
    let next = 0;
    for (const { number } of rows) {
      out.signed(number - next);
      next = number + 1;
    }
    return out.written;
  }

  #originTable(): Buffer {
    const out = new PackedWriter();
    out.number(this.#origins.length);
    for (const { resource, resourceSchema, scope, scopeSchema } of this.#origins)
      for (const part of [resource, Buffer.from(resourceSchema), scope, Buffer.from(scopeSchema)]) out.sized(part);
    // None at all: too many, or none of them; the number before says which.
    const keys = this.#keys.size <= mostKeys ? [...this.#keys] : undefined;
    out.number(keys ? keys.length + 1 : 0);
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
