/**
 * Writes protobuf from the last byte to the first: the length of a message, which comes before it, is then known when it is
 * written, so nothing is measured twice or moved. Fields are given in reverse.
 *
 * Source: gogo/protobuf's MarshalToSizedBuffer, for the order; protobuf.dev, Encoding.
 */

/** Longer texts are left to the native encoder, which is faster from about here. */
const shortText = 48;

export class ReverseWriter {
  #buffer: Buffer;
  /** What is written is from here to the end. */
  #at: number;

  constructor(size = 1024) {
    this.#buffer = Buffer.allocUnsafe(size);
    this.#at = size;
  }

  /** Valid until the next write. */
  written(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  clear(): void {
    this.#at = this.#buffer.length;
  }

  /** Where the end of a message is, for `message`. */
  get end(): number {
    return this.#buffer.length - this.#at;
  }

  /** Makes what was written since `end` the message of `field`. */
  message(field: number, end: number): void {
    this.#varint(this.end - end);
    this.#tag(field, 2);
  }

  varint(field: number, value: number): void {
    this.#varint(value);
    this.#tag(field, 0);
  }

  /** Zigzag; from -2^31. */
  sint32(field: number, value: number): void {
    this.varint(field, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  fixed32(field: number, value: number): void {
    this.#room(4);
    this.#at = this.#buffer.writeUInt32LE(value, this.#at - 4) - 4;
    this.#tag(field, 5);
  }

  /** A whole number from 0 to 2^53. */
  fixed64(field: number, value: number): void {
    this.#room(8);
    this.#buffer.writeUInt32LE(Math.floor(value / 2 ** 32), this.#at - 4);
    this.#at = this.#buffer.writeUInt32LE(value % 2 ** 32, this.#at - 8) - 4;
    this.#tag(field, 1);
  }

  /** A moment as nanoseconds since the epoch; `time` is in milliseconds, of which microseconds are kept. */
  nanoseconds(field: number, time: number): void {
    this.#room(8);
    this.#at = this.#buffer.writeBigUInt64LE(BigInt(Math.round(time * 1000)) * 1000n, this.#at - 8) - 8;
    this.#tag(field, 1);
  }

  double(field: number, value: number): void {
    this.#room(8);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at - 8) - 8;
    this.#tag(field, 1);
  }

  text(field: number, text: string): void {
    const length = this.#text(text);
    this.#varint(length);
    this.#tag(field, 2);
  }

  /** Bytes that are given as hex. */
  hex(field: number, digits: string): void {
    const length = digits.length >> 1;
    this.#room(length);
    this.#at -= length;
    this.#buffer.write(digits, this.#at, "hex");
    this.#varint(length);
    this.#tag(field, 2);
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  /** Packed; whole numbers from 0. */
  varints(field: number, values: ArrayLike<number>): void {
    const end = this.end;
    for (let i = values.length - 1; i >= 0; i--) this.#varint(values[i] as number);
    this.message(field, end);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    this.#room(10);
    if (value < 0x80) {
      this.#buffer[--this.#at] = value;
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
    let at = this.#at - length;
    this.#at = at;
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[at++] = (rest % 0x80) | 0x80;
    this.#buffer[at] = rest;
  }

  #text(text: string): number {
    if (text.length <= shortText) {
      this.#room(text.length);
      const begun = this.#at;
      let at = begun;
      for (let i = text.length - 1; i >= 0; i--) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) return this.#longText(text);
        this.#buffer[--at] = code;
      }
      this.#at = at;
      return text.length;
    }
    return this.#longText(text);
  }

  #longText(text: string): number {
    const length = Buffer.byteLength(text);
    this.#room(length);
    this.#at -= length;
    this.#buffer.write(text, this.#at, "utf8");
    return length;
  }

  #room(more: number): void {
    if (this.#at >= more) return;
    const end = this.end;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, end + more));
    this.#buffer.copy(larger, larger.length - end, this.#at);
    this.#buffer = larger;
    this.#at = larger.length - end;
  }
}
