/** The messages of spans, put together again from columns and rests. */
import { decodeSpan } from "../otlp/codec.ts";
import type { ResourceSpans, ScopeSpans, Span, TracesData } from "../otlp/types.ts";
import { decodeResourceSpans, decodeScopeSpans } from "./span-head.ts";
import { bits, isRoot, type SpanRows } from "./span-rows.ts";
import { idLength } from "./trace-table.ts";

/** Bytes of all fields with a column, at most, beside the name. */
const mostFixed = 80;

/** A row as the Span message that came in; fields may be in another order. `rest`: its chunk. */
export function spanBytes(rows: SpanRows, row: number, rest: Buffer): Buffer {
  const name = rows.dictionary.name(rows.names[row] as number);
  const [restStart, restEnd] = [rows.rest.start(row), rows.rest.end(row)];
  const bytes = Buffer.allocUnsafe(mostFixed + name.length + restEnd - restStart);
  const { ids, traceIds } = rows;
  const bit = rows.bits[row] as number;
  let at = 0;
  const byte = (value: number) => {
    bytes[at++] = value;
  };
  const id = (tag: number, low: Uint32Array, high: Uint32Array) => {
    byte(tag);
    byte(8);
    at = bytes.writeUInt32LE(low[row] as number, at);
    at = bytes.writeUInt32LE(high[row] as number, at);
  };
  byte(0x0a);
  byte(idLength);
  const trace = (rows.traces[row] as number) * idLength;
  at += traceIds.copy(bytes, at, trace, trace + idLength);
  id(0x12, ids.low, ids.high);
  if (!isRoot(ids, row)) id(0x22, ids.parentLow, ids.parentHigh);
  if (name.length > 0) {
    byte(0x2a);
    let length = name.length;
    for (; length > 127; length >>>= 7) byte((length & 127) | 128);
    byte(length);
    at += name.copy(bytes, at);
  }
  if (bit & bits.kind) {
    byte(0x30);
    byte(bit & bits.kind);
  }
  const start = BigInt(rows.base) * 1_000_000n + BigInt(rows.starts[row] as number);
  byte(0x39);
  at = bytes.writeBigUInt64LE(start, at);
  if (!(bit & bits.endInRest)) {
    byte(0x41);
    at = bytes.writeBigUInt64LE(start + BigInt(rows.durations[row] as number), at);
  }
  if (bit & bits.status && !(bit & bits.statusInRest)) {
    for (const value of [0x7a, 2, 0x18, (bit & bits.status) >> bits.statusShift]) byte(value);
  }
  at += rest.copy(bytes, at, restStart, restEnd);
  return bytes.subarray(0, at);
}

/** Collects the spans of one trace, each once, by resource and scope. */
export class TraceAssembly {
  /** Spans so far. */
  count = 0;
  readonly #resources = new Map<string, { message: ResourceSpans; scopes: Map<string, ScopeSpans> }>();
  readonly #seen = new Set<string>();

  /** A row, and the bytes of the chunk of its rest. */
  add(rows: SpanRows, row: number, rest: Buffer): void {
    const resource = rows.dictionary.resources[rows.resources[row] as number]?.bytes as Buffer;
    const scope = rows.dictionary.scopes[rows.scopes[row] as number]?.bytes as Buffer;
    const resourceKey = resource.toString("latin1");
    const scopeKey = scope.toString("latin1");
    const bytes = spanBytes(rows, row, rest);
    const span = decodeSpan(bytes);
    // Sent again because an answer was lost.
    const whole = `${span.spanId} ${bytes.toString("latin1")} ${scopeKey} ${resourceKey}`;
    if (this.#seen.has(whole)) return;
    this.#seen.add(whole);
    this.count++;
    this.#scope(resourceKey, resource, scopeKey, scope).push(span);
  }

  /** Undefined: there are no spans. */
  get data(): TracesData | undefined {
    if (this.count === 0) return undefined;
    return { resourceSpans: Array.from(this.#resources.values(), ({ message }) => message) };
  }

  #scope(resourceKey: string, resource: Buffer, scopeKey: string, scope: Buffer): Span[] {
    let group = this.#resources.get(resourceKey);
    if (!group) {
      group = { message: { ...decodeResourceSpans(resource), scopeSpans: [] }, scopes: new Map() };
      this.#resources.set(resourceKey, group);
    }
    let message = group.scopes.get(scopeKey);
    if (!message) {
      message = { ...decodeScopeSpans(scope), spans: [] };
      group.scopes.set(scopeKey, message);
      group.message.scopeSpans?.push(message);
    }
    return message.spans as Span[];
  }
}
