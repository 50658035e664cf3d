/**
 * Takes the spans of an ExportTraceServiceRequest into the columns of a head, by one walk over its bytes that makes no object
 * for a span. Fields that have a column go there, all others, unknown ones as well, are kept as they came.
 *
 * Source of the layout: opentelemetry-proto 1.x, trace.proto; of the encoding: protobuf.dev.
 */
import { MalformedError } from "../sink.ts";
import { afterScalar, afterVarint, check, cutOff, shape, varintAt } from "./check.ts";
import type { SpanHead } from "./span-head.ts";
import { bits } from "./span-rows.ts";

export interface WalkLimits {
  /** Milliseconds before now from which on a start is too old. */
  readonly tooOld: number;
  /** Milliseconds after now from which on a start is too new. */
  readonly tooNew: number;
  /** Bytes of a span. */
  readonly spanBytes: number;
}

/** Why a span was not taken. */
export type Reason = "invalid id" | "too old" | "too new" | "too large";

/** Further from the start than this, an end is kept as it came. Nanoseconds. */
const farthestEnd = 2 ** 52;
/** Starts are kept as numbers; nanoseconds from the head's base. */
const farthestStart = 2 ** 53;

export class RequestWalk {
  /** By the last walk, how many for which reason. */
  readonly refused = new Map<Reason, number>();
  readonly #head: SpanHead;
  readonly #limits: WalkLimits;
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** The field that was read last: its tag, and where its value is. */
  #tag = 0;
  #value = 0;
  #end = 0;
  /** Bounds of starts, nanoseconds after the head's base, which is `baseHigh`, `baseLow`. */
  #oldest = 0;
  #newest = 0;
  #baseHigh = 0;
  #baseLow = 0;
  #scratch = Buffer.allocUnsafeSlow(4096);

  constructor(head: SpanHead, limits: WalkLimits) {
    this.#head = head;
    this.#limits = limits;
  }

  /**
   * Adds rows to the head without committing them, and gives how many. After a `MalformedError`, the head must be rolled back.
   * `now`: ms since the epoch; starts too far from it are refused. Absent: they are as they are.
   */
  walk(request: Uint8Array, now?: number): number {
    const { buffer, byteOffset, length } = request;
    this.#bytes = Buffer.from(buffer, byteOffset, length);
    this.#view = new DataView(buffer, byteOffset, length);
    this.#bound(now);
    this.refused.clear();
    const before = this.#head.written;
    for (let at = 0; at < length; at = this.#end) {
      this.#field(at, length);
      if (this.#tag >>> 3 !== 1) continue;
      this.#expectMessage();
      const end = this.#end;
      this.#resourceSpans(this.#value, end);
      this.#end = end;
    }
    return this.#head.written - before;
  }

  #bound(now: number | undefined): void {
    const { base } = this.#head;
    const nanoseconds = BigInt(base) * 1_000_000n;
    this.#baseHigh = Number(nanoseconds >> 32n);
    this.#baseLow = Number(nanoseconds & 0xffff_ffffn);
    this.#oldest = now === undefined ? -farthestStart : (now - this.#limits.tooOld - base) * 1e6;
    this.#newest = now === undefined ? farthestStart : (now + this.#limits.tooNew - base) * 1e6;
  }

  /** Reads the field that begins there, up to its end, which must not be beyond `limit`. */
  #field(at: number, limit: number): void {
    const bytes = this.#bytes;
    const afterTag = afterVarint(bytes, at, limit);
    this.#tag = varintAt(bytes, at);
    if (this.#tag < 8) throw new MalformedError("a field has no number");
    if ((this.#tag & 7) !== 2) {
      this.#value = afterTag;
      this.#end = afterScalar(bytes, afterTag, limit, this.#tag & 7);
      return;
    }
    this.#value = afterVarint(bytes, afterTag, limit);
    this.#end = this.#value + varintAt(bytes, afterTag);
    if (this.#end > limit) throw cutOff();
  }

  #expectMessage(): void {
    if ((this.#tag & 7) !== 2) throw new MalformedError(`a field ${this.#tag >>> 3} is of wire type ${this.#tag & 7}`);
  }

  #resourceSpans(start: number, end: number): void {
    const resource = this.#head.resourceTable.intern(this.#envelope(start, end));
    for (let at = start; at < end; ) {
      this.#field(at, end);
      at = this.#end;
      if (this.#tag >>> 3 === 2) this.#scopeSpans(this.#value, at, resource);
    }
  }

  #scopeSpans(start: number, end: number, resource: number): void {
    const scope = this.#head.scopeTable.intern(this.#envelope(start, end));
    for (let at = start; at < end; ) {
      this.#field(at, end);
      at = this.#end;
      if (this.#tag >>> 3 === 2) this.#span(this.#value, at, resource, scope);
    }
  }

  /** All fields but field 2, which holds what is inside. Valid until the next call. */
  #envelope(start: number, end: number): Buffer {
    let length = 0;
    for (let at = start; at < end; at = this.#end) {
      this.#field(at, end);
      if (this.#tag >>> 3 === 2) {
        this.#expectMessage();
        continue;
      }
      if (length + this.#end - at > this.#scratch.length) this.#growScratch(length, this.#end - at);
      length += this.#bytes.copy(this.#scratch, length, at, this.#end);
    }
    return this.#scratch.subarray(0, length);
  }

  #growScratch(used: number, more: number): void {
    const larger = Buffer.allocUnsafeSlow(2 * (used + more));
    this.#scratch.copy(larger, 0, 0, used);
    this.#scratch = larger;
  }

  /** One long function, because it runs for every span: calls and results of several values would be half of its time. */
  #span(start: number, end: number, resource: number, scope: number): void {
    const bytes = this.#bytes;
    const view = this.#view;
    const head = this.#head;
    let [traceAt, idAt, parentAt, nameAt, nameEnd, startAt, endAt] = [-1, -1, -1, 0, 0, -1, -1];
    let bit = 0;
    let keptFrom = start;
    let at = start;
    while (at < end) {
      const fieldAt = at;
      let tag = bytes[at++] as number;
      if (tag >= 0x80) {
        at = afterVarint(bytes, fieldAt, end);
        tag = varintAt(bytes, fieldAt);
        if (tag < 0x80) throw new MalformedError("a tag is longer than it must be");
      }
      let length = 0;
      if ((tag & 7) === 2) {
        const lengthAt = at;
        length = bytes[at++] as number;
        if (length >= 0x80) {
          at = afterVarint(bytes, lengthAt, end);
          length = varintAt(bytes, lengthAt);
        }
        // Not a plain >: beyond the buffer's end the length is not a number.
        if (!(at + length <= end)) throw cutOff();
      }
      let column = true;
      switch (tag) {
        case 0x0a:
          traceAt = length === 16 ? at : -1;
          break;
        case 0x12:
          idAt = length === 8 ? at : -1;
          break;
        case 0x22:
          // A parent of zeros says what no parent says, but was sent.
          column = length === 8 && (view.getUint32(at, true) | view.getUint32(at + 4, true)) !== 0;
          if (column) parentAt = at;
          break;
        case 0x2a:
          nameAt = at;
          nameEnd = at + length;
          break;
        case 0x30:
          length = afterVarint(bytes, at, end) - at;
          column = length === 1 && (bytes[at] as number) <= bits.kind;
          if (column) bit = (bit & ~bits.kind) | (bytes[at] as number);
          break;
        case 0x39:
          startAt = at;
          length = 8;
          break;
        case 0x41:
          endAt = at;
          length = 8;
          break;
        case 0x7a: {
          const status = statusBits(bytes, at, at + length);
          column = (status & bits.statusInRest) === 0;
          bit = (bit & ~bits.status) | status;
          break;
        }
        default:
          length = otherField(bytes, tag, at, end, length);
          column = false;
      }
      at += length;
      if (!column) continue;
      if (keptFrom < fieldAt) head.keep(bytes, keptFrom, fieldAt);
      keptFrom = at;
    }
    if (at > end) throw cutOff();
    if (keptFrom < end) head.keep(bytes, keptFrom, end);

    const begun = startAt < 0 ? Number.NEGATIVE_INFINITY : this.#nanoseconds(startAt);
    const refused = this.#refusal(end - start, traceAt, idAt, begun);
    if (refused !== undefined) {
      this.refused.set(refused, (this.refused.get(refused) ?? 0) + 1);
      head.dropRest();
      return;
    }
    let duration = endAt < 0 ? farthestEnd : this.#nanoseconds(endAt) - begun;
    if (Math.abs(duration) >= farthestEnd) {
      if (endAt >= 0) head.keep(bytes, endAt - 1, endAt + 8);
      bit |= bits.endInRest;
      duration = 0;
    }
    head.reserve();
    const row = head.written;
    head.traces[row] = head.traceTable.intern(view, traceAt);
    head.starts[row] = begun;
    head.durations[row] = duration;
    head.names[row] = head.nameTable.intern(bytes, nameAt, nameEnd);
    head.resources[row] = resource;
    head.scopes[row] = scope;
    head.bits[row] = bit;
    const { ids } = head;
    ids.low[row] = view.getUint32(idAt, true);
    ids.high[row] = view.getUint32(idAt + 4, true);
    ids.parentLow[row] = parentAt < 0 ? 0 : view.getUint32(parentAt, true);
    ids.parentHigh[row] = parentAt < 0 ? 0 : view.getUint32(parentAt + 4, true);
    head.endRow();
  }

  /** After the head's base; exact as long as it is less than 2^53. */
  #nanoseconds(at: number): number {
    const high = this.#view.getUint32(at + 4, true) - this.#baseHigh;
    return high * 4_294_967_296 + (this.#view.getUint32(at, true) - this.#baseLow);
  }

  #refusal(length: number, traceAt: number, idAt: number, begun: number): Reason | undefined {
    if (traceAt < 0 || idAt < 0 || this.#isZero(traceAt, 16) || this.#isZero(idAt, 8)) return "invalid id";
    if (begun < this.#oldest) return "too old";
    if (begun > this.#newest) return "too new";
    return length > this.#limits.spanBytes ? "too large" : undefined;
  }

  #isZero(at: number, length: number): boolean {
    for (let i = at; i < at + length; i += 4) if (this.#view.getUint32(i, true) !== 0) return false;
    return true;
  }
}

/** The status' code in its place, with `statusInRest` if there is more to it. */
function statusBits(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start + 1] as number;
  if (end - start === 2 && bytes[start] === 0x18 && (first === 1 || first === 2)) return first << bits.statusShift;
  check(bytes, start, end, shape.status);
  let code = 0;
  for (let at = start; at < end; ) {
    const tag = varintAt(bytes, at);
    at = afterVarint(bytes, at, end);
    if (tag === 0x18) code = varintAt(bytes, at);
    if ((tag & 7) === 2) at = afterVarint(bytes, at, end) + varintAt(bytes, at);
    else at = afterScalar(bytes, at, end, tag & 7);
  }
  return bits.statusInRest | (code === 1 || code === 2 ? code << bits.statusShift : 0);
}

/** Length of the value of a field without a column; what is inside is checked. */
function otherField(bytes: Buffer, tag: number, at: number, end: number, length: number): number {
  const { types, nested } = shape.span;
  const number = tag >>> 3;
  const type = tag & 7;
  const expected = types[number] ?? 255;
  if (number === 0 || (type !== expected && expected !== 255))
    throw new MalformedError(`a span's field ${number} is of wire type ${type}`);
  if (type !== 2) return afterScalar(bytes, at, end, type) - at;
  const inner = nested[number];
  if (inner) check(bytes, at, at + length, inner);
  return length;
}
