/** Numbers and bytes one after the other, small numbers in few bytes (LEB128, as protobuf's varints). */

export class PackedWriter {
  #bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(4096);
  length = 0;

  /** A whole number from 0 to 2^53. */
  number(value: number): void {
    this.#room(8);
    let rest = value;
    for (; rest >= 2 ** 28; rest = Math.floor(rest / 128)) this.#bytes[this.length++] = (rest % 128) | 0x80;
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.length++] = rest;
  }

  /** Also below 0: the sign is the lowest bit. */
  signed(value: number): void {
    this.number(value < 0 ? -value * 2 - 1 : value * 2);
  }

  double(value: number): void {
    this.#room(8);
    this.#bytes.writeDoubleLE(value, this.length);
    this.length += 8;
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The same of a part; few bytes are copied one by one, which takes less than a call. */
  copy(source: Buffer, from: number, to: number): void {
    this.#room(to - from);
    const target = this.#bytes;
    let at = this.length;
    if (to - from > 64) source.copy(target, at, from, to);
    else for (let place = from; place < to; place++) target[at++] = source[place] as number;
    this.length += to - from;
  }

  /** With their length before them. */
  sized(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.bytes(bytes);
  }

  /** What was written; valid until something is written or cleared. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  /** Begins anew; room that was large is given back. */
  clear(): void {
    this.length = 0;
    if (this.#bytes.length > 4 * 2 ** 20) this.#bytes = Buffer.allocUnsafeSlow(4096);
  }

  #room(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + count));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

/** Reads what a writer wrote; what it reads is trusted, for blocks have checksums. */
export class PackedReader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++] as number;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 128; ; scale *= 128) {
      byte = bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  signed(): number {
    const value = this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A part of what is read, not a copy. */
  bytes(length: number): Buffer {
    const from = this.at;
    this.at += length;
    return this.#bytes.subarray(from, this.at);
  }

  sized(): Buffer {
    return this.bytes(this.number());
  }
}
