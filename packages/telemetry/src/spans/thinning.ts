/**
 * Tail sampling, when the volume asks for it: as long as all fits, all is kept. When it does not, older traces are thinned out
 * before any time is deleted: from segments that are complete, every second normal trace is taken away, by a hash of its id, so
 * that a trace is whole or gone (unless it lies over two segments of which one is thinned out more); those that stay count twice.
 * Traces with an error, and those that took longer than the p99 of their root operation, are always kept and count once, so that
 * sums stay right.
 *
 * The decision is late on purpose: no trace is judged before its spans are there, and taking in waits for nothing. Segments thinned
 * out least come first, so that in the end the whole age is covered evenly. After `deepest` times, retention deletes.
 */
import type { BlockStore } from "../store/block-store.ts";
import { hashOfId } from "../store/bloom.ts";
import { DamagedError } from "../store/damaged-error.ts";
import type { Segment } from "../store/segment.ts";
import { BlockRows } from "./block-rows.ts";
import { RootDurations } from "./root-durations.ts";
import { draftOf, type SpanBlock, type SpanDraft, type SpansAbout } from "./span-block.ts";
import { SpanHead } from "./span-head.ts";
import { bits, isRoot, type SpanRows } from "./span-rows.ts";
import { idLength } from "./trace-table.ts";

type SpanSegment = Segment<SpansAbout>;

/** Normal traces stand for 64 then. */
const deepest = 6;
/** Part of the limit from which on there is thinning. */
const startsAt = 7 / 8;
/** Traces to be kept that are remembered over blocks; beyond, a block goes by what is in itself. */
const mostRemembered = 200_000;

export interface Thinning {
  readonly blocks: BlockStore<SpansAbout>;
  /** Bytes of the folder. */
  readonly limit: number;
  readonly blockSpans: number;
  pause(): Promise<void>;
  onDamage(error: DamagedError): void;
}

/** Thins out once, if it is needed; gives how many spans were taken away, undefined: it was not needed, or nothing can be. */
export async function thin(thinning: Thinning): Promise<number | undefined> {
  const { blocks, limit } = thinning;
  if (blocks.bytes <= limit * startsAt) return;
  const chosen = choose(blocks.segments, limit / 16);
  if (chosen.length === 0) return;
  const before = rowsIn(chosen);
  const at = blocks.segments.indexOf(chosen[0] as SpanSegment);
  const around = blocks.segments.slice(Math.max(0, at - 1), at + chosen.length + 1);
  const level = levelOf(chosen[0] as SpanSegment);
  const targets = chosen.flatMap(({ blocks }) => blocks);
  const kept = { spans: 0 };
  const judge = await judgeOf(
    thinning,
    targets,
    around.flatMap(({ blocks }) => blocks),
  );
  const done = await blocks.replace(chosen, thinned(thinning, targets, judge, level, kept));
  return done ? before - kept.spans : undefined;
}

const rowsIn = (segments: readonly SpanSegment[]): number =>
  segments.reduce((sum, { blocks }) => sum + blocks.reduce((sum, { rows }) => sum + rows, 0), 0);

const levelOf = ({ blocks }: SpanSegment): number => Math.max(0, ...blocks.map(({ about }) => about.level));

/** The oldest of those thinned out least, with its neighbour if they make one segment of usual size afterwards. */
function choose(segments: readonly SpanSegment[], usual: number): readonly SpanSegment[] {
  const complete = segments.slice(0, -1);
  const least = Math.min(...complete.map(levelOf));
  if (least >= deepest) return [];
  const at = complete.findIndex((segment) => levelOf(segment) === least);
  const [first, second] = complete.slice(at, at + 2);
  if (!first) return [];
  return second && levelOf(second) === least && first.bytes + second.bytes <= 2.5 * usual ? [first, second] : [first];
}

/** Tells which traces are always kept. */
interface Judge {
  readonly durations: RootDurations;
  /** Ids, as hex. */
  readonly remembered: ReadonlySet<string>;
}

async function judgeOf(
  thinning: Thinning,
  targets: readonly SpanBlock[],
  around: readonly SpanBlock[],
): Promise<Judge> {
  const durations = new RootDurations();
  for (const block of targets) {
    await thinning.pause();
    reading(thinning, block, (rows) =>
      eachRoot(rows, (row, operation) =>
        durations.add(operation, rows.durations[row] as number, 1 << (rows.weights?.[row] ?? 0)),
      ),
    );
  }
  const remembered = new Set<string>();
  for (const block of around) {
    await thinning.pause();
    reading(thinning, block, (rows) => {
      const special = specialTraces(rows, durations);
      for (let trace = 0; trace < special.length && remembered.size < mostRemembered; trace++)
        if (special[trace] === 1) remembered.add(idOf(rows, trace));
    });
  }
  return { durations, remembered };
}

const idOf = ({ traceIds }: SpanRows, trace: number): string =>
  traceIds.toString("hex", trace * idLength, (trace + 1) * idLength);

function eachRoot(rows: SpanRows, visit: (row: number, operation: string) => void): void {
  const { ids, names, resources, dictionary } = rows;
  const known = new Map<number, string>();
  for (let row = 0; row < rows.count; row++) {
    if (!isRoot(ids, row)) continue;
    const name = names[row] as number;
    const resource = resources[row] as number;
    const number = resource * dictionary.names + name;
    let operation = known.get(number);
    if (operation === undefined) {
      operation = `${dictionary.resources[resource]?.service}\0${dictionary.name(name)}`;
      known.set(number, operation);
    }
    visit(row, operation);
  }
}

/** 1 for each trace of the block that has an error in it, or is slow. */
function specialTraces(rows: SpanRows, durations: RootDurations): Uint8Array {
  const { traces, bits: bit } = rows;
  const special = new Uint8Array(rows.traceIds.length / idLength);
  for (let row = 0; row < rows.count; row++)
    if (((bit[row] as number) & bits.status) === bits.error) special[traces[row] as number] = 1;
  eachRoot(rows, (row, operation) => {
    if (durations.isSlow(operation, rows.durations[row] as number)) special[traces[row] as number] = 1;
  });
  return special;
}

/** Whether a normal trace is kept that stands for 2^level: of those kept for one level less, every second. */
const isKept = ({ traceIds }: SpanRows, trace: number, level: number): boolean =>
  hashOfId(traceIds, trace * idLength) >>> (32 - level) === 0;

async function* thinned(
  thinning: Thinning,
  targets: readonly SpanBlock[],
  judge: Judge,
  level: number,
  kept: { spans: number },
): AsyncGenerator<SpanDraft> {
  const head = new SpanHead(targets[0]?.about.base ?? 0, true);
  const flush = (): SpanDraft => {
    head.commit();
    kept.spans += head.count;
    const draft = draftOf(head, level + 1);
    head.clear(head.base);
    return draft;
  };
  for (const block of targets) {
    await thinning.pause();
    reading(thinning, block, (rows) => copyKept(rows, judge, level, head));
    if (head.written >= thinning.blockSpans) yield flush();
  }
  if (head.written > 0) yield flush();
}

/** Copies the rows that stay. */
function copyKept(rows: BlockRows, { durations, remembered }: Judge, level: number, head: SpanHead): void {
  const special = specialTraces(rows, durations);
  const weight = new Int8Array(special.length).fill(-1);
  for (let trace = 0; trace < special.length; trace++) {
    if (special[trace] === 1 || remembered.has(idOf(rows, trace))) weight[trace] = 0;
    else if (isKept(rows, trace, level + 1)) weight[trace] = level + 1;
  }
  const copy = copier(rows, head);
  for (let row = 0; row < rows.count; row++) {
    const was = rows.weights?.[row] ?? 0;
    const now = weight[rows.traces[row] as number] as number;
    // What counts less than its level was kept because it was special, and stays so.
    if (was < level || now === 0) copy(row, was);
    else if (now > 0) copy(row, now);
  }
}

function copier(rows: SpanRows, head: SpanHead): (row: number, weight: number) => void {
  const { dictionary, rest, traceIds, ids } = rows;
  const view = new DataView(traceIds.buffer, traceIds.byteOffset, traceIds.length);
  const resources = dictionary.resources.map(({ bytes }) => head.resourceTable.intern(bytes));
  const scopes = dictionary.scopes.map(({ bytes }) => head.scopeTable.intern(bytes));
  const shift = (rows.base - head.base) * 1e6;
  let chunk = 0;
  let bytes: Buffer | undefined;
  return (row, weight) => {
    if (bytes === undefined || row >= rest.first(chunk + 1)) {
      while (row >= rest.first(chunk + 1)) chunk++;
      bytes = rest.bytes(chunk);
    }
    head.reserve();
    const to = head.written;
    const name = dictionary.name(rows.names[row] as number);
    head.traces[to] = head.traceTable.intern(view, (rows.traces[row] as number) * idLength);
    head.starts[to] = (rows.starts[row] as number) + shift;
    head.durations[to] = rows.durations[row] as number;
    head.names[to] = head.nameTable.intern(name, 0, name.length);
    head.resources[to] = resources[rows.resources[row] as number] as number;
    head.scopes[to] = scopes[rows.scopes[row] as number] as number;
    head.bits[to] = rows.bits[row] as number;
    (head.weights as Uint8Array)[to] = weight;
    for (const column of ["low", "high", "parentLow", "parentHigh"] as const)
      head.ids[column][to] = ids[column][row] as number;
    head.keep(bytes, rest.start(row), rest.end(row));
    head.endRow();
  };
}

function reading({ onDamage }: Thinning, block: SpanBlock, read: (rows: BlockRows) => void): void {
  if (block.gone) return;
  try {
    read(new BlockRows(block));
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    onDamage(error);
  }
}
