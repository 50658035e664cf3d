/**
 * A Bloom filter, of which one line of 64 bytes answers for an item: a reader fetches that line alone.
 *
 * With 16 bits for each item and 6 of them set, about 3 of 1000 that are not in it seem to be. Source: Putze, Sanders, Singler, Cache-,
 * Hash- and Space-Efficient Bloom Filters, 2007.
 */

const lineBytes = 64;
const probes = 6;

export class Bloom {
  readonly bytes: Buffer;

  /** For as many different items. */
  constructor(items: number, bitsPerItem = 16) {
    this.bytes = Buffer.alloc(Math.max(1, Math.ceil((items * bitsPerItem) / (lineBytes * 8))) * lineBytes);
  }

  /** An id of 16 bytes. */
  add(id: Uint8Array, at = 0): void {
    this.addHash(hashOfId(id, at));
  }

  /** Something that has this hash, of 32 bits. */
  addHash(hash: number): void {
    const line = lineOf(hash, this.bytes.length);
    for (let probe = 0, bits = firstBits(hash); probe < probes; probe++, bits = mixed(bits)) {
      const at = line + ((bits & 511) >>> 3);
      this.bytes[at] = (this.bytes[at] as number) | (1 << (bits & 7));
    }
  }
}

/** Gives a part of a filter. */
type Read = (offset: number, length: number) => Uint8Array;

/** Whether the id may be in a filter of `length` bytes. Never says no to one that is. */
export const mayHold = (length: number, read: Read, id: Uint8Array): boolean =>
  mayHoldHash(length, read, hashOfId(id, 0));

/** Whether something of this hash may be in it. */
export function mayHoldHash(length: number, read: Read, hash: number): boolean {
  const line = read(lineOf(hash, length), lineBytes);
  for (let probe = 0, bits = firstBits(hash); probe < probes; probe++, bits = mixed(bits))
    if (((line[(bits & 511) >>> 3] as number) & (1 << (bits & 7))) === 0) return false;
  return true;
}

const lineOf = (hash: number, length: number): number => (mixed(hash) % (length / lineBytes)) * lineBytes;

/** Independent of the line. */
const firstBits = (hash: number): number => mixed(hash ^ 0x9e3779b9);

/** Of the 16 bytes there; they need not be random, and may differ in a few bytes only. */
export const hashOfId = (id: Uint8Array, at: number): number =>
  mixed(word(id, at) ^ mixed(word(id, at + 4) ^ mixed(word(id, at + 8) ^ mixed(word(id, at + 12)))));

const word = (id: Uint8Array, at: number): number =>
  (id[at] as number) | ((id[at + 1] as number) << 8) | ((id[at + 2] as number) << 16) | ((id[at + 3] as number) << 24);

/** The finalizer of MurmurHash3 (Appleby): every bit depends on every bit. Unsigned. */
export function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
