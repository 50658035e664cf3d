/** The state as it will be once everything that is staged has been committed, and the transactions that build it. */
import type { KubeObject } from "@flotilla/objects";
import type { Committed } from "./change-log.ts";
import type { ObjectTable } from "./object-table.ts";

/** Reads and writes of the staged state; valid only while its function runs. */
export interface Transaction {
  get(resource: string, key: string): KubeObject | undefined;
  /** In order of the keys. */
  list(resource: string, namespace?: string): KubeObject[];
  /** Stores the object and sets its resourceVersion; it must not be changed afterwards. */
  put(resource: string, key: string, object: KubeObject): void;
  /** Returns the object as its deletion is announced: with the resourceVersion of the deletion. */
  remove(resource: string, key: string): KubeObject;
}

interface Attempt {
  readonly transaction: Transaction;
  readonly changes: readonly Committed[];
  /** Takes back all its changes; only while nothing has been staged since. */
  undo(): void;
}

export class Staging {
  readonly #table: (resource: string) => ObjectTable;
  /** By resource and key; null: removed. Holds every key whose staged state may differ from the committed one. */
  readonly #overlay = new Map<string, Map<string, KubeObject | null>>();
  #revision: number;

  constructor(revision: number, table: (resource: string) => ObjectTable) {
    this.#revision = revision;
    this.#table = table;
  }

  begin(dryRun: boolean): Attempt {
    const changes: Committed[] = [];
    const record = (resource: string, key: string, after: KubeObject | undefined) => {
      const before = this.#get(resource, key);
      changes.push({ revision: this.#revision, resource, key, before, after });
      this.#set(resource, key, after);
    };
    return {
      changes,
      transaction: {
        get: (resource, key) => this.#get(resource, key),
        list: (resource, namespace) => this.#list(resource, namespace),
        put: (resource, key, object) => {
          this.#revision++;
          // A dry run shows the version that the object has, not one that will never be.
          const version = dryRun ? this.#get(resource, key)?.metadata.resourceVersion : String(this.#revision);
          if (version === undefined) delete object.metadata.resourceVersion;
          else object.metadata.resourceVersion = version;
          record(resource, key, object);
        },
        remove: (resource, key) => {
          const before = this.#get(resource, key);
          if (!before) throw new Error(`no ${resource} ${key} to remove`);
          this.#revision++;
          record(resource, key, undefined);
          return { ...before, metadata: { ...before.metadata, resourceVersion: String(this.#revision) } };
        },
      },
      undo: () => {
        for (const { resource, key, before } of changes.toReversed()) this.#set(resource, key, before);
      },
    };
  }

  /** To be told after a commit or its failure, with what is still staged. */
  committed(remaining: readonly Committed[]): void {
    this.#overlay.clear();
    for (const { resource, key, after } of remaining) this.#set(resource, key, after);
  }

  #get(resource: string, key: string): KubeObject | undefined {
    const staged = this.#overlay.get(resource)?.get(key);
    return staged === undefined ? this.#table(resource).get(key) : (staged ?? undefined);
  }

  #set(resource: string, key: string, object: KubeObject | undefined): void {
    let overlay = this.#overlay.get(resource);
    if (!overlay) {
      overlay = new Map();
      this.#overlay.set(resource, overlay);
    }
    overlay.set(key, object ?? null);
  }

  #list(resource: string, namespace?: string): KubeObject[] {
    const table = this.#table(resource);
    const overlay = this.#overlay.get(resource);
    if (!overlay || overlay.size === 0) return table.keys(namespace).map((key) => table.get(key) as KubeObject);
    const keys = new Set(table.keys(namespace));
    for (const key of overlay.keys()) if (namespace === undefined || key.startsWith(`${namespace}/`)) keys.add(key);
    return [...keys].sort().flatMap((key) => this.#get(resource, key) ?? []);
  }
}
