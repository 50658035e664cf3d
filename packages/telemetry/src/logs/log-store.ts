/**
 * Keeps log records and finds them: what was sent is what is found, in all fields and types. Records that are equal are kept as often
 * as they came, for OTLP has nothing by which to know a repetition; times may be in any order.
 */
import type { Clock } from "@flotilla/ambient";
import { type Losses, MalformedError, type Taken, UnavailableError } from "../sink.ts";
import { BlockStore, type KeepLimits } from "../store/block-store.ts";
import { ByteWriter } from "../store/bytes.ts";
import { DamagedError } from "../store/damaged-error.ts";
import { Block, type Draft } from "../store/segment.ts";
import type { StoreStats } from "../store/store-stats.ts";
import { type FoundLog, type LogSearch, QueryError } from "../telemetry.ts";
import { type AboutLogs, LogColumns } from "./log-columns.ts";
import { parseLogs, type RawLogs } from "./log-request.ts";
import { type LogSource, LogView } from "./log-view.ts";
import { matchesIn, mayMatch, type Sought, soughtBy } from "./search.ts";

/** What is kept where nothing else is said. */
export const logLimits: KeepLimits = { age: 3 * 86_400_000, bytes: 256 << 20 };

export interface LogStoreOptions {
  /** Of its own. */
  readonly folder: string;
  readonly clock: Clock;
  readonly losses: Losses;
  readonly limits?: Partial<KeepLimits>;
  /** Bytes that are free on the file system; asked of it if not given. */
  readonly free?: () => number;
}

/** A block is made when either is reached. It is searched in one go, so its size is how long others wait: a few milliseconds. */
const fullBytes = 1 << 20;
const fullRows = 16_384;
const level = 3;
/** Milliseconds that a search works until it lets others. */
const slice = 8;
const defaultLimit = 1000;
/** Before a request in the journal: the number of its first record, and when it came (ms since the epoch), as doubles. */
const prefix = 16;

interface Match {
  readonly time: number;
  readonly size: number;
  readonly found: FoundLog;
}

/** Bytes of the records of one answer: some ask at once, and as text each takes several times that. */
const answerBytes = 8 << 20;

export class LogStore {
  readonly #clock: Clock;
  readonly #losses: Losses;
  readonly #head = new LogColumns();
  readonly #store: BlockStore<AboutLogs>;
  /** Of the next record. */
  #next = 0;
  #draft: Draft<AboutLogs> | undefined;
  /** What is being appended to the journal. */
  readonly #record = new ByteWriter();

  private constructor({ folder, clock, losses, limits, free }: LogStoreOptions) {
    this.#clock = clock;
    this.#losses = losses;
    this.#store = BlockStore.open<AboutLogs>({
      folder,
      clock,
      limits: { ...logLimits, ...limits },
      level,
      ...(free && { free }),
      head: {
        replay: (record) => this.#replay(record),
        draft: () => this.#head.draft(),
        clear: () => {
          this.#head.clear();
          this.#draft = undefined;
        },
      },
    });
    const last = this.#store.blocks().reduce((most, { about }) => Math.max(most, about.last + 1), this.#next);
    // Numbers of records that a kill has lost may have been told to somebody who asks for what came after them.
    this.#next = Math.max(last, clock.now() * 1000);
    this.#seal();
  }

  /** One process at a time may have a folder open. */
  static open(options: LogStoreOptions): LogStore {
    return new LogStore(options);
  }

  /** An ExportLogsServiceRequest, see `Sink`. All of it is taken or none. */
  add(request: Uint8Array): Taken {
    this.#store.ready();
    if (this.#isFull()) this.#store.seal();
    const logs = parseLogs(request);
    if (logs.count === 0) return { taken: 0, rejected: 0 };
    const now = this.#clock.now();
    this.#record.clear();
    this.#record.float64(this.#next);
    this.#record.float64(now);
    this.#record.bytes(request);
    this.#store.append(this.#record.written);
    this.#take(logs, this.#next, now);
    if (this.#isFull()) this.#seal();
    return { taken: logs.count, rejected: 0 };
  }

  /**
   * See `Telemetry`. Without `after`: the newest by time, oldest first. With it: the first of those that came in after it, also oldest
   * first; the greatest `id` among them is the next `after`. A search that cannot be is a `QueryError`, and so is one that finds more than
   * `most` bytes; with `after` it finds fewer instead.
   */
  async logs(search: LogSearch, most = answerBytes): Promise<FoundLog[]> {
    const sought = soughtBy(search);
    const limit = search.limit ?? defaultLimit;
    if (limit <= 0) return [];
    const sources = this.#sources().filter((source) => mayMatch(sought, source));
    const isFollowing = search.after !== undefined;
    sources.sort(isFollowing ? (a, b) => a.about.first - b.about.first : (a, b) => b.to - a.to);
    let best: Match[] = [];
    let begun = this.#clock.now();
    for (const source of sources) {
      if (best.length >= limit && (isFollowing || source.to < (best[0]?.time ?? 0))) break;
      best = this.#merged(best, source, sought, limit, isFollowing);
      const fitting = fittingIn(best, most);
      if (fitting < best.length && !isFollowing)
        throw new QueryError(`1:1: what is found has more than ${most} bytes; ask for fewer lines or a shorter time`);
      if (fitting < best.length) {
        best = best.slice(0, Math.max(1, fitting));
        break;
      }
      if (this.#clock.now() - begun < slice) continue;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
      begun = this.#clock.now();
    }
    return best.sort(byTime).map(({ found }) => found);
  }

  stats(): StoreStats {
    const blocks = this.#store.blocks();
    const oldest = blocks.reduce((least, { from }) => Math.min(least, from), this.#head.from);
    return {
      records: blocks.reduce((sum, { rows }) => sum + rows, this.#head.rows),
      bytesOnDisk: this.#store.bytes,
      oldest: oldest === Infinity ? undefined : oldest,
      recovered: this.#store.recovered,
      fault: this.#store.fault,
    };
  }

  /** Everything that was taken is in the files. */
  close(): void {
    this.#store.close();
  }

  #isFull = () => this.#head.bytes >= fullBytes || this.#head.rows >= fullRows;

  /** A full disk stops only what is to be added; what is in the head stays, and is in the journal. */
  #seal(): void {
    if (!this.#isFull()) return;
    try {
      this.#store.seal();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  #take(logs: RawLogs, first: number, now: number): void {
    this.#draft = undefined;
    this.#head.add(logs, first, now);
    this.#next = first + logs.count;
  }

  #replay(record: Uint8Array): void {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    try {
      this.#take(parseLogs(record.subarray(prefix)), view.getFloat64(0, true), view.getFloat64(8, true));
    } catch (error) {
      // Another version of this program may have taken what this one does not.
      if (!(error instanceof MalformedError)) throw error;
      this.#losses.add("logs", "not recovered");
    }
  }

  #drafted(): Draft<AboutLogs> | undefined {
    this.#draft ??= this.#head.draft(true);
    return this.#draft;
  }

  /** All that is there at this moment. */
  #sources(): LogSource[] {
    const draft = this.#drafted();
    return [...this.#store.blocks(), ...(draft ? [sourceOf(draft)] : [])];
  }

  /** The best of what was found before and of what the block has: the newest, or the first. */
  #merged(best: Match[], source: LogSource, sought: Sought, limit: number, isFollowing: boolean): Match[] {
    const view = new LogView(source);
    try {
      if (source instanceof Block && source.gone) return best;
      const indexes = matchesIn(view, sought);
      if (indexes.length === 0) return best;
      const { ms } = view.columns;
      if (!isFollowing) indexes.sort((a, b) => (ms[a] as number) - (ms[b] as number) || a - b);
      // What this block alone has too much of is not made into records.
      const chosen = isFollowing ? indexes.slice(0, limit - best.length) : indexes.slice(-limit);
      const added = chosen
        .filter((index) => isFollowing || best.length < limit || (ms[index] as number) >= (best[0]?.time ?? 0))
        .map((index) => ({ time: ms[index] as number, size: view.sizeOf(index), found: view.found(index) }));
      if (isFollowing) return [...best, ...added];
      return [...best, ...added].sort(byTime).slice(-limit);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      this.#losses.add("logs", "damaged block");
      return best;
    } finally {
      // What is in the head is not its own.
      if (source instanceof Block) view.release();
    }
  }
}

/** How many of them, from the first on, have no more than `most` bytes together. */
function fittingIn(matches: readonly Match[], most: number): number {
  let bytes = 0;
  const beyond = matches.findIndex(({ size }) => {
    bytes += size;
    return bytes > most;
  });
  return beyond < 0 ? matches.length : beyond;
}

const byTime = (a: Match, b: Match): number => a.time - b.time || (a.found.id < b.found.id ? -1 : 1);

/** A head that has been drafted is searched as a block is. */
function sourceOf({ from, to, rows, about, sections }: Draft<AboutLogs>): LogSource {
  const read = (section: number): Buffer => {
    const bytes = sections[section]?.bytes ?? new Uint8Array();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return {
    from,
    to,
    rows,
    about,
    read,
    part: (section, offset, length) => read(section).subarray(offset, offset + length),
    length: (section) => read(section).length,
  };
}
