/** Reads the sections of a block (or of the head, drafted) back, each when it is first needed. */
import { decodeLogRecord, decodeResource, decodeScope } from "../otlp/codec.ts";
import type { LogRecord, Resource, Scope } from "../otlp/types.ts";
import { mayHold } from "../store/bloom.ts";
import { ByteReader } from "../store/bytes.ts";
import type { FoundLog } from "../telemetry.ts";
import { type AboutLogs, flag, section } from "./log-columns.ts";
import { nanosText } from "./log-request.ts";

/** Where sections come from. */
export interface LogSource {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly about: AboutLogs;
  read(section: number): Buffer;
  /** Of a section that is not compressed. */
  part(section: number, offset: number, length: number): Buffer;
  length(section: number): number;
}

/** Decoded when it is asked for: there may be as many as records. */
export class OriginView {
  readonly bytes: Buffer;
  readonly resourceSchema: string;
  readonly scopeSchema: string;
  readonly #scopeBytes: Buffer;
  #resource: Resource | undefined;
  #scope: Scope | undefined;

  constructor(bytes: Buffer, resourceSchema: string, scopeBytes: Buffer, scopeSchema: string) {
    this.bytes = bytes;
    this.resourceSchema = resourceSchema;
    this.#scopeBytes = scopeBytes;
    this.scopeSchema = scopeSchema;
  }

  get resource(): Resource {
    this.#resource ??= decodeResource(this.bytes);
    return this.#resource;
  }

  get scope(): Scope {
    this.#scope ??= decodeScope(this.#scopeBytes);
    return this.#scope;
  }
}

/** Index: the record's place in the block. Of texts and rests, where each ends. */
export interface Columns {
  readonly flags: Uint8Array;
  readonly severity: Uint8Array;
  readonly origin: Uint32Array;
  readonly ms: Float64Array;
  readonly ns: Uint32Array;
  /** Since the record's own time; with `flag.observedLater` only. */
  readonly observedMs: Float64Array;
  readonly observedNs: Uint32Array;
  readonly textEnd: Uint32Array;
  readonly restEnd: Uint32Array;
  readonly number: Float64Array;
}

export class LogView {
  readonly source: LogSource;
  #columns: Columns | undefined;
  #text: Buffer | undefined;
  #rest: Buffer | undefined;
  #origins: { readonly list: readonly OriginView[]; readonly keys: ReadonlySet<string> | undefined } | undefined;
  #ids: { readonly traceAt: Int32Array; readonly spanAt: Int32Array; readonly bytes: Buffer } | undefined;

  constructor(source: LogSource) {
    this.source = source;
  }

  get columns(): Columns {
    this.#columns ??= columnsOf(this.source.read(section.columns));
    return this.#columns;
  }

  /** Of all bodies, one after the other. */
  get text(): Buffer {
    this.#text ??= this.source.read(section.text);
    return this.#text;
  }

  get origins() {
    this.#origins ??= originsOf(this.source.read(section.origins));
    return this.#origins;
  }

  /** Never false when there is a record of this trace. */
  mayHoldTrace(id: Uint8Array): boolean {
    const length = this.source.length(section.bloom);
    if (length === 0) return false;
    return mayHold(length, (offset, length) => this.source.part(section.bloom, offset, length), id);
  }

  textOf(index: number): string {
    const { textEnd } = this.columns;
    return this.text.toString("utf8", startOf(textEnd, index), textEnd[index]);
  }

  /** Lower-case hex; undefined: none. */
  traceId(index: number): string | undefined {
    const { traceAt, bytes } = this.#idColumns();
    const at = traceAt[index] as number;
    return at < 0 ? undefined : bytes.toString("hex", at, at + 16);
  }

  spanId(index: number): string | undefined {
    const { spanAt, bytes } = this.#idColumns();
    const at = spanAt[index] as number;
    return at < 0 ? undefined : bytes.toString("hex", at, at + 8);
  }

  /** Of all records, one after the other: protobuf's bytes of the fields that are in no column. */
  get rests(): Buffer {
    this.#rest ??= this.source.read(section.rest);
    return this.#rest;
  }

  restOf(index: number): Buffer {
    const { restEnd } = this.columns;
    return this.rests.subarray(startOf(restEnd, index), restEnd[index]);
  }

  /** Bytes of what is in no column of numbers. */
  sizeOf(index: number): number {
    const { textEnd, restEnd } = this.columns;
    const text = (textEnd[index] as number) - startOf(textEnd, index);
    return text + (restEnd[index] as number) - startOf(restEnd, index);
  }

  /** The fields that are in no column. */
  rest(index: number): LogRecord {
    return decodeLogRecord(this.restOf(index));
  }

  found(index: number): FoundLog {
    const { resource, scope, resourceSchema, scopeSchema } = this.origins.list[
      this.columns.origin[index] as number
    ] as OriginView;
    return {
      id: idOf(this.columns.number[index] as number),
      resource,
      scope,
      record: this.#record(index),
      ...(resourceSchema && { resourceSchemaUrl: resourceSchema }),
      ...(scopeSchema && { scopeSchemaUrl: scopeSchema }),
    };
  }

  /**
   * Gives large sections' memory back at once: a search through many blocks would otherwise hold what the garbage collector has not
   * come to yet. The view must not be used any more.
   */
  release(): void {
    for (const bytes of [this.#text, this.#rest, this.#ids?.bytes]) if (bytes) free(bytes);
    this.#text = undefined;
    this.#rest = undefined;
    this.#ids = undefined;
  }

  #record(index: number): LogRecord {
    const { flags: all, severity, ms, ns, observedMs, observedNs } = this.columns;
    const flags = all[index] as number;
    const time = nanosText(ms[index] as number, ns[index] as number);
    const later = () => nanosText((ms[index] as number) + (observedMs[index] as number), observedNs[index] as number);
    const traceId = flags & flag.trace ? this.traceId(index) : undefined;
    const spanId = flags & flag.span ? this.spanId(index) : undefined;
    return {
      ...(flags & flag.time && { timeUnixNano: time }),
      ...(flags & flag.observed && { observedTimeUnixNano: flags & flag.observedLater ? later() : time }),
      ...(severity[index] !== 0 && { severityNumber: severity[index] }),
      ...(flags & flag.text && { body: { stringValue: this.textOf(index) } }),
      ...this.rest(index),
      ...(traceId && { traceId }),
      ...(spanId && { spanId }),
    };
  }

  #idColumns() {
    this.#ids ??= idsOf(this.columns.flags, this.source.read(section.ids));
    return this.#ids;
  }
}

/** Below this, Node.js may have made it a part of memory that others use as well. */
const ownMemory = 1 << 17;

function free({ buffer, byteOffset, byteLength }: Buffer): void {
  const isOwn = byteOffset === 0 && byteLength >= ownMemory && buffer.byteLength <= byteLength + 64;
  if (isOwn && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Of the same length for all, so that texts compare as numbers do. */
export const idOf = (number: number): string => String(number).padStart(16, "0");

const startOf = (ends: Uint32Array, index: number): number => (index === 0 ? 0 : (ends[index - 1] as number));

function columnsOf(bytes: Buffer): Columns {
  const reader = new ByteReader(bytes);
  const rows = reader.varint();
  const flags = reader.bytes(rows);
  const severity = reader.bytes(rows);
  const origin = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) origin[row] = reader.varint();
  const ms = new Float64Array(rows);
  for (let row = 0, last = 0; row < rows; row++) {
    last += reader.signed();
    ms[row] = last;
  }
  const ns = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) ns[row] = reader.varint();
  const observedMs = new Float64Array(rows);
  const observedNs = new Uint32Array(rows);
  for (let row = 0; row < rows; row++)
    if ((flags[row] as number) & flag.observedLater) observedMs[row] = reader.signed();
  for (let row = 0; row < rows; row++)
    if ((flags[row] as number) & flag.observedLater) observedNs[row] = reader.varint();
  const textEnd = endsOf(reader, rows);
  const restEnd = endsOf(reader, rows);
  const number = new Float64Array(rows);
  for (let row = 0, next = 0; row < rows; row++) {
    next += reader.signed();
    number[row] = next++;
  }
  return { flags, severity, origin, ms, ns, observedMs, observedNs, textEnd, restEnd, number };
}

function endsOf(reader: ByteReader, rows: number): Uint32Array {
  const ends = new Uint32Array(rows);
  for (let row = 0, end = 0; row < rows; row++) {
    end += reader.varint();
    ends[row] = end;
  }
  return ends;
}

function originsOf(bytes: Buffer) {
  const reader = new ByteReader(bytes);
  const list = Array.from({ length: reader.varint() }, (): OriginView => {
    const [resource, resourceSchema, scope, scopeSchema] = [
      reader.sized(),
      reader.sized(),
      reader.sized(),
      reader.sized(),
    ];
    return new OriginView(resource, resourceSchema.toString(), scope, scopeSchema.toString());
  });
  const count = reader.varint();
  const keys = count === 0 ? undefined : new Set(Array.from({ length: count - 1 }, () => reader.sized().toString()));
  return { list, keys };
}

/** Trace ids are first, then span ids; -1: the record has none. */
function idsOf(flags: Uint8Array, bytes: Buffer) {
  const traceAt = new Int32Array(flags.length).fill(-1);
  const spanAt = new Int32Array(flags.length).fill(-1);
  let at = 0;
  for (let row = 0; row < flags.length; row++)
    if ((flags[row] as number) & flag.trace) {
      traceAt[row] = at;
      at += 16;
    }
  for (let row = 0; row < flags.length; row++)
    if ((flags[row] as number) & flag.span) {
      spanAt[row] = at;
      at += 8;
    }
  return { traceAt, spanAt, bytes };
}
