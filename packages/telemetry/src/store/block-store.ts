/**
 * Keeps records of any kind on disk: a head in memory that its owner fills and searches, with a journal beside it; sealed into
 * compressed blocks; blocks in segments, which retention deletes. Spans and logs are kept by it.
 *
 * To use it: give `open` a `Head` (it gets back what the journal holds), then for each request: let the head parse it, `append`
 * the request, and only then count it as taken; when the head is full, `seal()`. Search the head, then `blocks(period)`.
 *
 * What it promises:
 * - What was appended is there after SIGKILL at any moment, but for the last 200 ms; `recovered` says what was found at the start. A
 *   record is in the journal or in a block, never in both and never in neither.
 * - A block is forced to the disk before its journal is deleted. Journals are not forced: a loss of power loses what the system
 *   had not yet written, usually up to 30 s.
 * - Blocks never change. A block found in `blocks()` may be deleted (`gone`) at the next turn of the event loop, not before.
 * - The whole folder stays below `limits.bytes` but for the journal and one block, and nothing is older than `limits.age` but by
 *   its 24th part; oldest segments go first. The head is sealed when it has been filled for that long, however little is in it.
 * - While the disk takes nothing, `append` and `seal` throw `UnavailableError` and all the rest works; they work again as soon as
 *   there is room.
 *
 * One process at a time may have a folder open.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Cancel, Clock } from "@flotilla/ambient";
import { UnavailableError } from "../sink.ts";
import type { Period } from "../telemetry.ts";
import { Disk } from "./disk.ts";
import { Journal } from "./journal.ts";
import { type Block, type Draft, Segment, type Stamps } from "./segment.ts";

export interface Head<About> {
  /** A record that was appended before the process ended; valid during the call only. Throws nothing. */
  replay(record: Uint8Array): void;
  /** All that is in the head; undefined when it is empty. */
  draft(): Draft<About> | undefined;
  /** The draft is in a block: begin anew. */
  clear(): void;
}

export interface KeepLimits {
  /** Milliseconds after which data is deleted. */
  readonly age: number;
  /** Of the folder. */
  readonly bytes: number;
  /** Bytes of the file system that are left free for others; 64 MiB if not given. */
  readonly reserve?: number;
}

export interface Recovered {
  /** Records of the journal that were taken back into the head. */
  readonly records: number;
  /** The last process stopped in order; false: it was killed, and up to 200 ms before that are lost. */
  readonly clean: boolean;
  /** Bytes of the journal that made no whole record. */
  readonly torn: number;
}

export interface BlockStoreOptions<About> {
  readonly folder: string;
  readonly clock: Clock;
  readonly limits: KeepLimits;
  readonly head: Head<About>;
  /** zstd's; 1 if not given. */
  readonly level?: number;
  /** Bytes that are free on the file system; asked of it if not given. */
  readonly free?: () => number;
}

/** A journal whose records are in the segment, until that is on the disk; or which was found and is in the head. */
interface Waiting<About> {
  readonly path: string;
  readonly bytes: number;
  readonly segment: Segment<About>;
}

/** A segment is at most this part of the limits, so that deleting one loses little more than it must. */
const parts = { age: 24, bytes: 16 };
const longestPause = 600_000;
/** Journals of sealed heads that wait for the disk; with more, sealing waits for it. */
const mostWaiting = 4;

export class BlockStore<About> {
  readonly recovered: Recovered;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #limits: KeepLimits;
  readonly #head: Head<About>;
  readonly #level: number;
  readonly #disk: Disk;
  #segments: Segment<About>[] = [];
  /** Of the journal in use; a journal's file is named for it and for when it was begun. */
  #generation = 0;
  #begun = 0;
  #journal: Journal | undefined;
  /** Journals before it whose records are in the head as well: their block had not reached the disk. */
  #earlier: { path: string; bytes: number; generation: number }[] = [];
  #waiting: Waiting<About>[] = [];
  #syncing = false;
  #closed = false;
  #cancel: Cancel | undefined;

  private constructor({ folder, clock, limits, head, level, free }: BlockStoreOptions<About>) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#clock = clock;
    this.#limits = limits;
    this.#head = head;
    this.#level = level ?? 1;
    this.#disk = new Disk(folder, clock, limits.reserve ?? 64 * 1024 * 1024, free);
    this.#openSegments();
    this.recovered = this.#recover();
    this.#tend();
  }

  static open<About>(options: BlockStoreOptions<About>): BlockStore<About> {
    return new BlockStore(options);
  }

  /** Why nothing can be written at the moment; undefined: it can. */
  get fault(): string | undefined {
    return this.#disk.fault;
  }

  /** Of all files. */
  get bytes(): number {
    const files = [...this.#waiting, ...this.#earlier, ...this.#segments];
    return files.reduce((sum, { bytes }) => sum + bytes, this.#journal?.size ?? 0);
  }

  /** Copies the record (not empty) into the journal. An `UnavailableError` means that it was not taken. */
  append(record: Uint8Array): void {
    this.#journal ??= this.#newJournal();
    this.#journal.append(record);
  }

  /** Refuses with an `UnavailableError` when it is known that `append` or `seal` would. */
  ready(): void {
    this.#disk.ready();
  }

  /** Makes a block of the head. An `UnavailableError` means that nothing has changed. */
  seal(): void {
    this.#disk.ready();
    const draft = this.#head.draft();
    if (!draft) return;
    const stamps: Stamps = {
      sealed: this.#clock.now(),
      journals: [this.#earlier[0]?.generation ?? this.#generation, this.#generation],
    };
    const segment = this.#disk.write(() => {
      const active = this.#active(stamps.sealed);
      active.append(draft, stamps, this.#level);
      return active;
    });
    this.#head.clear();
    this.#retire(segment);
    this.#forceLater();
    this.retain();
  }

  /** Newest first (by the newest in each), of those that may hold something of the period. */
  blocks(period: Partial<Period> = {}): Block<About>[] {
    const { from = -Infinity, to = Infinity } = period;
    return this.#segments
      .flatMap(({ blocks }) => blocks)
      .filter((block) => block.to >= from && block.from <= to)
      .sort((a, b) => b.to - a.to);
  }

  /** Oldest first; the last may still grow. */
  get segments(): readonly Segment<About>[] {
    return this.#segments;
  }

  /**
   * Puts one new segment of the drafts into the place of neighbours, which are deleted, once all drafts have come. For what thins
   * out or merges. False: retention has deleted one of them meanwhile, or the store was closed, and nothing was replaced.
   */
  async replace(old: readonly Segment<About>[], drafts: AsyncIterable<Draft<About>>): Promise<boolean> {
    const blocks = old.flatMap(({ blocks }) => blocks);
    const at = this.#segments.indexOf(old[0] as Segment<About>);
    if (at < 0 || blocks.length === 0 || at + old.length >= this.#segments.length)
      throw new RangeError("only segments that no longer grow can be replaced");
    const journals = blocks.flatMap(({ journals }) => journals);
    const stamps: Stamps = {
      sealed: Math.max(...blocks.map(({ sealed }) => sealed)),
      journals: [Math.min(...journals), Math.max(...journals)],
    };
    const numbers = old.flatMap(({ path }) => rangeOf(path));
    const path = join(this.#folder, segmentName(Math.min(...numbers), Math.max(...numbers)));
    const made = this.#disk.write(() => {
      rmSync(`${path}.new`, { force: true });
      return Segment.open<About>(`${path}.new`);
    });
    try {
      for await (const draft of drafts) {
        this.#disk.write(() => made.append(draft, stamps, this.#level));
        if (this.#closed || old.some(({ gone }) => gone)) break;
      }
      await made.synced();
      if (this.#closed || old.some(({ gone }) => gone)) {
        made.delete();
        return false;
      }
      this.#disk.write(() => renameSync(made.path, path));
    } catch (error) {
      made.delete();
      throw error;
    }
    made.path = path;
    this.#segments.splice(this.#segments.indexOf(old[0] as Segment<About>), old.length, made);
    for (const segment of old) {
      segment.close();
      if (segment.path !== path) rmSync(segment.path, { force: true });
    }
    return true;
  }

  /** Deletes what is too old or too much. Done by itself after each seal and every few minutes. */
  retain(): void {
    const tooOld = this.#clock.now() - this.#limits.age;
    for (;;) {
      const oldest = this.#segments[0];
      if (!oldest) return;
      const newest = oldest.blocks.at(-1)?.sealed ?? 0;
      if (newest >= tooOld && this.bytes <= this.#limits.bytes) return;
      oldest.delete();
      this.#segments.shift();
    }
  }

  /** Stops in order: all that was appended is in the files. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel?.();
    try {
      this.#journal?.stop();
    } finally {
      for (const segment of this.#segments) segment.close();
    }
  }

  #openSegments(): void {
    const names = readdirSync(this.#folder);
    for (const name of names.filter((name) => name.endsWith(".new"))) rmSync(join(this.#folder, name));
    const ranges = names.filter((name) => name.endsWith(".blocks")).map((name) => [name, ...rangeOf(name)] as const);
    for (const [name, from, to] of ranges.sort((a, b) => a[1] - b[1])) {
      const path = join(this.#folder, name);
      // A killed `replace` may have left what it had merged.
      if (ranges.some(([other, first, last]) => other !== name && first <= from && last >= to)) rmSync(path);
      else this.#segments.push(Segment.open(path));
    }
  }

  #recover(): Recovered {
    const found = readdirSync(this.#folder).flatMap((name) => {
      const [, generation, begun] = /^(\d+)-(\d+)\.journal$/.exec(name) ?? [];
      return begun ? [{ path: join(this.#folder, name), generation: Number(generation), begun: Number(begun) }] : [];
    });
    found.sort((a, b) => a.generation - b.generation);
    const oldest = found[0]?.generation ?? Infinity;
    for (const segment of this.#segments) segment.check(({ journals }) => journals[1] >= oldest);
    const sealed = this.#segments.flatMap(({ blocks }) => blocks.map(({ journals }) => journals));
    this.#generation = Math.max(-1, ...sealed.map(([, last]) => last)) + 1;
    const recovered = { records: 0, clean: true, torn: 0 };
    for (const { path, generation, begun } of found) {
      if (sealed.some(([first, last]) => first <= generation && generation <= last)) {
        rmSync(path);
        continue;
      }
      this.#setAside();
      const [journal, replayed] = Journal.open(path, this.#clock, this.#disk, (record) => this.#head.replay(record));
      this.#journal = journal;
      this.#generation = generation;
      this.#begun = begun;
      recovered.records += replayed.records;
      recovered.clean &&= replayed.clean;
      recovered.torn += replayed.torn;
    }
    return recovered;
  }

  #setAside(): void {
    if (!this.#journal) return;
    const { size } = this.#journal;
    this.#earlier.push({ path: this.#journalPath(), bytes: size, generation: this.#generation });
    this.#journal.close();
    this.#journal = undefined;
  }

  /** What is in the journals is in a block of this segment now. */
  #retire(segment: Segment<About>): void {
    this.#setAside();
    for (const { path, bytes } of this.#earlier) this.#waiting.push({ path, bytes, segment });
    this.#earlier = [];
    this.#generation++;
  }

  #journalPath = () => join(this.#folder, `${padded(this.#generation)}-${this.#begun}.journal`);

  #newJournal(): Journal {
    this.#begun = this.#clock.now();
    return this.#disk.write(() => Journal.open(this.#journalPath(), this.#clock, this.#disk, () => undefined)[0]);
  }

  /** The segment that grows. */
  #active(now: number): Segment<About> {
    const last = this.#segments.at(-1);
    const begun = last?.blocks[0]?.sealed ?? now;
    if (last && last.bytes < this.#limits.bytes / parts.bytes && now - begun < this.#limits.age / parts.age)
      return last;
    const [, number = 0] = last ? rangeOf(last.path) : [];
    const made = Segment.open<About>(join(this.#folder, segmentName(number + 1, number + 1)));
    this.#segments.push(made);
    return made;
  }

  /** Forces the blocks to the disk in the background, then deletes their journals. */
  #forceLater(): void {
    const segment = this.#waiting[0]?.segment;
    if (!segment) return;
    const covered = this.#waiting.filter((waiting) => waiting.segment === segment);
    if (segment.gone) this.#forced(covered);
    else if (!this.#syncing) {
      this.#syncing = true;
      segment.syncLater((error) => {
        this.#syncing = false;
        // A store that was closed finds the journals when it is opened.
        if (this.#closed) return;
        // What did not reach the disk keeps its journals; the next seal tries again.
        if (error && !segment.gone) return;
        this.#forced(covered);
        this.#forceLater();
      });
    } else if (this.#waiting.length > mostWaiting) {
      segment.sync();
      this.#forced(covered);
    }
  }

  #forced(covered: readonly Waiting<About>[]): void {
    for (const { path } of covered) rmSync(path, { force: true });
    this.#waiting = this.#waiting.filter((waiting) => !covered.includes(waiting));
  }

  #tend(): void {
    const pause = Math.min(longestPause, Math.max(1000, this.#limits.age / parts.age));
    const look = () => {
      this.#cancel = this.#clock.after(pause, look, { background: true });
      try {
        if (this.#journal && this.#clock.now() - this.#begun >= this.#limits.age / parts.age) this.seal();
        this.retain();
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
      }
    };
    look();
  }
}

const padded = (number: number): string => String(number).padStart(10, "0");
const segmentName = (first: number, last: number): string => `${padded(first)}-${padded(last)}.blocks`;

/** First and last number of the segments that the file stands for. */
function rangeOf(path: string): [number, number] {
  const [, first, last] = /(\d+)-(\d+)\.blocks$/.exec(path) ?? [];
  return [Number(first), Number(last)];
}
