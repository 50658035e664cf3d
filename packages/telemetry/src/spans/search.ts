/**
 * Searches over the head and the blocks. The head is read at once, before anything else can happen to it; between blocks the event
 * loop goes on, so that a long search holds up nothing else. A block that retention deletes meanwhile is passed over.
 */
import type { TracesData } from "../otlp/types.ts";
import { DamagedError } from "../store/damaged-error.ts";
import type { TraceSearch, TraceSummary } from "../telemetry.ts";
import { TraceAssembly } from "./assemble.ts";
import { BlockRows, mayHoldTraces, numbersIn } from "./block-rows.ts";
import { matches, mayMatch, prepare, type Wanted } from "./match.ts";
import { type SpanBlock, servicesOf } from "./span-block.ts";
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
/** For more traces than this, an index of a block's or the head's traces is made. */
const fewTraces = 50;

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
  addAll(assembly, store.head, rowsFinder(store.head, false)(id), most);
  for (const block of blocks) {
    if (holding(store, block, [{ id }]).length === 0) continue;
    await store.pause();
    reading(store, block, (rows) => addAll(assembly, rows, rowsFinder(rows, false)(id), most));
  }
  return assembly.data;
}

export interface KnownService {
  readonly service: string;
  /** With those thinned out. */
  readonly spans: number;
  readonly errors: number;
}

/** Services of everything that is there; most spans first. */
export async function knownServices(store: Searched): Promise<KnownService[]> {
  const sums = new Map<string, KnownService>();
  const add = (services: readonly (readonly [string, number, number])[]) => {
    for (const [service, spans, errors] of services) {
      const known = sums.get(service);
      sums.set(service, { service, spans: spans + (known?.spans ?? 0), errors: errors + (known?.errors ?? 0) });
    }
  };
  const blocks = store.blocks();
  add(servicesOf(store.head));
  for (const block of blocks) {
    if (block.about.services) add(block.about.services);
    else {
      await store.pause();
      reading(store, block, (rows) => add(servicesOf(rows)));
    }
  }
  return [...sums.values()].sort((a, b) => b.spans - a.spans);
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
    for (let at = 0; at < found.length; at++) {
      const row = found[at] as number;
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
  const addTo = (rows: SpanRows, here: typeof sums) => {
    const rowsOf = rowsFinder(rows, here.length > fewTraces);
    for (const { id, sum } of here) for (const row of rowsOf(id)) sum.add(rows, row);
  };
  addTo(store.head, sums);
  for (const block of blocks) {
    const here = holding(store, block, sums);
    if (here.length === 0) continue;
    await store.pause();
    reading(store, block, (rows) => addTo(rows, here));
  }
  return sums.flatMap(({ id, sum }) => sum.of(id) ?? []).sort((a, b) => b.start - a.start);
}

/** Those of the traces that may be in the block. */
function holding<T extends { readonly id: Buffer }>(store: Searched, block: SpanBlock, traces: readonly T[]): T[] {
  return safely(store, block, () => mayHoldTraces(block, traces)) ?? [];
}

function reading(store: Searched, block: SpanBlock, read: (rows: BlockRows) => void): void {
  safely(store, block, () => read(new BlockRows(block)));
}

function safely<T>(store: Searched, block: SpanBlock, read: () => T): T | undefined {
  if (block.gone) return;
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    store.onDamage(error);
  }
}

/** Finds the rows of traces, rising. `many`: of many traces. */
function rowsFinder(rows: SpanRows, many: boolean): (id: Buffer) => readonly number[] {
  const numberOf = numbersIn(rows.traceIds, many);
  if (rows instanceof BlockRows)
    return (id) => {
      const number = numberOf(id);
      if (number < 0) return [];
      const first = rows.firsts[number] as number;
      return Array.from({ length: rows.sizes[number] as number }, (_, index) => first + index);
    };
  const byTrace = many ? rowsByTrace(rows) : undefined;
  return (id) => {
    const number = numberOf(id);
    if (number < 0) return [];
    return byTrace ? (byTrace.get(number) ?? []) : rowsOfTrace(rows, number);
  };
}

function rowsOfTrace({ count, traces }: SpanRows, number: number): number[] {
  const found: number[] = [];
  for (let row = 0; row < count; row++) if (traces[row] === number) found.push(row);
  return found;
}

function rowsByTrace({ count, traces }: SpanRows): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const trace = traces[row] as number;
    const known = found.get(trace);
    if (known) known.push(row);
    else found.set(trace, [row]);
  }
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
