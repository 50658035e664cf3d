/** Which blocks become one, at which resolution, and which are deleted: pure. And how several become one. */
import type { Block, BlockSeries } from "./block.ts";
import { type BlockFacts, BlockWriter } from "./block-writer.ts";
import { downsample } from "./downsample.ts";
import { compareFlat } from "./label-sets.ts";
import { append, noSamples, sorted } from "./samples.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** From which age on samples are that far apart (at most), and over how long a time they lie in one block. Milliseconds. */
export interface Tier {
  readonly age: number;
  readonly resolution: number;
  readonly span: number;
}

/** Ascending by age. See `downsample.ts` for why the last is not coarser. */
export const defaultTiers: readonly Tier[] = [
  { age: 0, resolution: 0, span: 2 * hour },
  { age: day, resolution: minute, span: day },
  { age: 14 * day, resolution: 150_000, span: 7 * day },
];

export interface Merge<B> {
  readonly inputs: readonly B[];
  readonly resolution: number;
}

interface Stored {
  readonly facts: BlockFacts;
  readonly bytes: number;
}

/** Waits that long after a span's end: what comes late is in it then. */
const grace = 10 * minute;

/** The next merge to do, the coarsest first; undefined: none. */
export function nextMerge<B extends Stored>(
  blocks: readonly B[],
  now: number,
  tiers: readonly Tier[],
): Merge<B> | undefined {
  for (const tier of [...tiers].reverse()) {
    const spans = new Map<number, B[]>();
    for (const block of blocks) {
      const span = Math.floor(block.facts.to / tier.span);
      if (block.facts.resolution > tier.resolution || now - (span + 1) * tier.span < Math.max(tier.age, grace))
        continue;
      spans.set(span, [...(spans.get(span) ?? []), block]);
    }
    const [, inputs] =
      [...spans].sort(([a], [b]) => a - b).find(([, of]) => of.length > 1 || isFiner(of, tier.resolution)) ?? [];
    if (inputs) return { inputs, resolution: tier.resolution };
  }
  return undefined;
}

const isFiner = (blocks: readonly Stored[], resolution: number): boolean =>
  blocks.some(({ facts }) => facts.resolution < resolution);

/** Blocks to be deleted: older than `maxAge`, then the oldest until all fit into `maxBytes`. */
export function expired<B extends Stored>(
  blocks: readonly B[],
  now: number,
  limits: { readonly maxAge: number; readonly maxBytes: number },
): B[] {
  const oldestFirst = [...blocks].sort((a, b) => a.facts.to - b.facts.to);
  let bytes = oldestFirst.reduce((sum, block) => sum + block.bytes, 0);
  return oldestFirst.filter((block) => {
    if (now - block.facts.to <= limits.maxAge && bytes <= limits.maxBytes) return false;
    bytes -= block.bytes;
    return true;
  });
}

/** Writes one block of several. Yields now and then, so that others can run; abandons the file when it is not run to its end. */
export function* mergeBlocks(
  inputs: readonly Block[],
  path: string,
  resolution: number,
): Generator<undefined, BlockFacts | undefined> {
  const writer = new BlockWriter(path, resolution);
  let isDone = false;
  try {
    // The older block first: of two samples of one time the first wins.
    const cursors = [...inputs].sort((a, b) => a.facts.from - b.facts.from).map(cursorOf);
    for (let count = 1; ; count++) {
      const first = lowest(cursors);
      if (!first) break;
      const samples = noSamples();
      let flags = 0;
      for (const cursor of cursors) {
        if (!cursor.now || compareFlat(cursor.now.labels, first.labels) !== 0) continue;
        append(samples, cursor.now.samples());
        flags |= cursor.now.flags;
        cursor.advance();
      }
      writer.add(first.labels, flags, downsample(sorted(samples), flags, resolution));
      if (count % 50 === 0) yield;
    }
    const facts = writer.finish();
    isDone = true;
    return facts;
  } finally {
    if (!isDone) writer.abandon();
  }
}

interface Cursor {
  now: BlockSeries | undefined;
  advance(): void;
}

function cursorOf(block: Block): Cursor {
  const series = block.all();
  const cursor: Cursor = {
    now: undefined,
    advance() {
      const next = series.next();
      cursor.now = next.done ? undefined : next.value;
    },
  };
  cursor.advance();
  return cursor;
}

function lowest(cursors: readonly Cursor[]): BlockSeries | undefined {
  let found: BlockSeries | undefined;
  for (const { now } of cursors) if (now && (!found || compareFlat(now.labels, found.labels) < 0)) found = now;
  return found;
}
