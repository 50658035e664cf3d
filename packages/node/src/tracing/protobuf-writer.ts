/** Fields of protobuf messages, written one after the other. Source: protobuf.dev/programming-guides/encoding. */

/** Characters; below, writing them here costs less than to leave it to the system. */
const shortText = 64;

/** Of digits and lower-case letters. */
const digit = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  return code < 0x3a ? code - 0x30 : code - 0x57;
};

export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(16 * 1024);
  #at = 0;

  clear(): void {
    this.#at = 0;
  }

  /** A copy of what has been written since `clear`. */
  bytes(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#buffer, 0, this.#at);
  }

  /** Begins a message within this one. `close` gets the answer, and the same guess of how many bytes its length takes. */
  open(field: number, guess: number): number {
    this.#reserve(8);
    this.#varint((field << 3) | 2);
    this.#at += guess;
    return this.#at;
  }

  close(start: number, guess: number): void {
    const size = this.#at - start;
    const needed = sizeOfVarint(size);
    if (needed !== guess) {
      this.#reserve(8);
      this.#buffer.copyWithin(start + needed - guess, start, this.#at);
    }
    this.#at = start - guess;
    this.#varint(size);
    this.#at += size;
  }

  /** Text that is not UTF-16 as it should be loses what is not. */
  text(field: number, text: string): void {
    const { length } = text;
    this.#reserve(16 + 3 * length);
    this.#varint((field << 3) | 2);
    if (length < shortText) {
      const begin = this.#at;
      let at = begin;
      const buffer = this.#buffer;
      buffer[at++] = length;
      let any = 0;
      for (let from = 0; from < length; from += 1) {
        const code = text.charCodeAt(from);
        any |= code;
        buffer[at++] = code;
      }
      if (any < 0x80) {
        this.#at = at;
        return;
      }
      this.#at = begin;
    }
    const size = Buffer.byteLength(text);
    this.#varint(size);
    this.#at += this.#buffer.write(text, this.#at, "utf8");
  }

  /** Bytes, given in hexadecimal digits. */
  hex(field: number, text: string): void {
    const { length } = text;
    this.#reserve(16 + length);
    this.#varint((field << 3) | 2);
    this.#varint(length >> 1);
    for (let from = 0; from + 1 < length; from += 2)
      this.#buffer[this.#at++] = (digit(text, from) << 4) | digit(text, from + 1);
  }

  /** A whole number that fits into 64 bits, as a double holds it. */
  varint(field: number, value: number): void {
    this.#reserve(16);
    this.#varint(field << 3);
    if (value >= 0) {
      this.#varint(value);
      return;
    }
    for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
      if (rest < 0x80n) {
        this.#buffer[this.#at++] = Number(rest);
        return;
      }
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
    }
  }

  fixed32(field: number, value: number): void {
    this.#reserve(16);
    this.#varint((field << 3) | 5);
    this.#at = this.#buffer.writeUInt32LE(value, this.#at);
  }

  double(field: number, value: number): void {
    this.#reserve(16);
    this.#varint((field << 3) | 1);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** Since the epoch, together, as a fixed64; more than a double holds, so it is done in two halves of the seconds. */
  nanoseconds(field: number, seconds: number, nanoseconds: number): void {
    this.#reserve(16);
    this.#varint((field << 3) | 1);
    const high = Math.floor(seconds / 65_536) * 1e9;
    const low = (high % 65_536) * 65_536 + (seconds % 65_536) * 1e9 + nanoseconds;
    this.#at = this.#buffer.writeUInt32LE(low % 2 ** 32, this.#at);
    this.#at = this.#buffer.writeUInt32LE(Math.floor(high / 65_536) + Math.floor(low / 2 ** 32), this.#at);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) this.#buffer[this.#at++] = (rest % 128) | 0x80;
    for (; rest >= 0x80; rest >>>= 7) this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
    this.#buffer[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + bytes));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}

const sizeOfVarint = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4);
