/** Reads and writes protobuf's wire format. Source: protobuf.dev, Encoding. */
import { badRequest } from "./status-error.ts";

export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A cursor over bytes. Whatever is malformed or cut off is a BadRequest. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.length;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** An unsigned number below 2^64. */
  #raw(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw malformed("unexpected end");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed("a number is longer than 64 bits");
  }

  varint(): number {
    // Nearly all numbers have one or two bytes.
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return first;
    }
    return Number(BigInt.asIntN(64, this.#raw()));
  }

  tag(): { number: number; type: number } {
    const tag = this.varint();
    if (tag < 8) throw malformed("a field has no number");
    return { number: Math.floor(tag / 8), type: tag % 8 };
  }

  double(): number {
    if (this.#at + 8 > this.#end) throw malformed("unexpected end");
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  bytes(): Uint8Array {
    const length = this.varint();
    if (length < 0 || this.#at + length > this.#end) throw malformed("unexpected end");
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  string(): string {
    return decoder.decode(this.bytes());
  }

  /** Passes over a value that nobody asked for. */
  skip(type: number): void {
    if (type === wire.varint) this.varint();
    else if (type === wire.bytes) this.bytes();
    else if (type === wire.fixed64) this.#at += 8;
    else if (type === wire.fixed32) this.#at += 4;
    else throw malformed(`wire type ${type}`);
    if (this.#at > this.#end) throw malformed("unexpected end");
  }
}

export const malformed = (why: string): Error => badRequest(`malformed protobuf message: ${why}`);

/** Collects the bytes of one message. */
export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  varint(value: number): void {
    this.#room(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  tag(number: number, type: number): void {
    this.varint(number * 8 + type);
  }

  double(value: number): void {
    this.#room(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  string(text: string): void {
    this.bytes(encoder.encode(text));
  }
}
