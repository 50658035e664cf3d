/**
 * The series that are written to at the moment: their labels, and of each what the next sample is compared with. Numbers in
 * typed arrays, texts once: some 200 bytes a series.
 */
import type { CompiledMatcher, FlatLabels, LabelSets } from "./label-sets.ts";
import { setTester } from "./label-sets.ts";

/** Bits of `flags`. */
export const counterFlag = 1;
export const histogramFlag = 2;

/** Numbered from 0 without holes, in the order in which they came. */
export class SeriesTable implements LabelSets {
  readonly symbols: string[] = [];
  readonly #places = new Map<string, number>();
  pairs = new Uint32Array(1024);
  offsets = new Uint32Array(128);
  /** Open addressing: series number + 1; 0 is free. At most half full. */
  #slots = new Int32Array(256);
  #hashes = new Uint32Array(127);
  readonly #byName = new Map<number, number[]>();
  #count = 0;
  #scratch = new Uint32Array(64);
  #characters = 0;

  flags = new Uint8Array(127);
  /** Of the newest sample or marker; -Infinity before the first. Milliseconds since the epoch. */
  lastTime = new Float64Array(127).fill(Number.NEGATIVE_INFINITY);
  /** Of the newest sample, which a marker may follow; of a histogram its count. NaN before the first. */
  lastValue = new Float64Array(127).fill(Number.NaN);
  /** When counting began, as senders say it; 0: not said. */
  start = new Float64Array(127);

  get size(): number {
    return this.#count;
  }

  /** Characters of all texts. */
  get characters(): number {
    return this.#characters;
  }

  /** How many series have this metric name. */
  countOf(name: string): number {
    const symbol = this.#places.get(name);
    return (symbol === undefined ? undefined : this.#byName.get(symbol)?.length) ?? 0;
  }

  /** -1: unknown. */
  find(labels: FlatLabels): number {
    if (labels.length > this.#scratch.length) this.#scratch = new Uint32Array(labels.length * 2);
    const scratch = this.#scratch;
    for (let i = 0; i < labels.length; i++) {
      const place = this.#places.get(labels[i] as string);
      if (place === undefined) return -1;
      scratch[i] = place;
    }
    const hash = hashOf(scratch, labels.length);
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const series = (this.#slots[at] as number) - 1;
      if (series < 0) return -1;
      if (this.#hashes[series] === hash && this.#equals(series, labels.length)) return series;
    }
  }

  /** It must not be known yet. */
  add(labels: FlatLabels, flags: number): number {
    const series = this.#count++;
    const start = this.offsets[series] as number;
    const end = start + labels.length;
    this.#room(end);
    labels.forEach((text, index) => {
      this.pairs[start + index] = this.#intern(text);
    });
    this.offsets[series + 1] = end;
    this.flags[series] = flags;
    const hash = hashOf(this.pairs.subarray(start, end), labels.length);
    this.#hashes[series] = hash;
    this.#place(series, hash);
    const name = this.pairs[start + 1] as number;
    const same = this.#byName.get(name);
    if (same) same.push(series);
    else this.#byName.set(name, [series]);
    return series;
  }

  /** Series that match all. */
  select(matchers: readonly CompiledMatcher[]): number[] {
    const test = setTester(this, (symbol) => this.#places.get(symbol), matchers);
    const { pairs, offsets } = this;
    const matches = (series: number) => test(pairs, offsets[series] as number, offsets[series + 1] as number);
    const name = matchers.find((matcher) => matcher.name === "__name__" && matcher.only)?.only;
    if (name !== undefined) return (this.#byName.get(this.#places.get(name) ?? -1) ?? []).filter(matches);
    const found: number[] = [];
    for (let series = 0; series < this.#count; series++) if (matches(series)) found.push(series);
    return found;
  }

  /** In the order of `compareFlat`, without making the texts. */
  compare(a: number, b: number): number {
    const { symbols, pairs, offsets } = this;
    const [fromA, fromB] = [offsets[a] as number, offsets[b] as number];
    const [sizeA, sizeB] = [(offsets[a + 1] as number) - fromA, (offsets[b + 1] as number) - fromB];
    for (let i = 0; i < Math.min(sizeA, sizeB); i++) {
      const x = pairs[fromA + i] as number;
      const y = pairs[fromB + i] as number;
      if (x !== y) return (symbols[x] as string) < (symbols[y] as string) ? -1 : 1;
    }
    return sizeA - sizeB;
  }

  #equals(series: number, length: number): boolean {
    const start = this.offsets[series] as number;
    if ((this.offsets[series + 1] as number) - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.pairs[start + i] !== this.#scratch[i]) return false;
    return true;
  }

  #intern(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.symbols.push(text);
    this.#characters += text.length;
    this.#places.set(text, this.symbols.length - 1);
    return this.symbols.length - 1;
  }

  #place(series: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let at = hash & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = series + 1;
  }

  #room(pairs: number): void {
    if (pairs > this.pairs.length)
      this.pairs = grown(this.pairs, new Uint32Array(Math.max(pairs, this.pairs.length * 2)));
    if (this.#count + 1 < this.offsets.length) return;
    const size = this.offsets.length * 2;
    this.offsets = grown(this.offsets, new Uint32Array(size));
    this.#hashes = grown(this.#hashes, new Uint32Array(size - 1));
    this.flags = grown(this.flags, new Uint8Array(size - 1));
    this.start = grown(this.start, new Float64Array(size - 1));
    this.lastTime = grown(this.lastTime, new Float64Array(size - 1).fill(Number.NEGATIVE_INFINITY));
    this.lastValue = grown(this.lastValue, new Float64Array(size - 1).fill(Number.NaN));
    this.#slots = new Int32Array(size * 2);
    for (let series = 0; series < this.#count - 1; series++) this.#place(series, this.#hashes[series] as number);
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** FNV-1a over words, mixed at the end as in MurmurHash3. */
function hashOf(words: Uint32Array, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
