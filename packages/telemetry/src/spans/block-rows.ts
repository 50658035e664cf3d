/** Reads the spans of a block; which section holds what is said in `span-block.ts`. */
import { mayHold, mayHoldHash } from "../store/bloom.ts";
import { decodeList } from "./byte-list.ts";
import { decodeParents } from "./parents.ts";
import { decodeIntegers, decodeNumbers } from "./planes.ts";
import { chunkBytes, type SpanBlock, section } from "./span-block.ts";
import type { Dictionary, SpanIds, SpanRest, SpanRows } from "./span-rows.ts";
import { idLength } from "./trace-table.ts";

/** The spans of a block, each column read when it is first asked for. What is damaged throws a `DamagedError` then. */
export class BlockRows implements SpanRows {
  readonly count: number;
  readonly base: number;
  readonly #block: SpanBlock;
  readonly #known = new Map<string, unknown>();

  constructor(block: SpanBlock) {
    this.#block = block;
    this.count = block.rows;
    this.base = block.about.base;
  }

  get traceIds(): Buffer {
    return this.#once("traceIds", () => this.#block.read(section.traceIds));
  }
  get sizes(): Uint32Array {
    return this.#once("sizes", () => this.#integers(section.traceSizes));
  }
  get traces(): Uint32Array {
    return this.#once("traces", () => {
      const traces = new Uint32Array(this.count);
      let row = 0;
      const { sizes } = this;
      for (let trace = 0; trace < sizes.length; trace++) {
        const size = sizes[trace] as number;
        traces.fill(trace, row, row + size);
        row += size;
      }
      return traces;
    });
  }
  get starts(): Float64Array {
    return this.#once("starts", () => decodeNumbers(this.#block.read(section.starts), true));
  }
  get durations(): Float64Array {
    return this.#once("durations", () => decodeNumbers(this.#block.read(section.durations), false));
  }
  get names(): Uint32Array {
    return this.#once("names", () => this.#integers(section.names));
  }
  get resources(): Uint32Array {
    return this.#once("resources", () => this.#integers(section.resources));
  }
  get scopes(): Uint32Array {
    return this.#once("scopes", () => this.#integers(section.scopes));
  }
  get bits(): Uint8Array {
    return this.#once("bits", () => this.#block.read(section.bits));
  }
  get weights(): Uint8Array | undefined {
    if (this.#block.length(section.weights) === 0) return undefined;
    return this.#once("weights", () => this.#block.read(section.weights));
  }
  get ids(): SpanIds {
    return this.#once("ids", () => {
      const words = wordsOf(this.#block.read(section.spanIds));
      const far = wordsOf(this.#block.read(section.farParents));
      const codes = this.#block.read(section.parents);
      return decodeParents(words.subarray(0, this.count), words.subarray(this.count), { codes, far });
    });
  }
  get dictionary(): Dictionary {
    return this.#once("dictionary", () => {
      const names = decodeList(this.#block.read(section.nameList));
      const resources = decodeList(this.#block.read(section.resourceList));
      const scopes = decodeList(this.#block.read(section.scopeList));
      const envelope = (bytes: Buffer, at: number) => ({ bytes, service: String(resources[at * 2 + 1]) });
      return {
        name: (number) => names[number] as Buffer,
        names: names.length,
        resources: resources.filter((_, index) => index % 2 === 0).map(envelope),
        scopes: scopes.map((bytes) => ({ bytes, service: "" })),
      };
    });
  }
  get rest(): SpanRest {
    return this.#once("rest", () => restOf(this.#block, this.#integers(section.restLengths)));
  }

  mayHaveAttribute(hash: number): boolean {
    const block = this.#block;
    const read = (offset: number, length: number) => block.part(section.attributes, offset, length);
    return mayHoldHash(block.length(section.attributes), read, hash);
  }

  /** First row of each trace. */
  get firsts(): Uint32Array {
    return this.#once("firsts", () => {
      const { sizes } = this;
      const firsts = new Uint32Array(sizes.length);
      for (let trace = 1; trace < sizes.length; trace++)
        firsts[trace] = (firsts[trace - 1] as number) + (sizes[trace - 1] as number);
      return firsts;
    });
  }

  #integers = (at: number): Uint32Array => {
    const bytes = this.#block.read(at);
    return decodeIntegers(bytes, 0, bytes.length / 4);
  };

  #once<T>(name: string, read: () => T): T {
    const known = this.#known.get(name) as T | undefined;
    if (known !== undefined) return known;
    const value = read();
    this.#known.set(name, value);
    return value;
  }
}

/** More ids than this are looked up in the whole filter. */
const fewIds = 16;

/** Those of the traces that may be in the block. */
export function mayHoldTraces<T extends { readonly id: Buffer }>(block: SpanBlock, traces: readonly T[]): T[] {
  const length = block.length(section.bloom);
  if (traces.length === 0) return [];
  const whole = traces.length > fewIds ? block.read(section.bloom) : undefined;
  const read = (offset: number, length: number) =>
    whole ? whole.subarray(offset, offset + length) : block.part(section.bloom, offset, length);
  return traces.filter(({ id }) => mayHold(length, read, id));
}

/** Finds places of ids among ids of 16 bytes; -1: none. `many`: it is asked often. */
export function numbersIn(ids: Buffer, many: boolean): (id: Buffer) => number {
  if (!many) return (id) => numberOf(ids, id);
  const numbers = new Map<string, number>();
  for (let number = 0; number * idLength < ids.length; number++)
    numbers.set(ids.toString("latin1", number * idLength, (number + 1) * idLength), number);
  return (id) => numbers.get(id.toString("latin1")) ?? -1;
}

function numberOf(ids: Buffer, id: Buffer): number {
  for (let at = ids.indexOf(id); at >= 0; at = ids.indexOf(id, at + 1)) if (at % idLength === 0) return at / idLength;
  return -1;
}

function restOf(block: SpanBlock, lengths: Uint32Array): SpanRest {
  const starts = new Uint32Array(lengths.length);
  const firsts: number[] = [];
  let at = chunkBytes;
  for (let row = 0; row < lengths.length; row++) {
    if (at >= chunkBytes) {
      firsts.push(row);
      at = 0;
    }
    starts[row] = at;
    at += lengths[row] as number;
  }
  return {
    chunks: firsts.length,
    first: (chunk) => firsts[chunk] ?? lengths.length,
    bytes: (chunk) => block.read(section.firstChunk + chunk),
    start: (row) => starts[row] as number,
    end: (row) => (starts[row] as number) + (lengths[row] as number),
  };
}

/** A copy where it does not lie at a whole word. */
const wordsOf = (bytes: Buffer): Uint32Array =>
  bytes.byteOffset % 4 === 0
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    : new Uint32Array(Uint8Array.from(bytes).buffer);
