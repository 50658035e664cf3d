/**
 * Protobuf's wire format, for messages that are mostly short texts and 64-bit integers: those are decimal text here, as in
 * OTLP/JSON. Source: protobuf.dev, Encoding.
 *
 * Package objects has a reader and writer of its own, for Kubernetes' messages: their 64-bit integers are numbers there.
 */
import { MalformedError } from "../sink.ts";

export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** A cursor over one message with everything that is in it. Whatever is malformed or cut off is a `MalformedError`. */
export class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The low 32 bits of a number, as an unsigned one: of tags, lengths, enums, flags. */
  uint32(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++];
    if (byte === undefined) throw cutOff();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      byte = bytes[this.at++];
      if (byte === undefined) throw cutOff();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedError("a number is longer than 64 bits");
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  bool(): boolean {
    // Not by its low bits: every number but zero is true.
    return this.uint64() !== "0";
  }

  uint64(): string {
    const first = this.#bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at++;
      return String(first);
    }
    return String(this.#varint());
  }

  int64(): string {
    const first = this.#bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at++;
      return String(first);
    }
    const value = this.#varint();
    return String(typeof value === "number" ? value : BigInt.asIntN(64, value));
  }

  /** Of more than one byte; a bigint from 2^49 on. */
  #varint(): number | bigint {
    const bytes = this.#bytes;
    const start = this.at;
    let value = 0;
    for (let scale = 1; scale <= 2 ** 42; scale *= 128) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw cutOff();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    let large = BigInt(value);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw cutOff();
      large |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, large);
    }
    throw new MalformedError(`a number is longer than 64 bits (byte ${start})`);
  }

  fixed32(): number {
    const at = this.#pass(4);
    return this.#view.getUint32(at, true);
  }

  fixed64(): string {
    const at = this.#pass(8);
    const high = this.#view.getUint32(at + 4, true);
    // Counts are small, times are not.
    if (high < 0x200000) return String(high * 2 ** 32 + this.#view.getUint32(at, true));
    return String(this.#view.getBigUint64(at, true));
  }

  sfixed64(): string {
    return String(this.#view.getBigInt64(this.#pass(8), true));
  }

  double(): number {
    return this.#view.getFloat64(this.#pass(8), true);
  }

  /** Where the value that follows ends, which begins with its length and must end before `end`. */
  endOfBytes(end: number): number {
    const length = this.uint32();
    const last = this.at + length;
    if (last > end) throw cutOff();
    return last;
  }

  /** What is not UTF-8 becomes U+FFFD. */
  text(encoding: "utf8" | "hex" | "base64", end: number): string {
    const last = this.endOfBytes(end);
    const text = this.#bytes.toString(encoding, this.at, last);
    this.at = last;
    return text;
  }

  /** Passes over a value that nobody asked for. */
  skip(type: number, end: number): void {
    if (type === wire.varint) this.uint64();
    else if (type === wire.bytes) this.at = this.endOfBytes(end);
    else if (type === wire.fixed64) this.#pass(8);
    else if (type === wire.fixed32) this.#pass(4);
    else throw new MalformedError(`wire type ${type}`);
  }

  #pass(count: number): number {
    const at = this.at;
    this.at += count;
    if (this.at > this.#bytes.length) throw cutOff();
    return at;
  }
}

const cutOff = (): Error => new MalformedError("the message is cut off");

/** Collects a message from its end to its beginning, so that each length is known when it is written. */
export class Writer {
  #bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(4096);
  #view: DataView<ArrayBuffer> = new DataView(this.#bytes.buffer);
  #at = 4096;

  /** Bytes written so far. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** A copy of what was written; the writer is empty after it. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#bytes.subarray(this.#at));
    this.#at = this.#bytes.length;
    // One large message is no reason to keep its size for ever.
    if (this.#bytes.length > 2 ** 20) this.#take(Buffer.allocUnsafeSlow(4096));
    return bytes;
  }

  #take(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#at = bytes.length;
  }

  /** Makes room; returns where the `count` bytes begin. */
  #room(count: number): number {
    if (this.#at < count) {
      const old = this.#bytes.subarray(this.#at);
      this.#take(Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, old.length + count)));
      this.#at -= old.length;
      this.#bytes.set(old, this.#at);
    }
    this.#at -= count;
    return this.#at;
  }

  uint32(value: number): void {
    let size = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
    let at = this.#room(size);
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[at++] = (rest & 0x7f) | 0x80;
    this.#bytes[at] = rest;
  }

  /** Negative ones take ten bytes, as protobuf has it. */
  int32(value: number): void {
    if (value >= 0) this.uint32(value);
    else this.int64(String(value));
  }

  sint32(value: number): void {
    this.uint32((value << 1) ^ (value >> 31));
  }

  /** Also of unsigned ones. */
  int64(text: string): void {
    const small = Number(text);
    if (small >= 0 && small < 2 ** 32) {
      this.uint32(small);
      return;
    }
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(text));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    // What is written to may be another after making room.
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  fixed32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  /** Also of signed ones. */
  fixed64(text: string): void {
    const at = this.#room(8);
    // In two numbers that are exact: digits before the last nine, and those.
    let head = 0;
    let tail = 0;
    for (let i = 0; i < text.length; i++) {
      const digit = text.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9 || text.length > 20) {
        this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(text)), true);
        return;
      }
      if (i < text.length - 9) head = head * 10 + digit;
      else tail = tail * 10 + digit;
    }
    const upper = Math.floor(head / 65_536) * 1e9;
    const lower = (head % 65_536) * 1e9 + tail + (upper % 65_536) * 65_536;
    this.#view.setUint32(at, lower % 2 ** 32, true);
    this.#view.setUint32(at + 4, Math.floor(upper / 65_536) + Math.floor(lower / 2 ** 32), true);
  }

  double(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
  }

  /** With its length. */
  text(text: string, encoding: "utf8" | "hex" | "base64"): void {
    if (encoding === "utf8" && text.length <= shortText && this.#ascii(text)) return;
    const size = Buffer.byteLength(text, encoding);
    const at = this.#room(size);
    const written = this.#bytes.write(text, at, size, encoding);
    if (written !== size) throw new Error(`not ${encoding}: ${text}`);
    this.uint32(size);
  }

  /** False, and nothing is written, when there is anything else. */
  #ascii(text: string): boolean {
    const at = this.#room(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        this.#at += text.length;
        return false;
      }
      this.#bytes[at + i] = code;
    }
    this.uint32(text.length);
    return true;
  }
}

/** Up to here a loop is faster than a call of native code. Characters. */
const shortText = 32;
