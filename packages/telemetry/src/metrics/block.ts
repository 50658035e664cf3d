/** Reads a block; how it lies in its file is said in `block-writer.ts`. */
import { closeSync, fstatSync, openSync } from "node:fs";
import { crc32 } from "node:zlib";
import { ByteReader } from "../store/bytes.ts";
import { decompress } from "../store/compress.ts";
import { DamagedError } from "../store/damaged-error.ts";
import { readAt } from "../store/positional.ts";
import type { Period } from "../telemetry.ts";
import { type BlockFacts, footerLength, magic, type PageFacts } from "./block-writer.ts";
import { type CompiledMatcher, type FlatLabels, flatLabels, type LabelSets, setTester } from "./label-sets.ts";
import { readSamples, type Samples } from "./samples.ts";

export interface BlockSeries {
  readonly labels: FlatLabels;
  readonly flags: number;
  /** Of samples and markers. */
  readonly from: number;
  readonly to: number;
  samples(): Samples;
}

interface PageHead extends LabelSets {
  readonly flags: Uint8Array;
  readonly places: Uint32Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
}

/** Each some 50 KB at most. */
const mostHeads = 128;

/** Heads of the pages that were asked for last, of all blocks. */
export class HeadCache {
  readonly #heads = new Map<PageFacts, PageHead>();

  get(page: PageFacts, read: () => PageHead): PageHead {
    const head = this.#heads.get(page) ?? read();
    this.#heads.delete(page);
    this.#heads.set(page, head);
    const [oldest] = this.#heads.keys();
    if (this.#heads.size > mostHeads && oldest) this.#heads.delete(oldest);
    return head;
  }
}

export class Block {
  readonly path: string;
  readonly facts: BlockFacts;
  /** Of the file. */
  readonly bytes: number;
  readonly #file: number;
  readonly #pages: readonly PageFacts[];
  readonly #heads: HeadCache;

  private constructor(
    path: string,
    file: number,
    bytes: number,
    { facts, pages }: { facts: BlockFacts; pages: readonly PageFacts[] },
    heads: HeadCache,
  ) {
    this.path = path;
    this.#heads = heads;
    this.#file = file;
    this.bytes = bytes;
    this.facts = facts;
    this.#pages = pages;
  }

  /** A `DamagedError` when it is not whole. Pages are verified when they are read. */
  static open(path: string, heads: HeadCache): Block {
    const file = openSync(path, "r");
    try {
      const bytes = fstatSync(file).size;
      return new Block(path, file, bytes, readIndex(file, bytes, path), heads);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Series that match and may have samples in the period, in order. */
  *select(matchers: readonly CompiledMatcher[], period: Period): Generator<BlockSeries> {
    const name = matchers.find((matcher) => matcher.name === "__name__" && matcher.only)?.only;
    for (const page of this.#pages) {
      if (page.from > period.to || page.to < period.from) continue;
      if (name !== undefined && (name < page.firstName || name > page.lastName)) continue;
      yield* this.#seriesOf(page, matchers, period);
    }
  }

  /** All series, in order. */
  all(): Generator<BlockSeries> {
    return this.select([], { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY });
  }

  *#seriesOf(page: PageFacts, matchers: readonly CompiledMatcher[], period: Period): Generator<BlockSeries> {
    const head = this.#head(page);
    const place = (symbol: string) => {
      const found = head.symbols.indexOf(symbol);
      return found < 0 ? undefined : found;
    };
    const test = setTester(head, place, matchers);
    let data: Buffer | undefined;
    for (let set = 0; set < head.flags.length; set++) {
      const from = head.from[set] as number;
      const to = head.to[set] as number;
      if (from > period.to || to < period.from) continue;
      if (!test(head.pairs, head.offsets[set] as number, head.offsets[set + 1] as number)) continue;
      const samples = () => {
        data ??= this.#data(page);
        return readSamples(data, head.places[set] as number);
      };
      yield { labels: flatLabels(head, set), flags: head.flags[set] as number, from, to, samples };
    }
  }

  #head(page: PageFacts): PageHead {
    const bytes = () => this.#verified(page).subarray(0, page.headLength);
    return this.#heads.get(page, () => readPageHead(decompress(bytes(), page.headSize)));
  }

  #data(page: PageFacts): Buffer {
    return decompress(this.#verified(page).subarray(page.headLength), page.dataSize);
  }

  #verified(page: PageFacts): Buffer {
    const bytes = readAt(this.#file, page.position, page.headLength + page.dataLength);
    if (crc32(bytes) !== page.crc) throw new DamagedError(this.path, `the page at ${page.position} is damaged`);
    return bytes;
  }
}

function readPageHead(bytes: Buffer): PageHead {
  const reader = new ByteReader(bytes);
  const symbols = Array.from({ length: reader.varint() }, () => reader.text());
  const count = reader.varint();
  const origin = reader.signed();
  const head = {
    symbols,
    flags: new Uint8Array(count),
    places: new Uint32Array(count),
    from: new Float64Array(count),
    to: new Float64Array(count),
    offsets: new Uint32Array(count + 1),
  };
  const pairs: number[] = [];
  let place = 0;
  for (let set = 0; set < count; set++) {
    head.flags[set] = reader.byte();
    place += reader.varint();
    head.places[set] = place;
    const from = origin + reader.varint();
    head.from[set] = from;
    head.to[set] = from + reader.varint();
    for (let left = reader.varint(); left > 0; left--) pairs.push(reader.varint());
    head.offsets[set + 1] = pairs.length;
  }
  return { ...head, pairs: Uint32Array.from(pairs) };
}

function readIndex(file: number, size: number, path: string): { facts: BlockFacts; pages: PageFacts[] } {
  const footer = readAt(file, Math.max(0, size - footerLength), footerLength);
  if (footer.length < footerLength || !footer.subarray(8).equals(magic)) throw new DamagedError(path, "has no end");
  const length = footer.readUInt32LE(0);
  const index = readAt(file, Math.max(0, size - footerLength - length), length);
  if (index.length < length || crc32(index) !== footer.readUInt32LE(4))
    throw new DamagedError(path, "its index is damaged");
  const reader = new ByteReader(index);
  const resolution = reader.varint();
  const from = reader.signed();
  const to = reader.signed();
  const facts = { resolution, from, to, series: reader.varint(), samples: reader.varint() };
  const pages = Array.from({ length: reader.varint() }, (): PageFacts => {
    const [position = 0, headLength = 0, headSize = 0, dataLength = 0, dataSize = 0, crc = 0] = Array.from(
      { length: 6 },
      () => reader.varint(),
    );
    const [firstName, lastName] = [reader.text(), reader.text()];
    return {
      position,
      headLength,
      headSize,
      dataLength,
      dataSize,
      crc,
      firstName,
      lastName,
      from: reader.signed(),
      to: reader.signed(),
    };
  });
  return { facts, pages };
}
