/**
 * A Bloom filter of trace ids, of which one line of 64 bytes answers for an id: a reader fetches that line alone.
 *
 * With 16 bits for each id and 6 of them set, about 3 of 1000 ids that are not in it seem to be. Source: Putze, Sanders, Singler,
 * Cache-, Hash- and Space-Efficient Bloom Filters, 2007.
 */

const lineBytes = 64;
const bitsPerId = 16;
const probes = 6;

export class Bloom {
  readonly bytes: Buffer;

  /** For as many different ids. */
  constructor(ids: number) {
    this.bytes = Buffer.alloc(Math.max(1, Math.ceil((ids * bitsPerId) / (lineBytes * 8))) * lineBytes);
  }

  /** An id of 16 bytes. */
  add(id: Uint8Array, at = 0): void {
    const line = lineOf(id, at, this.bytes.length);
    for (let probe = 0, hash = second(id, at); probe < probes; probe++, hash = mixed(hash)) {
      const bit = hash & 511;
      this.bytes[line + (bit >>> 3)] = (this.bytes[line + (bit >>> 3)] as number) | (1 << (bit & 7));
    }
  }
}

/** Whether the id may be in a filter of `length` bytes; `read` gives a part of it. Never says no to one that is. */
export function mayHold(length: number, read: (offset: number, length: number) => Uint8Array, id: Uint8Array): boolean {
  const line = read(lineOf(id, 0, length), lineBytes);
  for (let probe = 0, hash = second(id, 0); probe < probes; probe++, hash = mixed(hash)) {
    const bit = hash & 511;
    if (((line[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** Ids need not be random: both halves are mixed. */
const lineOf = (id: Uint8Array, at: number, length: number): number =>
  (mixed(word(id, at) ^ mixed(word(id, at + 8))) % (length / lineBytes)) * lineBytes;

const second = (id: Uint8Array, at: number): number => mixed(word(id, at + 4) ^ mixed(word(id, at + 12) ^ 0x9e3779b9));

const word = (id: Uint8Array, at: number): number =>
  (id[at] as number) | ((id[at + 1] as number) << 8) | ((id[at + 2] as number) << 16) | ((id[at + 3] as number) << 24);

/** The finalizer of MurmurHash3 (Appleby): every bit depends on every bit. Unsigned. */
export function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
