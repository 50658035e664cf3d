/** Each different run of bytes once, by number, in the order of their coming. What it holds is bounded by who clears it. */
export class ByteTable {
  count = 0;
  #arena = Buffer.allocUnsafeSlow(4096);
  /** End of each run in the arena. */
  #ends = new Uint32Array(256);
  #hashes = new Uint32Array(256);
  /** Open addressing; number + 1, 0 for empty. Never more than half full. */
  #slots = new Int32Array(512);

  /** Bytes in all. */
  get size(): number {
    return this.#end(this.count - 1);
  }

  /** The number of the run; a new one if it was not known. */
  intern(bytes: Buffer, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const number = (slots[slot] as number) - 1;
      if (this.#hashes[number] === hash && this.#equals(number, bytes, start, end)) return number;
    }
    slots[slot] = this.count + 1;
    this.#push(hash, bytes, start, end);
    return this.count - 1;
  }

  /** Valid until the table is cleared or cut. */
  bytes(number: number): Buffer {
    return this.#arena.subarray(this.#end(number - 1), this.#end(number));
  }

  /** Forgets all runs from this number on. */
  cut(count: number): void {
    if (count === this.count) return;
    this.count = count;
    this.#rehash(this.#slots.length);
  }

  /** Everything is forgotten; room that was large is given back. */
  clear(): void {
    this.count = 0;
    if (this.#arena.length > 1 << 20) this.#arena = Buffer.allocUnsafeSlow(4096);
    this.#rehash(Math.min(this.#slots.length, 8192));
  }

  #end = (number: number): number => (number < 0 ? 0 : (this.#ends[number] as number));

  #equals(number: number, bytes: Buffer, start: number, end: number): boolean {
    const from = this.#end(number - 1);
    if (this.#end(number) - from !== end - start) return false;
    for (let i = start, j = from; i < end; i++, j++) if (bytes[i] !== this.#arena[j]) return false;
    return true;
  }

  #push(hash: number, bytes: Buffer, start: number, end: number): void {
    const from = this.size;
    const to = from + end - start;
    if (to > this.#arena.length) {
      const arena = Buffer.allocUnsafeSlow(Math.max(to, this.#arena.length * 2));
      this.#arena.copy(arena, 0, 0, from);
      this.#arena = arena;
    }
    bytes.copy(this.#arena, from, start, end);
    const number = this.count++;
    if (this.count > this.#ends.length) {
      this.#ends = grown(this.#ends);
      this.#hashes = grown(this.#hashes);
    }
    this.#ends[number] = to;
    this.#hashes[number] = hash;
    if (this.count * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
  }

  #rehash(size: number): void {
    this.#slots = new Int32Array(size);
    for (let number = 0; number < this.count; number++) {
      let slot = (this.#hashes[number] as number) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = number + 1;
    }
  }
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}

/** Twice the room, the same content. */
export function grown<T extends Uint8Array | Uint32Array | Float64Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}
