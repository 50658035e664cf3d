/** Which attributes the spans of a block have at all: a Bloom filter of their encoded bytes, so that most blocks are passed over. */
import { Bloom, mixed } from "../store/bloom.ts";
import { attributesTag } from "./attribute-query.ts";
import { afterScalar, afterVarint, varintAt } from "./check.ts";
import type { SpanRest } from "./span-rows.ts";

/** About 2 of 100 blocks are looked at for nothing. */
const bitsPerAttribute = 10;

/** Of an encoded KeyValue. By words, as most of a block's sealing would be this otherwise. */
export function attributeHash(bytes: Buffer, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash = Math.imul((hash << 5) ^ (hash >>> 27) ^ word, 0x9e3779b1);
  }
  for (; at < end; at++) hash = Math.imul((hash << 5) ^ (hash >>> 27) ^ (bytes[at] as number), 0x9e3779b1);
  return mixed(hash);
}

/** The filter of the rests of so many rows, which are one chunk. */
export function attributeFilter(rest: SpanRest, rows: number): Buffer {
  const bytes = rest.bytes(0);
  const hashes = new HashSet();
  for (let row = 0; row < rows; row++) {
    const end = rest.end(row);
    for (let at = rest.start(row); at < end; ) {
      const tagAt = at;
      at = afterVarint(bytes, at, end);
      const tag = varintAt(bytes, tagAt);
      if ((tag & 7) !== 2) {
        at = afterScalar(bytes, at, end, tag & 7);
        continue;
      }
      const value = afterVarint(bytes, at, end);
      at = value + varintAt(bytes, at);
      if (tag === attributesTag) hashes.add(attributeHash(bytes, value, at));
    }
  }
  const filter = new Bloom(hashes.count, bitsPerAttribute);
  hashes.each((hash) => filter.addHash(hash));
  return filter.bytes;
}

/** Different hashes but 0, which is taken for 1. */
class HashSet {
  count = 0;
  #slots = new Uint32Array(8192);

  add(hash: number): void {
    const value = hash || 1;
    const mask = this.#slots.length - 1;
    let slot = value & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) if (this.#slots[slot] === value) return;
    this.#slots[slot] = value;
    if (++this.count * 2 > this.#slots.length) this.#grow();
  }

  each(visit: (hash: number) => void): void {
    for (let slot = 0; slot < this.#slots.length; slot++)
      if (this.#slots[slot] !== 0) visit(this.#slots[slot] as number);
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.count = 0;
    for (let slot = 0; slot < old.length; slot++) if (old[slot] !== 0) this.add(old[slot] as number);
  }
}
