/** Each different trace id once, by number. A table of its own, because every span asks it. */
import { grown } from "../store/byte-table.ts";

export const idLength = 16;

/** Ids for which there is room after `clear`. */
const mostKept = 1 << 17;

export class TraceTable {
  count = 0;
  /** Four words for each id, as they are in memory. */
  #words = new Uint32Array(4 * 1024);
  #slots = new Int32Array(4096);

  /** The number of the id whose 16 bytes begin there. */
  intern(view: DataView, at: number): number {
    const a = view.getUint32(at, true);
    const b = view.getUint32(at + 4, true);
    const c = view.getUint32(at + 8, true);
    const d = view.getUint32(at + 12, true);
    const words = this.#words;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = slotOf(a, b, c, d) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const number = (slots[slot] as number) - 1;
      const at = number * 4;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return number;
    }
    slots[slot] = this.count + 1;
    const number = this.count++;
    if (this.count * 4 > this.#words.length) this.#words = grown(this.#words);
    const place = number * 4;
    this.#words[place] = a;
    this.#words[place + 1] = b;
    this.#words[place + 2] = c;
    this.#words[place + 3] = d;
    if (this.count * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    return number;
  }

  /** All ids, 16 bytes each, by number; valid until the next change. */
  get ids(): Buffer {
    return Buffer.from(this.#words.buffer, 0, this.count * idLength);
  }

  cut(count: number): void {
    if (count === this.count) return;
    this.count = count;
    this.#rehash(this.#slots.length);
  }

  /** Everything is forgotten; room that was large is given back. */
  clear(): void {
    this.count = 0;
    if (this.#words.length > 4 * mostKept) this.#words = new Uint32Array(4 * 1024);
    if (this.#slots.length > 2 * mostKept) this.#slots = new Int32Array(4096);
    else this.#slots.fill(0);
  }

  #rehash(size: number): void {
    this.#slots = new Int32Array(size);
    const words = this.#words;
    for (let number = 0; number < this.count; number++) {
      const at = number * 4;
      const [a, b, c, d] = [words[at], words[at + 1], words[at + 2], words[at + 3]] as [number, number, number, number];
      let slot = slotOf(a, b, c, d) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = number + 1;
    }
  }
}

/** Ids may share most of their bytes: all take part. */
function slotOf(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ c, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13) ^ d, 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}
