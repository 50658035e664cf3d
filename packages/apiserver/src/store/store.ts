/**
 * All objects, in memory, with one revision counter. Writes are checked against the staged state (what others have written
 * in this turn included), are committed once per turn of the event loop, and become visible to reads and watches, and are
 * acknowledged, only then. When a commit fails, all that is staged is dropped, and every writer gets the error.
 */
import type { Clock } from "@flotilla/ambient";
import { type KubeObject, serviceUnavailable } from "@flotilla/objects";
import { ChangeLog, type Committed } from "./change-log.ts";
import { ObjectTable } from "./object-table.ts";
import type { Persistence, StoredChange } from "./persistence.ts";
import { Staging, type Transaction } from "./staging.ts";

interface Batch {
  readonly changes: Committed[];
  readonly waiting: { resolve(): void; reject(error: unknown): void }[];
}

const emptyBatch = (): Batch => ({ changes: [], waiting: [] });

export class Store {
  readonly #persistence: Persistence;
  readonly #clock: Clock;
  readonly #tables = new Map<string, ObjectTable>();
  readonly #logs = new Map<string, ChangeLog>();
  readonly #listeners = new Map<string, Set<(change: Committed) => void>>();
  readonly #revisions: Map<string, number>;
  readonly #staging: Staging;
  #pending = emptyBatch();
  #inFlight: Batch | undefined;
  #scheduled = false;
  #closed = false;
  #revision: number;

  constructor(persistence: Persistence, clock: Clock) {
    this.#persistence = persistence;
    this.#clock = clock;
    const state = persistence.load();
    this.#revision = state.revision;
    this.#revisions = new Map(state.revisions);
    const loaded = new Map<string, [string, KubeObject][]>();
    for (const { resource, key, object } of state.objects) {
      const objects = loaded.get(resource);
      if (objects) objects.push([key, object]);
      else loaded.set(resource, [[key, object]]);
    }
    for (const [resource, objects] of loaded) this.#table(resource).load(objects);
    this.#staging = new Staging(state.revision, (resource) => this.#table(resource));
  }

  /** Of the last committed change. */
  get revision(): number {
    return this.#revision;
  }

  get(resource: string, key: string): KubeObject | undefined {
    return this.#table(resource).get(key);
  }

  /** In order of the keys. */
  list(resource: string, namespace?: string): KubeObject[] {
    const table = this.#table(resource);
    return table.keys(namespace).map((key) => table.get(key) as KubeObject);
  }

  /** The state at an older revision; undefined when it is no longer known. */
  listAt(resource: string, revision: number, namespace?: string): KubeObject[] | undefined {
    const changes = this.changesAfter(resource, revision);
    if (!changes) return undefined;
    if (changes.length === 0) return this.list(resource, namespace);
    const table = this.#table(resource);
    const then = new Map<string, KubeObject>();
    for (const key of table.keys(namespace)) then.set(key, table.get(key) as KubeObject);
    for (const { key, before } of changes.toReversed()) {
      if (namespace !== undefined && !key.startsWith(`${namespace}/`)) continue;
      if (before) then.set(key, before);
      else then.delete(key);
    }
    return [...then.keys()].sort().map((key) => then.get(key) as KubeObject);
  }

  /** Committed changes of one resource in order; undefined when some are no longer known. */
  changesAfter(resource: string, revision: number): readonly Committed[] | undefined {
    return this.#log(resource).after(revision);
  }

  /** The oldest revision from which the changes of the resource are still known. */
  oldestRevision(resource: string): number {
    return this.#log(resource).since;
  }

  /** Calls `listener` with every committed change of the resource, in order. Returns how to stop. */
  subscribe(resource: string, listener: (change: Committed) => void): () => void {
    let listeners = this.#listeners.get(resource);
    if (!listeners) {
      listeners = new Set();
      this.#listeners.set(resource, listeners);
    }
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /**
   * Runs `run` on the staged state. Its changes are made together or, when it throws or for a dry run, not at all.
   * Resolves with what it returned once all that it saw and wrote is durable.
   */
  transact<T>(run: (transaction: Transaction) => T, options: { dryRun?: boolean } = {}): Promise<T> {
    if (this.#closed) return Promise.reject(serviceUnavailable("the control plane is closed"));
    const dryRun = options.dryRun ?? false;
    const attempt = this.#staging.begin(dryRun);
    let result: T;
    try {
      result = run(attempt.transaction);
    } catch (error) {
      attempt.undo();
      return Promise.reject(error);
    }
    if (dryRun) {
      attempt.undo();
      return Promise.resolve(result);
    }
    this.#pending.changes.push(...attempt.changes);
    if (this.#pending.changes.length === 0 && !this.#inFlight) return Promise.resolve(result);
    return new Promise((resolve, reject) => {
      this.#pending.waiting.push({ resolve: () => resolve(result), reject });
      this.#schedule();
    });
  }

  /** Commits what is staged and ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#pending.waiting.length > 0 || this.#inFlight) {
      this.#flush();
      const inFlight = this.#inFlight;
      if (inFlight) await new Promise<void>((done) => inFlight.waiting.push({ resolve: done, reject: () => done() }));
    }
    this.#listeners.clear();
    this.#persistence.close();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#inFlight || this.#pending.waiting.length === 0) return;
    const batch = this.#pending;
    this.#pending = emptyBatch();
    let durable: void | Promise<void>;
    try {
      durable = batch.changes.length > 0 ? this.#persistence.commit(lastOfEachKey(batch.changes)) : undefined;
    } catch (error) {
      this.#fail(batch, error);
      return;
    }
    if (!durable) {
      this.#done(batch);
      return;
    }
    this.#inFlight = batch;
    durable.then(
      () => this.#settle(() => this.#done(batch)),
      (error: unknown) => this.#settle(() => this.#fail(batch, error)),
    );
  }

  #settle(finish: () => void): void {
    this.#inFlight = undefined;
    finish();
    if (this.#pending.waiting.length > 0) this.#schedule();
  }

  #done(batch: Batch): void {
    for (const change of batch.changes) {
      const { resource, key, after, revision } = change;
      // Asked for before the revision moves on: a log that begins now begins before this change.
      this.#log(resource).push(change);
      if (after) this.#table(resource).set(key, after);
      else this.#table(resource).delete(key);
      this.#revision = revision;
      this.#revisions.set(resource, revision);
    }
    this.#staging.committed(this.#pending.changes);
    for (const change of batch.changes)
      for (const listener of this.#listeners.get(change.resource) ?? []) listener(change);
    for (const { resolve } of batch.waiting) resolve();
  }

  /** What was staged on top of the failed batch was checked against a state that will never be. */
  #fail(batch: Batch, error: unknown): void {
    const above = this.#pending;
    this.#pending = emptyBatch();
    this.#staging.committed([]);
    for (const { reject } of [...batch.waiting, ...above.waiting]) reject(error);
  }

  #table(resource: string): ObjectTable {
    let table = this.#tables.get(resource);
    if (!table) {
      table = new ObjectTable();
      this.#tables.set(resource, table);
    }
    return table;
  }

  #log(resource: string): ChangeLog {
    let log = this.#logs.get(resource);
    if (!log) {
      log = new ChangeLog(this.#revisions.get(resource) ?? 0);
      this.#logs.set(resource, log);
    }
    return log;
  }
}

function lastOfEachKey(changes: readonly Committed[]): StoredChange[] {
  const last = new Map<string, StoredChange>();
  for (const { resource, key, revision, after } of changes) {
    const id = `${resource} ${key}`;
    // Deleted first, so that the order stays that of the revisions.
    last.delete(id);
    last.set(id, { resource, key, revision, object: after });
  }
  return [...last.values()];
}
