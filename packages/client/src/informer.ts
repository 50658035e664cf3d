/**
 * Keeps the objects of one resource and selection current: lists, then watches from there; resumes a watch that ends,
 * lists anew when the API no longer knows the version.
 *
 * Source of the figures: client-go tools/cache/reflector.go.
 */
import { type Clock, type Random, sleep } from "@flotilla/ambient";
import { isExpired, isGone, isNotFound, type KubeObject, type Resource, resourceName } from "@flotilla/objects";
import type { Api, Selection, WatchEvent } from "./api.ts";
import { backoffDelay, watchBackoff } from "./backoff.ts";
import type { Index } from "./controller.ts";
import { listAll } from "./list-all.ts";
import type { Log } from "./log.ts";
import { ObjectStore } from "./object-store.ts";
import { type Selects, selectionMatcher } from "./selection.ts";

/** A watch lasts between this and twice this, so that not all end at once. Seconds. */
const watchSeconds = 300;
/** A watch that ends sooner without any event has failed. Milliseconds. */
const shortWatch = 1000;

export interface InformerOptions {
  readonly api: Pick<Api, "list" | "watch">;
  readonly resource: Resource;
  readonly selection?: Selection;
  readonly indexes?: Iterable<Index>;
  readonly clock: Clock;
  readonly random: Random;
  /** Called after the store holds the change. `before` is undefined for what is new, `after` for what is gone. */
  readonly onChange: (before: KubeObject | undefined, after: KubeObject | undefined) => void;
  readonly log: Log;
}

export class Informer {
  readonly resource: Resource;
  readonly store: ObjectStore;
  readonly selects: Selects;
  readonly #options: InformerOptions;
  readonly #stop = new AbortController();
  readonly #stopped: Promise<never>;
  /** Lists that were asked for and that were done; each list counts for those asked before it began. */
  #wanted = 1;
  #listed = 0;
  #version: string | undefined;
  #interrupt = new AbortController();
  readonly #waiters = new Set<() => void>();
  readonly #done: Promise<void>;

  /** Starts at once. */
  constructor(options: InformerOptions) {
    this.#options = options;
    this.resource = options.resource;
    this.store = new ObjectStore(options.indexes);
    this.selects = selectionMatcher(options.selection ?? {});
    this.#stopped = new Promise((_, reject) => {
      this.#stop.signal.addEventListener("abort", () => reject(this.#stop.signal.reason), { once: true });
    });
    this.#stopped.catch(() => undefined);
    this.#done = this.#run();
  }

  /** The resourceVersion up to which all changes are in the store. */
  get version(): string | undefined {
    return this.#version;
  }

  /** The store has held all objects once, or the API does not serve the kind. */
  get synced(): boolean {
    return this.#listed > 0;
  }

  /** Resolves when `holds` does after some change, with false after `limit` ms or when stopped. */
  waitFor(holds: () => boolean, limit?: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    if (this.#stop.signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        cancel?.();
        this.#waiters.delete(check);
        resolve(result);
      };
      const check = () => {
        if (holds()) finish(true);
        else if (this.#stop.signal.aborted) finish(false);
      };
      const cancel = limit === undefined ? undefined : this.#options.clock.after(limit, () => finish(holds()));
      this.#waiters.add(check);
    });
  }

  /** Lists anew, now; resolves when a list that began after this call is in the store, with false when stopped before. */
  relist(): Promise<boolean> {
    const wanted = ++this.#wanted;
    this.#interrupt.abort();
    return this.waitFor(() => this.#listed >= wanted);
  }

  /** Tries again at once what waits for its next attempt, such as a kind that the API did not serve. */
  retry(): void {
    if (this.#listed < this.#wanted) this.#interrupt.abort();
  }

  /** Nothing changes after it has resolved. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#interrupt.abort();
    this.#progress();
    await this.#done;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      this.#interrupt = new AbortController();
      try {
        while (this.#listed < this.#wanted) await this.#list();
        await this.#watch(() => {
          failures = 0;
        });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        // Asked to list anew: the watch was cut for that.
        if (this.#interrupt.signal.aborted) continue;
        failures++;
        const tooOld = isExpired(error) || isGone(error);
        if (tooOld) this.#wanted++;
        if (isNotFound(error)) this.#missing();
        else if (!tooOld) this.#warn(error);
        if (!tooOld || failures > 1) await this.#pause(failures);
      }
    }
  }

  /** Ends early when interrupted. */
  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#interrupt;
    await sleep(clock, backoffDelay(watchBackoff, failures, random), signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async #list(): Promise<void> {
    const { api, resource, selection } = this.#options;
    const wanted = this.#wanted;
    const { items, version } = await Promise.race([listAll(api, resource, selection), this.#stopped]);
    this.#replace(items, version, wanted);
  }

  #replace(objects: readonly KubeObject[], version: string | undefined, wanted: number): void {
    const gone = new Set(this.store.list());
    const changes: [KubeObject | undefined, KubeObject | undefined][] = [];
    for (const object of objects) {
      const before = this.store.get(object.metadata);
      if (before) gone.delete(before);
      if (before && before.metadata.resourceVersion === object.metadata.resourceVersion && sameUid(before, object)) {
        continue;
      }
      // Another object of the same name is two changes.
      if (before && !sameUid(before, object)) changes.push([before, undefined], [undefined, object]);
      else changes.push([before, object]);
      this.store.set(object);
    }
    for (const object of gone) {
      this.store.delete(object.metadata);
      changes.push([object, undefined]);
    }
    this.#version = version;
    this.#listed = wanted;
    for (const [before, after] of changes) this.#options.onChange(before, after);
    this.#progress();
  }

  /** The API does not serve the kind (any more): there are no objects of it. */
  #missing(): void {
    this.#replace([], undefined, this.#wanted++);
  }

  async #watch(alive: () => void): Promise<void> {
    const { api, clock, random, resource, selection } = this.#options;
    const { signal } = this.#interrupt;
    if (signal.aborted) return;
    const begun = clock.now();
    let events = 0;
    const stream = api.watch(resource, {
      ...selection,
      resourceVersion: this.#version,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(watchSeconds * (1 + random.next())),
      signal,
    });
    for await (const event of stream) {
      if (signal.aborted) return;
      if (events++ === 0) alive();
      this.#take(event);
    }
    if (signal.aborted) return;
    if (events === 0 && clock.now() - begun < shortWatch) throw new Error("the watch ended as soon as it had begun");
    alive();
  }

  #take(event: WatchEvent): void {
    const { object } = event;
    this.#version = object.metadata.resourceVersion;
    if (event.type === "DELETED") {
      const before = this.store.delete(object.metadata);
      if (before) this.#options.onChange(before, undefined);
    } else if (event.type !== "BOOKMARK") {
      const before = this.store.set(object);
      if (before && !sameUid(before, object)) {
        this.#options.onChange(before, undefined);
        this.#options.onChange(undefined, object);
      } else this.#options.onChange(before, object);
    }
    this.#progress();
  }

  #progress(): void {
    for (const check of [...this.#waiters]) check();
  }

  #warn(error: unknown): void {
    const { log, resource } = this.#options;
    log({ level: "warn", message: `cannot list or watch ${resourceName(resource)}; trying again`, error });
  }
}

const sameUid = (a: KubeObject, b: KubeObject): boolean => a.metadata.uid === b.metadata.uid;
