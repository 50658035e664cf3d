/**
 * Metrics on disk: what comes in is journalled and kept in memory, becomes blocks by time, and blocks become larger and coarser
 * ones with age. A process that is killed loses at most what came in the last 200 ms.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Cancel, Clock } from "@flotilla/ambient";
import { decodeMetrics } from "../otlp/codec.ts";
import { countRecords } from "../otlp/count.ts";
import type { MetricsData } from "../otlp/types.ts";
import { type Losses, type Taken, UnavailableError } from "../sink.ts";
import type { Recovered } from "../store/block-store.ts";
import { DamagedError } from "../store/damaged-error.ts";
import { Disk } from "../store/disk.ts";
import { Journal } from "../store/journal.ts";
import type { StoreStats } from "../store/store-stats.ts";
import type { Labels, Period } from "../telemetry.ts";
import { BlockFiles } from "./block-files.ts";
import type { BlockFacts } from "./block-writer.ts";
import { BlockWriter } from "./block-writer.ts";
import { expired, mergeBlocks, nextMerge } from "./compaction.ts";
import { readRecord } from "./journal-records.ts";
import { flatLabels } from "./label-sets.ts";
import { defaultMetricLimits, type MetricLimits } from "./limits.ts";
import { selectLabels, selectSamples } from "./select.ts";
import type { Matcher, MetricMetadata, SeriesSamples, SeriesSource } from "./series.ts";
import { type Frozen, SeriesIntake } from "./series-intake.ts";
import { translate } from "./translate.ts";

export interface MetricStoreOptions {
  /** Of its own; is created. */
  readonly folder: string;
  readonly clock: Clock;
  readonly losses: Losses;
  readonly limits?: Partial<MetricLimits>;
}

export interface MetricStats extends StoreStats {
  /** That have had a sample in the last hour or so. */
  readonly series: number;
  readonly recovered: Recovered & {
    /** Files that are not whole and were put aside. */
    readonly damaged: readonly string[];
  };
}

const all: Period = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
const journalPattern = /^journal-(\d+)$/;
/** Milliseconds. */
const lookAfterEvery = 30_000;
const sealAgainAfter = 10_000;
/** Series that are written to a block in one turn of the event loop. */
const seriesPerTurn = 100;

export class MetricStore implements SeriesSource {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #losses: Losses;
  readonly #limits: MetricLimits;
  readonly #disk: Disk;
  readonly #files: BlockFiles;
  readonly #intake: SeriesIntake;
  #journal: Journal | undefined;
  #journalNumber = 1;
  /** Files that hold what is in the head, and what is in the frozen one. */
  #journalPaths: string[] = [];
  #frozenJournals: { readonly journal: Journal | undefined; readonly paths: readonly string[] } | undefined;
  /** Records that the journal could not take yet. */
  #unwritten: Buffer[] = [];
  #headSince: number;
  #job: Generator<undefined, void> | undefined;
  #fault: string | undefined;
  #cancel: Cancel = () => {};
  #isClosed = false;
  #recovered: Recovered = { records: 0, clean: true, torn: 0 };

  private constructor({ folder, clock, losses, limits }: MetricStoreOptions) {
    this.#folder = folder;
    this.#clock = clock;
    this.#losses = losses;
    this.#limits = { ...defaultMetricLimits, ...limits };
    this.#headSince = clock.now();
    this.#disk = new Disk(folder, clock, this.#limits.reserve);
    this.#files = new BlockFiles(folder);
    this.#intake = new SeriesIntake(clock, losses, this.#limits);
  }

  /** Reads back what was in journals. Nothing else may have the folder open. */
  static open(options: MetricStoreOptions): MetricStore {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const store = new MetricStore(options);
    store.#replay();
    store.#lookAfter();
    return store;
  }

  /** An ExportMetricsServiceRequest as protobuf. See `Sink`. */
  add(request: Uint8Array): Taken {
    try {
      this.#admit();
      return this.#take(decodeMetrics(request));
    } catch (error) {
      if (error instanceof UnavailableError) {
        const reason = this.#disk.fault === undefined ? "falling behind" : "disk full";
        this.#losses.add("metrics", reason, countRecords("metrics", request));
      }
      throw error;
    }
  }

  #take(data: MetricsData): Taken {
    const intake = this.#intake;
    intake.message = undefined;
    const { taken, rejected } = translate(data, intake);
    const { message } = intake;
    const record = intake.record.take();
    if (record) this.#unwritten.push(record);
    this.#writeJournal();
    if (intake.head.bytes >= this.#limits.headBytes) this.#freeze();
    return rejected > 0 && message !== undefined ? { taken, rejected, message } : { taken, rejected };
  }

  /** Sorted by labels. Reading more series or samples than the limits is a `QueryError`. */
  select(matchers: readonly Matcher[], period: Period): Iterable<SeriesSamples> {
    return selectSamples(this.#parts(), matchers, period, this.#limits);
  }

  /** More than the limit are a `QueryError`. */
  series(matchers: readonly Matcher[], period: Period): Labels[] {
    return selectLabels(this.#parts(), matchers, period, this.#limits);
  }

  metadata(): ReadonlyMap<string, MetricMetadata> {
    return this.#intake.metadataByName;
  }

  stats(): MetricStats {
    const { head, frozen, table } = this.#intake;
    const blocks = this.#files.all;
    const slots = head.slots + (frozen?.head.slots ?? 0);
    const oldest = Math.min(head.oldest, frozen?.head.oldest ?? head.oldest, ...blocks.map(({ facts }) => facts.from));
    return {
      series: table.size,
      records: slots + blocks.reduce((sum, { facts }) => sum + facts.samples, 0),
      bytesOnDisk: this.#files.bytes + this.#journalBytes(),
      oldest: Number.isFinite(oldest) ? oldest : undefined,
      recovered: { ...this.#recovered, damaged: this.#files.damaged },
      fault: this.#disk.fault ?? this.#fault,
    };
  }

  /** Everything is in files when it returns; on an `UnavailableError` what the disk did not take is lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#job?.return();
    const steps = [
      () => this.#writeJournal(),
      () => this.#journal?.stop(),
      () => this.#frozenJournals?.journal?.stop(),
      () => this.#files.close(),
    ];
    let failure: { readonly error: unknown } | undefined;
    for (const step of steps) {
      try {
        step();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }

  #parts() {
    return {
      blocks: this.#files.all,
      heads: [...(this.#intake.frozen ? [this.#intake.frozen] : []), this.#intake],
      onDamage: (block: BlockFiles["all"][number], reason: string) => this.#files.putAside(block, reason),
    };
  }

  /** Throws an `UnavailableError` when nothing can be taken. */
  #admit(): void {
    if (this.#isClosed) throw new UnavailableError("the metric store is closed");
    if (!this.#journal) this.#beginJournal();
    this.#writeJournal();
    if (this.#intake.head.bytes < this.#limits.headBytes) return;
    throw new UnavailableError("metrics come in faster than they can be written", 5000);
  }

  #writeJournal(): void {
    this.#disk.ready();
    for (let record = this.#unwritten[0]; record; record = this.#unwritten[0]) {
      this.#journal?.append(record);
      this.#unwritten.shift();
    }
  }

  #journalBytes(): number {
    return (this.#journal?.size ?? 0) + (this.#frozenJournals?.journal?.size ?? 0);
  }

  #beginJournal(): void {
    const path = join(this.#folder, `journal-${String(this.#journalNumber).padStart(8, "0")}`);
    const [journal] = Journal.open(path, this.#clock, this.#disk, () => {});
    this.#journalNumber++;
    this.#journal = journal;
    this.#journalPaths.push(path);
    this.#unwritten.push(...this.#intake.snapshot());
  }

  #replay(): void {
    // Reading back needs no room.
    const disk = new Disk(this.#folder, this.#clock, 0);
    const names = readdirSync(this.#folder).filter((name) => journalPattern.test(name));
    const recovered = { records: 0, clean: true, torn: 0 };
    for (const name of names.sort()) {
      const path = join(this.#folder, name);
      this.#journalNumber = Number(journalPattern.exec(name)?.[1]) + 1;
      const reader = journalReader(this.#intake, () => recovered.records++);
      try {
        const [journal, replayed] = Journal.open(path, this.#clock, disk, (record) => readRecord(record, reader));
        journal.close();
        this.#journalPaths.push(path);
        recovered.torn += replayed.torn;
        // Earlier ones are of earlier processes, whose ends have been told.
        recovered.clean = replayed.clean;
      } catch (error) {
        // Whole by its checks and yet no journal of ours: it must not keep us from starting.
        recovered.clean = false;
        this.#files.putFileAside(path, `${path}: ${(error as Error).message}`);
      }
    }
    this.#intake.record.take();
    this.#recovered = recovered;
    if (recovered.records > 0) this.#headSince = this.#intake.head.oldest;
  }

  /** What memory holds goes to a block from now on, and new samples into a new head. */
  #freeze(): void {
    if (this.#intake.frozen) return;
    const before = { journal: this.#journal, paths: this.#journalPaths };
    const frozen = this.#intake.freeze();
    this.#frozenJournals = before;
    this.#journal = undefined;
    this.#journalPaths = [];
    // All of these are known to the snapshot, or are in the block.
    this.#unwritten = [];
    this.#headSince = this.#clock.now();
    this.#start(this.#seal(frozen));
  }

  *#seal(frozen: Frozen): Generator<undefined, void> {
    const path = this.#files.nextPath();
    yield* this.#writing(
      () => writeHead(frozen, path),
      path,
      () => {
        this.#files.replace([], path);
        this.#intake.frozen = undefined;
        this.#frozenJournals?.journal?.close();
        for (const old of this.#frozenJournals?.paths ?? []) rmSync(old, { force: true });
        this.#frozenJournals = undefined;
      },
    );
  }

  /** A failure is kept for `stats`, and what was to be done is tried again when the store is looked after. */
  *#writing(
    write: () => Generator<undefined, BlockFacts | undefined>,
    path: string,
    done: (isThere: boolean) => void,
  ): Generator<undefined, void> {
    try {
      // Others need room more than we need fewer files.
      this.#disk.write(() => undefined);
      const facts = yield* write();
      this.#fault = undefined;
      done(facts !== undefined);
    } catch (error) {
      this.#fault = `${path}: ${(error as Error).message}`;
      const damaged = error instanceof DamagedError && this.#files.all.find((block) => block.path === error.path);
      if (damaged) this.#files.putAside(damaged, (error as Error).message);
    }
  }

  *#mergeAll(): Generator<undefined, void> {
    for (;;) {
      const merge = nextMerge(this.#files.all, this.#clock.now(), this.#limits.tiers);
      if (!merge) return;
      const path = this.#files.nextPath();
      let isDone = false;
      yield* this.#writing(
        () => mergeBlocks(merge.inputs, path, merge.resolution),
        path,
        (isThere) => {
          isDone = true;
          this.#files.replace(merge.inputs, isThere ? path : undefined);
        },
      );
      if (!isDone) return;
    }
  }

  /** One job at a time, a piece in each turn of the event loop. */
  #start(job: Generator<undefined, void>): void {
    if (this.#job) return;
    this.#job = job;
    const step = () => {
      if (this.#isClosed) return;
      if (job.next().done) this.#job = undefined;
      else this.#clock.soon(step);
    };
    this.#clock.soon(step);
  }

  #lookAfter(): void {
    const { frozen, head } = this.#intake;
    const now = this.#clock.now();
    if (!this.#job) {
      this.#retain(now);
      const { headSpan, maxSeries, maxLabelCharacters } = this.#limits;
      const { size, characters } = this.#intake.table;
      const isOver = Math.floor(now / headSpan) > Math.floor(this.#headSince / headSpan);
      const isFull = (size >= maxSeries || characters >= maxLabelCharacters) && this.#intake.inactive() > size / 10;
      if (frozen) this.#start(this.#seal(frozen));
      else if (isFull || (head.slots > 0 && (isOver || head.bytes >= this.#limits.headBytes))) this.#freeze();
      else this.#start(this.#mergeAll());
    }
    const again = this.#fault === undefined ? lookAfterEvery : sealAgainAfter;
    this.#cancel = this.#clock.after(again, () => this.#lookAfter(), { background: true });
  }

  #retain(now: number): void {
    const { maxAge, maxBytes } = this.#limits;
    const left = Math.max(0, maxBytes - this.#journalBytes());
    for (const block of expired(this.#files.all, now, { maxAge, maxBytes: left })) this.#files.remove(block);
  }
}

function* writeHead({ table, head }: Frozen, path: string): Generator<undefined, BlockFacts | undefined> {
  const series: number[] = [];
  for (let id = 0; id < table.size; id++) if (head.has(id)) series.push(id);
  series.sort((a, b) => table.compare(a, b));
  const writer = new BlockWriter(path, 0);
  let isDone = false;
  try {
    for (const [index, id] of series.entries()) {
      const samples = head.read(id, all);
      if (samples) writer.add(flatLabels(table, id), table.flags[id] as number, samples);
      if (index % seriesPerTurn === seriesPerTurn - 1) yield;
    }
    const facts = writer.finish();
    isDone = true;
    return facts;
  } finally {
    if (!isDone) writer.abandon();
  }
}

/** Numbers of series are those of one journal. */
function journalReader(intake: SeriesIntake, onSample: () => void): Parameters<typeof readRecord>[1] {
  const numbers = new Map<number, number>();
  const of = (id: number): number => {
    const series = numbers.get(id);
    if (series === undefined) throw new RangeError(`a journal says samples of a series ${id} that it does not define`);
    return series;
  };
  return {
    series(id, labels, flags) {
      const known = intake.table.find(labels);
      numbers.set(id, known >= 0 ? known : intake.addSeries(labels, flags));
    },
    state: (id, state) => intake.setState(of(id), state),
    total: (id, total) => intake.totals.set(of(id), total),
    sample(id, time, value) {
      onSample();
      intake.put(of(id), time, value);
    },
    histogram(id, time, histogram) {
      onSample();
      intake.putHistogram(of(id), time, histogram);
    },
    end: (id, time) => intake.putEnd(of(id), time),
    metadata: (name, metadata) => intake.metadata(name, metadata),
  };
}
