/**
 * Follows the output of all containers of this node and hands it on as OTLP. One turn takes one chunk of one container, all in turn,
 * so that none has to wait for a loud one; a container that writes faster than its pace is read later (its files hold what waits),
 * and what would be too late by then is passed over and counted.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Clock, sleep } from "@flotilla/ambient";
import type { Log } from "@flotilla/client";
import { deepEqual } from "@flotilla/objects";
import { encodeLogs } from "../otlp/codec.ts";
import { countRecords } from "../otlp/count.ts";
import type { LogRecord, Resource } from "../otlp/types.ts";
import { type Losses, type Sink, UnavailableError } from "../sink.ts";
import { type KnownContainer, Progress } from "./checkpoint.ts";
import { ContainerLog, type Read } from "./container-log.ts";
import { Pace } from "./pace.ts";
import { type LogFolder, logFolderOf, type PodLabels, resourceOf, staticUid } from "./pod-resource.ts";
import { droppedRecord } from "./record.ts";
import { type Kept, withoutRepeats } from "./repeats.ts";

export interface PodLogsOptions {
  /** Where the agent keeps containers' output. */
  readonly folder: string;
  /** How far it has been read. */
  readonly checkpoint: string;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly sink: Pick<Sink, "logs">;
  readonly losses: Losses;
  readonly log?: Log;
  readonly limits?: Partial<PodLogLimits>;
  /** Finds what the sink has kept: lines that a kill makes us read again are not handed on again. */
  readonly kept?: Kept;
}

export interface PodLogLimits {
  /** Bytes that are kept of a line. */
  readonly longestLine: number;
  /** Of one container, and of all together. */
  readonly bytesPerSecond: number;
  readonly bytesPerSecondOfAll: number;
  /** How many bytes of a container's output may wait in its files. */
  readonly mostWaiting: number;
}

const defaults: PodLogLimits = {
  longestLine: 64 * 1024,
  bytesPerSecond: 2 * 1024 * 1024,
  bytesPerSecondOfAll: 8 * 1024 * 1024,
  mostWaiting: 16 * 1024 * 1024,
};

const chunkBytes = 64 * 1024;
/** What is passed over is read in larger pieces. */
const skipBytes = 1024 * 1024;
/** Milliseconds. */
const readEvery = 200;
const listEvery = 500;
/** How long a pod's labels are waited for, once pods are known at all, and before. */
const labelsWithin = 2000;
const podsWithin = 10_000;
/** The same complaint is not made again within this: what is written is read again. */
const complainEvery = 60_000;
const saysDroppedEvery = 1000;
interface Followed {
  readonly key: string;
  readonly folder: LogFolder;
  readonly container: string;
  readonly log: ContainerLog;
  readonly pace: Pace;
  readonly seenAt: number;
  resource: Resource | undefined;
  labels: PodLabels | undefined;
  /** Encoded, and refused by the sink for the moment. */
  held: Uint8Array | undefined;
  dropped: { lines: number; bytes: number; saidAt: number };
  /** What waits is passed over, until little enough does. */
  skipping: boolean;
  /** Its first lines may have been handed on before a kill. */
  mayRepeat: boolean;
  gone: boolean;
}

export class Follower {
  readonly #options: PodLogsOptions;
  readonly #limits: PodLogLimits;
  readonly #followed = new Map<string, Followed>();
  readonly #progress: Progress;
  readonly #paceOfAll: Pace;
  readonly #chunk = Buffer.alloc(chunkBytes);
  #skipped: Buffer | undefined;
  #labels: ReadonlyMap<string, PodLabels> | undefined;
  #notBefore = 0;
  #listedAt = Number.NEGATIVE_INFINITY;
  readonly #complaints = new Map<string, number>();

  constructor(options: PodLogsOptions) {
    this.#options = options;
    this.#limits = { ...defaults, ...options.limits };
    this.#paceOfAll = new Pace(this.#limits.bytesPerSecondOfAll, options.clock.now());
    this.#progress = new Progress(options.checkpoint, options.clock, (message, error) =>
      this.#complain("checkpoint", message, error),
    );
  }

  /** Labels of the pods that the API has, by uid. */
  setPods(labels: ReadonlyMap<string, PodLabels>): void {
    this.#labels = labels;
  }

  /** Goes on until `signal`; then hands on what there is and writes the checkpoint. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.#progress.begin();
    while (!signal.aborted) {
      const more = await this.round(signal);
      if (!more) await sleep(clock, readEvery, signal).catch(() => undefined);
    }
    for (const each of this.#followed.values()) {
      this.#guarded(each, () => this.#take(each, each.log.flush()));
      each.log.close();
    }
    this.#progress.save(() => this.#known(), true);
  }

  /** Reads what may have been handed on before, as long as it has. */
  async #resume(each: Followed): Promise<void> {
    const { folder, container, log } = each;
    const { clock, kept } = this.#options;
    each.mayRepeat = false;
    for (let isRepeated = true; isRepeated && !each.held && kept; ) {
      const read = this.#guarded(each, () => log.read(this.#chunk, clock.now()));
      if (!read || read.bytes === 0) return;
      // Records that wait for more lines are compared as well.
      const records = [...read.records, ...(read.more ? [] : log.flush().records)];
      const fresh = await withoutRepeats(records, { uid: folder.uid, container }, kept);
      this.#guarded(each, () => this.#take(each, { ...read, records: fresh }));
      isRepeated = fresh.length < records.length;
    }
  }

  /** One step of each container. Answers whether any has more to be read at once. */
  async round(signal?: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    if (clock.now() - this.#listedAt >= listEvery) this.#guarded({ key: "pods" }, () => this.#list());
    let more = false;
    for (const each of [...this.#followed.values()]) {
      if (signal?.aborted) break;
      if (each.mayRepeat && this.#resource(each, clock.now())) await this.#resume(each);
      const step = this.#guarded(each, () => this.#step(each)) ?? "idle";
      if (step === "more") more = true;
      if (step !== "idle") await new Promise<void>((resolve) => clock.soon(resolve));
      if (each.gone && step === "idle") this.#guarded(each, () => this.#forget(each));
    }
    this.#progress.save(() => this.#known());
    return more;
  }

  #list(): void {
    const { clock, folder } = this.#options;
    const now = clock.now();
    const isFirst = this.#listedAt === Number.NEGATIVE_INFINITY;
    this.#listedAt = now;
    const there = new Set<string>();
    for (const name of foldersIn(folder)) {
      const pod = logFolderOf(name);
      for (const container of pod ? foldersIn(join(folder, name)) : []) {
        const key = `${name}/${container}`;
        there.add(key);
        if (!pod || this.#followed.has(key)) continue;
        const each = this.#follow(key, pod, container, now);
        if (!isFirst) continue;
        // What was written while nobody read is taken whole, however much it is.
        each.log.backlog = each.log.unread();
        each.mayRepeat = this.#progress.wasKilled;
      }
    }
    for (const each of this.#followed.values()) {
      each.gone = !there.has(each.key);
      this.#guarded(each, () => each.log.list(now));
    }
    this.#progress.keep(there);
  }

  #follow(key: string, folder: LogFolder, container: string, now: number): Followed {
    const known = this.#progress.of(key);
    const log = new ContainerLog(join(this.#options.folder, key), known?.files ?? [], this.#limits.longestLine, now);
    const followed: Followed = {
      key,
      folder,
      container,
      log,
      pace: new Pace(this.#limits.bytesPerSecond, now),
      seenAt: now,
      resource: undefined,
      labels: known?.labels,
      held: undefined,
      dropped: { lines: 0, bytes: 0, saidAt: 0 },
      skipping: false,
      mayRepeat: false,
      gone: false,
    };
    this.#followed.set(key, followed);
    return followed;
  }

  #step(each: Followed): "more" | "some" | "idle" {
    const now = this.#options.clock.now();
    if (!this.#resource(each, now)) return "idle";
    if (each.held && !this.#send(each, each.held)) return "idle";
    const { mostWaiting } = this.#limits;
    if (each.skipping || each.log.unread() > mostWaiting + each.log.backlog) return this.#skip(each, mostWaiting / 2);
    if (!each.pace.allows(now) || !this.#paceOfAll.allows(now)) return "idle";
    const read = each.log.read(this.#chunk, now);
    each.pace.take(read.bytes);
    this.#paceOfAll.take(read.bytes);
    this.#take(each, read);
    this.#sayDropped(each, now);
    if (read.bytes === 0 && read.records.length === 0 && !read.more) return "idle";
    return read.more ? "more" : "some";
  }

  /** Passes over the oldest of what waits, until only `waiting` bytes do; in steps, like reading. */
  #skip(each: Followed, waiting: number): "more" | "some" {
    this.#skipped ??= Buffer.alloc(skipBytes);
    // A loud one's files come and go faster than all are listed.
    each.log.list(this.#options.clock.now());
    const surplus = each.log.unread() - each.log.backlog - waiting;
    const read = each.log.skip(this.#skipped.subarray(0, surplus));
    this.#take(each, read);
    this.#options.losses.add("logs", "a pod writes too fast", read.skipped);
    this.#drop(each, read.skipped, read.bytes);
    each.skipping = read.more && surplus > skipBytes;
    if (each.skipping) return "more";
    this.#sayDropped(each, this.#options.clock.now());
    return "some";
  }

  #take(each: Followed, read: Read): void {
    const { losses } = this.#options;
    losses.add("logs", "line cut", read.cut);
    losses.add("logs", "not UTF-8", read.notUtf8);
    if (read.bytes > 0) this.#progress.changed();
    if (read.records.length === 0) each.log.commit();
    else this.#send(each, this.#encode(each, read.records));
  }

  #encode(each: Followed, records: readonly LogRecord[]): Uint8Array {
    this.#progress.changed();
    return encodeLogs({
      resourceLogs: [
        { resource: each.resource, scopeLogs: [{ scope: { name: "flotilla.pod-logs" }, logRecords: [...records] }] },
      ],
    });
  }

  /** False: the sink takes nothing at the moment; the request waits, and with it its container. */
  #send(each: Followed, request: Uint8Array): boolean {
    const { sink, clock, losses } = this.#options;
    each.held = request;
    if (clock.now() < this.#notBefore) return false;
    try {
      sink.logs(request);
    } catch (error) {
      if (error instanceof UnavailableError) {
        this.#notBefore = clock.now() + error.retryAfter;
        return false;
      }
      // It would be refused again.
      each.held = undefined;
      losses.add("logs", "refused by the store", countRecords("logs", request));
      throw error;
    }
    each.held = undefined;
    each.log.commit();
    return true;
  }

  #drop(each: Followed, lines: number, bytes: number): void {
    each.dropped.lines += lines;
    each.dropped.bytes += bytes;
  }

  #sayDropped(each: Followed, now: number): void {
    const { lines, bytes, saidAt } = each.dropped;
    if (bytes === 0 || each.held || now - saidAt < saysDroppedEvery) return;
    each.dropped = { lines: 0, bytes: 0, saidAt: now };
    const { bytesPerSecond } = this.#limits;
    const why = `it writes more than ${bytesPerSecond} bytes a second, or more than there is time to read`;
    this.#send(each, this.#encode(each, [droppedRecord(each.log.lastAt, lines, bytes, why)]));
  }

  /** Undefined: its pod may still become known. */
  #resource(each: Followed, now: number): Resource | undefined {
    const { folder, container, seenAt } = each;
    const labels = this.#labels?.get(folder.uid);
    if (labels && !deepEqual(labels, each.labels)) {
      each.labels = labels;
      each.resource = undefined;
      this.#progress.changed();
    }
    const known = each.labels ?? each.resource;
    const patience = this.#labels ? labelsWithin : podsWithin;
    if (!known && folder.uid !== staticUid && !each.gone && now - seenAt < patience) return undefined;
    each.resource ??= resourceOf(folder, container, this.#options.nodeName, each.labels);
    return each.resource;
  }

  #forget(each: Followed): void {
    // It may only be paced.
    if (each.held || each.log.unread() > 0) return;
    this.#take(each, each.log.flush());
    if (each.held) return;
    each.log.close();
    this.#followed.delete(each.key);
    this.#progress.forget(each.key);
  }

  *#known(): Generator<readonly [string, KnownContainer]> {
    for (const { key, log, labels } of this.#followed.values()) yield [key, { files: log.files(), labels }];
  }

  /** What is wrong with one container's files stops no other. */
  #guarded<T>({ key }: Pick<Followed, "key">, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      // Deleted between two looks: the next listing sees it.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        this.#complain(key, `the log of ${key} cannot be read`, error);
      return undefined;
    }
  }

  #complain(about: string, message: string, error: unknown): void {
    const now = this.#options.clock.now();
    if (now - (this.#complaints.get(about) ?? Number.NEGATIVE_INFINITY) < complainEvery) return;
    if (this.#complaints.size > 1000) this.#complaints.clear();
    this.#complaints.set(about, now);
    this.#options.log?.({ level: "warn", message, error });
  }
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
