/**
 * Searches over the head and the blocks. The head is read at once, before anything else can happen to it; between blocks the event
 * loop goes on, so that a long search holds up nothing else. A block that retention deletes meanwhile is passed over.
 */
import type { TracesData } from "../otlp/types.ts";
import { DamagedError } from "../store/segment.ts";
import type { TraceSearch, TraceSummary } from "../telemetry.ts";
import { TraceAssembly } from "./assemble.ts";
import { matches, mayMatch, prepare, type Wanted } from "./match.ts";
import { BlockRows, mayHoldTrace, numberOf, type SpanBlock } from "./span-block.ts";
import type { SpanHead } from "./span-head.ts";
import type { SpanRows } from "./span-rows.ts";
import { TraceSum } from "./summary.ts";
import { idLength } from "./trace-table.ts";

export interface Searched {
  readonly head: SpanHead;
  /** Newest first, of those that may hold spans that start in the period. */
  blocks(period?: { from?: number; to?: number }): SpanBlock[];
  /** Lets the event loop go on. */
  pause(): Promise<void>;
  /** A block that cannot be read is passed over, and told. */
  onDamage(error: DamagedError): void;
}

const usualLimit = 20;

/** The `limit` traces whose matching spans are the newest; newest first. */
export async function searchTraces(store: Searched, search: TraceSearch): Promise<TraceSummary[]> {
  const wanted = prepare(search);
  const { limit = usualLimit } = search;
  const found = new Newest(limit);
  const { head } = store;
  const blocks = store.blocks(search);
  found.take(head, wanted);
  for (const block of blocks) {
    if (found.isComplete(block.to)) break;
    if (!mayMatch(block.about, wanted)) continue;
    await store.pause();
    reading(store, block, (rows) => found.take(rows, wanted));
  }
  return summaries(store, found.ids());
}

/** All spans of a trace, at most so many; undefined: none. */
export async function assembleTrace(store: Searched, id: Buffer, most: number): Promise<TracesData | undefined> {
  const assembly = new TraceAssembly();
  const blocks = store.blocks();
  addAll(assembly, store.head, rowsOf(store.head, id), most);
  for (const block of blocks) {
    if (block.gone || !mayHoldTrace(block, id)) continue;
    await store.pause();
    reading(store, block, (rows) => addAll(assembly, rows, rowsOf(rows, id), most));
  }
  return assembly.data;
}

/** The newest traces of which a span matched, by that span's start. */
class Newest {
  readonly #limit: number;
  #starts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(rows: SpanRows, wanted: Wanted): void {
    const found = matches(rows, wanted);
    if (found.length === 0) return;
    const { traces, starts, traceIds, base } = rows;
    const newest = new Map<number, number>();
    for (const row of found) {
      const trace = traces[row] as number;
      const start = starts[row] as number;
      if (start > (newest.get(trace) ?? Number.NEGATIVE_INFINITY)) newest.set(trace, start);
    }
    const best = [...newest].sort((a, b) => b[1] - a[1]).slice(0, this.#limit);
    for (const [trace, start] of best) {
      const id = traceIds.toString("hex", trace * idLength, (trace + 1) * idLength);
      this.#starts.set(id, Math.max(this.#starts.get(id) ?? Number.NEGATIVE_INFINITY, base + start / 1e6));
    }
    const sorted = [...this.#starts].sort((a, b) => b[1] - a[1]);
    this.#starts = new Map(sorted.slice(0, this.#limit));
  }

  /** Whether nothing that starts at `to` or before can change it. */
  isComplete(to: number): boolean {
    return this.#starts.size >= this.#limit && ([...this.#starts.values()].at(-1) ?? to) > to;
  }

  ids(): Buffer[] {
    return Array.from(this.#starts.keys(), (id) => Buffer.from(id, "hex"));
  }
}

async function summaries(store: Searched, ids: readonly Buffer[]): Promise<TraceSummary[]> {
  if (ids.length === 0) return [];
  const sums = ids.map((id) => ({ id, sum: new TraceSum() }));
  const blocks = store.blocks();
  for (const { id, sum } of sums) for (const row of rowsOf(store.head, id)) sum.add(store.head, row);
  for (const block of blocks) {
    if (block.gone) continue;
    const here = sums.filter(({ id }) => mayHoldTrace(block, id));
    if (here.length === 0) continue;
    await store.pause();
    reading(store, block, (rows) => {
      for (const { id, sum } of here) for (const row of rowsOf(rows, id)) sum.add(rows, row);
    });
  }
  return sums.flatMap(({ id, sum }) => sum.of(id) ?? []).sort((a, b) => b.start - a.start);
}

function reading(store: Searched, block: SpanBlock, read: (rows: BlockRows) => void): void {
  if (block.gone) return;
  try {
    read(new BlockRows(block));
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    store.onDamage(error);
  }
}

/** Rows of a trace, rising. */
function rowsOf(rows: SpanRows, id: Buffer): readonly number[] {
  if (rows instanceof BlockRows) {
    const [first, count] = rows.trace(id) ?? [0, 0];
    return Array.from({ length: count }, (_, index) => first + index);
  }
  const number = numberOf(rows.traceIds, id);
  const found: number[] = [];
  if (number >= 0) for (let row = 0; row < rows.count; row++) if (rows.traces[row] === number) found.push(row);
  return found;
}

function addAll(assembly: TraceAssembly, rows: SpanRows, found: readonly number[], most: number): void {
  const { rest } = rows;
  let chunk = 0;
  let bytes: Buffer | undefined;
  for (const row of found) {
    if (assembly.count >= most) return;
    if (bytes === undefined || row >= rest.first(chunk + 1)) {
      while (row >= rest.first(chunk + 1)) chunk++;
      bytes = rest.bytes(chunk);
    }
    assembly.add(rows, row, bytes);
  }
}
