/**
 * Writes protobuf from the last byte to the first: the length of a message, which comes before it, is then known when it is
 * written, so nothing is measured twice or moved. Fields are given in reverse.
 *
 * Every request pays for it, so fields are written as the code has them: package telemetry's writer, which goes by tables and has
 * 64-bit integers as text, is for those who keep what others sent.
 *
 * Source: gogo/protobuf's MarshalToSizedBuffer, for the order; protobuf.dev, Encoding.
 */

/** Longer texts are left to the native encoder, which is faster from about here. */
const shortText = 48;

export class ReverseWriter {
  #buffer: Buffer;
  #view: DataView;
  /** What is written is from here to the end. */
  #at: number;

  constructor(size = 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
    this.#view = new DataView(this.#buffer.buffer);
    this.#at = size;
  }

  /** A copy, and the writer is empty. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(this.#at));
    this.#at = this.#buffer.length;
    return taken;
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
    this.#at -= 4;
    this.#view.setUint32(this.#at, value, true);
    this.#tag(field, 5);
  }

  /** A whole number from 0 to 2^53. */
  fixed64(field: number, value: number): void {
    this.#fixed64(Math.floor(value / 2 ** 32), value % 2 ** 32);
    this.#tag(field, 1);
  }

  /** A moment as nanoseconds since the epoch; `time` is in milliseconds, of which microseconds are kept. */
  nanoseconds(field: number, time: number): void {
    const microseconds = Math.round(time * 1000);
    // A thousand times that is beyond 2^53, so it is multiplied in two halves.
    const low = (microseconds % 2 ** 32) * 1000;
    this.#fixed64(Math.floor(microseconds / 2 ** 32) * 1000 + Math.floor(low / 2 ** 32), low % 2 ** 32);
    this.#tag(field, 1);
  }

  double(field: number, value: number): void {
    this.#room(8);
    this.#at -= 8;
    this.#view.setFloat64(this.#at, value, true);
    this.#tag(field, 1);
  }

  text(field: number, text: string): void {
    const length = text.length <= shortText ? this.#shortText(text) : this.#longText(text);
    this.#varint(length);
    this.#tag(field, 2);
  }

  /** Bytes that are given as hex. */
  hex(field: number, digits: string): void {
    const length = digits.length >> 1;
    this.#room(length);
    this.#at -= length;
    this.#buffer.write(digits, this.#at, length, "hex");
    this.#varint(length);
    this.#tag(field, 2);
  }

  /** Fields that were written before. */
  fields(bytes: Uint8Array): void {
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

  #fixed64(high: number, low: number): void {
    this.#room(8);
    this.#at -= 8;
    this.#view.setUint32(this.#at, low, true);
    this.#view.setUint32(this.#at + 4, high, true);
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

  /** The number of bytes. */
  #shortText(text: string): number {
    const { length } = text;
    this.#room(length);
    const start = this.#at - length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return this.#longText(text);
      this.#buffer[start + i] = code;
    }
    this.#at = start;
    return length;
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
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, end + more));
    this.#buffer.copy(larger, larger.length - end, this.#at);
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
    this.#at = larger.length - end;
  }
}
