/**
 * Keeps spans and finds them. What `add` has taken is found at once, also after a kill (see `BlockStore` for what a crash loses).
 *
 * Refused are spans without valid ids, of times far from now, or too large; all else is kept as it came, fields that are unknown
 * here as well. When the folder would grow beyond its limit, old traces are thinned out before any time is deleted (`thinning.ts`).
 */
import type { Clock } from "@flotilla/ambient";
import type { TracesData } from "../otlp/types.ts";
import { type Losses, MalformedError, type Taken, UnavailableError } from "../sink.ts";
import { BlockStore, type Head, type KeepLimits } from "../store/block-store.ts";
import type { StoreStats } from "../store/store-stats.ts";
import type { TraceSearch, TraceSummary } from "../telemetry.ts";
import { RequestWalk } from "./request-walk.ts";
import { assembleTrace, type KnownService, knownServices, type Searched, searchTraces } from "./search.ts";
import { draftOf, type SpanDraft, type SpansAbout } from "./span-block.ts";
import { SpanHead } from "./span-head.ts";
import { thin } from "./thinning.ts";

export interface SpanLimits extends KeepLimits {
  /** Milliseconds by which a span's start may lie before now, at most the age that is kept. */
  readonly tooOld: number;
  /** Milliseconds by which a span's start may lie after now: clocks differ. */
  readonly tooNew: number;
  /** Bytes of one span. */
  readonly spanBytes: number;
  /** Spans of one trace that `trace` gives at most. */
  readonly traceSpans: number;
  /** Of a head that is sealed into a block: 32768 are about 15 MB of memory. */
  readonly blockSpans: number;
}

const day = 86_400_000;
const mebibyte = 1 << 20;

export const spanLimits: SpanLimits = {
  age: 3 * day,
  bytes: 512 * mebibyte,
  tooOld: 3 * day,
  tooNew: 3_600_000,
  spanBytes: mebibyte,
  traceSpans: 20_000,
  blockSpans: 32_768,
};

/** Times are kept as nanoseconds in numbers, which are exact for 104 days; some of it is for what waits in a journal. */
const oldest = 90 * day;
/** A head of so much is sealed as well. */
const headBytes = 8 * mebibyte;

export interface SpanStoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly losses: Losses;
  readonly limits?: Partial<SpanLimits>;
  /** Bytes that are free on the file system; asked of it if not given. */
  readonly free?: () => number;
}

export interface SpanStats extends StoreStats {
  /** Spans with those thinned out, for which others stand. */
  readonly represented: number;
}

export class SpanStore {
  readonly #clock: Clock;
  readonly #losses: Losses;
  readonly #limits: SpanLimits;
  readonly #head: SpanHead;
  readonly #walk: RequestWalk;
  readonly #blocks: BlockStore<SpansAbout>;
  readonly #searched: Searched;
  #thinning: Promise<void> | undefined;
  #closed = false;

  private constructor({ folder, clock, losses, limits, free }: SpanStoreOptions) {
    this.#clock = clock;
    this.#losses = losses;
    this.#limits = { ...spanLimits, ...limits };
    this.#head = new SpanHead(clock.now());
    const tooOld = Math.min(this.#limits.tooOld, this.#limits.age, oldest);
    this.#walk = new RequestWalk(this.#head, { ...this.#limits, tooOld });
    const head: Head<SpansAbout> = {
      replay: (record) => this.#replay(record),
      draft: () => this.#draft(),
      clear: () => this.#head.clear(this.#clock.now()),
    };
    this.#blocks = BlockStore.open({ folder, clock, limits: this.#limits, head, free });
    this.#searched = {
      head: this.#head,
      blocks: (period) => this.#blocks.blocks(period),
      pause: () => this.#pause(),
      onDamage: () => losses.add("traces", "damaged block"),
    };
  }

  static open(options: SpanStoreOptions): SpanStore {
    return new SpanStore(options);
  }

  /**
   * Takes an ExportTraceServiceRequest, as protobuf; it is copied. Malformed: a `MalformedError`, and nothing of it is taken. The
   * disk takes nothing: an `UnavailableError`, and nothing of it is taken.
   */
  add(request: Uint8Array): Taken {
    const unavailable = this.#makeRoom();
    const spans = this.#walked(request);
    try {
      if (unavailable) throw unavailable;
      if (spans > 0) this.#blocks.append(request);
    } catch (error) {
      this.#head.rollback();
      if (error instanceof UnavailableError) this.#losses.add("traces", "disk full", spans);
      throw error;
    }
    this.#head.commit();
    return this.#taken(spans);
  }

  /** The `limit` traces whose matching spans are the newest; newest first. */
  traces(search: TraceSearch): Promise<TraceSummary[]> {
    return searchTraces(this.#searched, search);
  }

  /** All spans that are known of a trace (32 hex digits), at most `limits.traceSpans`; undefined: none. */
  async trace(id: string): Promise<TracesData | undefined> {
    if (!/^[0-9a-f]{32}$/i.test(id)) return;
    return assembleTrace(this.#searched, Buffer.from(id, "hex"), this.#limits.traceSpans);
  }

  /** Of everything that is there; most spans first. */
  async services(): Promise<KnownService[]> {
    return knownServices(this.#searched);
  }

  stats(): SpanStats {
    const blocks = this.#blocks.blocks();
    const { count, starts, base } = this.#head;
    let first = Math.min(...blocks.map(({ from }) => from));
    for (let row = 0; row < count; row++) first = Math.min(first, base + (starts[row] as number) / 1e6);
    return {
      records: blocks.reduce((sum, { rows }) => sum + rows, count),
      represented: blocks.reduce((sum, { about }) => sum + about.spans, count),
      bytesOnDisk: this.#blocks.bytes,
      oldest: Number.isFinite(first) ? first : undefined,
      recovered: this.#blocks.recovered,
      fault: this.#blocks.fault,
    };
  }

  /** Resolves when nothing is being thinned out. */
  async thinned(): Promise<void> {
    await this.#thinning;
  }

  /** Stops in order. Searches under way end with what they have. */
  close(): void {
    this.#closed = true;
    this.#blocks.close();
  }

  #pause = (): Promise<void> => new Promise((resolve) => this.#clock.soon(resolve));

  /** Thins out in the background, as long as it is needed. */
  #thinOut(): void {
    if (this.#thinning) return;
    const { bytes, blockSpans } = this.#limits;
    const { onDamage } = this.#searched;
    const thinning = { blocks: this.#blocks, limit: bytes, blockSpans, pause: this.#pause, onDamage };
    const run = async () => {
      while (!this.#closed) {
        const gone = await thin(thinning);
        if (gone === undefined) return;
        this.#losses.add("traces", "sampled", gone);
      }
    };
    this.#thinning = run()
      .catch((error) => {
        // The disk keeps its fault; the next seal tries again.
        if (!(error instanceof UnavailableError)) throw error;
      })
      .finally(() => {
        this.#thinning = undefined;
      });
  }

  #walked(request: Uint8Array): number {
    if (this.#head.count === 0) this.#head.clear(this.#clock.now());
    try {
      return this.#walk.walk(request, this.#clock.now());
    } catch (error) {
      this.#head.rollback();
      throw error;
    }
  }

  /** Seals a head that is full; gives why it could not. */
  #makeRoom(): UnavailableError | undefined {
    if (this.#head.count < this.#limits.blockSpans && this.#head.size < headBytes) return;
    try {
      this.#blocks.seal();
      this.#thinOut();
    } catch (error) {
      if (error instanceof UnavailableError) return error;
      throw error;
    }
  }

  #taken(taken: number): Taken {
    const { refused } = this.#walk;
    if (refused.size === 0) return { taken, rejected: 0 };
    let rejected = 0;
    for (const [reason, count] of refused) {
      rejected += count;
      this.#losses.add("traces", reason, count);
    }
    const message = Array.from(refused, ([reason, count]) => `${reason}: ${count}`).join(", ");
    return { taken, rejected, message: `spans not taken: ${message}` };
  }

  #replay(record: Uint8Array): void {
    try {
      this.#walk.walk(record);
      this.#head.commit();
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#head.rollback();
      this.#losses.add("traces", "not recovered");
    }
  }

  #draft(): SpanDraft | undefined {
    return this.#head.count === 0 ? undefined : draftOf(this.#head);
  }
}
