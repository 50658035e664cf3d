/** An API of a hundred lines for the tests of the runner: objects by name, versions, watches that can be held back, writes that can be made to fail. */
import {
  alreadyExists,
  conflict,
  expired,
  type KubeObject,
  notFound,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import { mergePatch } from "@flotilla/patch";
import type { Api, ListOptions, WatchEvent, WatchOptions, Write } from "./api.ts";
import { targetOf } from "./freshness.ts";
import { selectionMatcher } from "./selection.ts";

interface Change {
  readonly version: number;
  readonly resource: string;
  readonly event: WatchEvent;
}

type Metadata = KubeObject["metadata"];

export class TinyApi implements Api {
  readonly writes: Write[] = [];
  /** Called before a write takes effect, and after it did; what they throw is what the writer gets. */
  beforeWrite: (write: Write) => void | Promise<void> = () => undefined;
  afterWrite: (write: Write) => void | Promise<void> = () => undefined;
  /** Kinds that are not served. */
  readonly missing = new Set<string>();
  lists = 0;
  readonly #objects = new Map<string, KubeObject>();
  #log: Change[] = [];
  #version = 0;
  readonly #held = new Set<string>();
  #ending = new AbortController();
  #news: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Watches of the resource deliver nothing until `release`. */
  hold(resource: Resource): void {
    this.#held.add(resourceName(resource));
  }

  release(): void {
    this.#held.clear();
    this.#wake();
  }

  /** Ends all watches that are open; `forget`: their versions are not known any more. */
  endWatches(forget = false): void {
    if (forget) this.#log = [];
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#wake();
  }

  /** A write by somebody else. */
  put<T extends KubeObject>(resource: Resource<T>, object: T): T {
    const id = idOf(resource, object.metadata);
    const before = this.#objects.get(id);
    const uid = before?.metadata.uid ?? object.metadata.uid ?? `uid-${this.#version + 1}`;
    return this.#commit(resource, before ? "MODIFIED" : "ADDED", { ...object, metadata: { ...object.metadata, uid } });
  }

  drop<T extends KubeObject>(resource: Resource<T>, object: T): T {
    this.#objects.delete(idOf(resource, object.metadata));
    return this.#commit(resource, "DELETED", object);
  }

  async get<T extends KubeObject>(resource: Resource<T>, key: { namespace?: string; name: string }): Promise<T> {
    this.#mustServe(resource);
    const found = this.#objects.get(idOf(resource, key));
    if (!found) throw notFound(resource, key.name);
    return found as T;
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}) {
    this.lists++;
    this.#mustServe(resource);
    const selects = selectionMatcher(options);
    const prefix = `${resourceName(resource)} `;
    const items = [...this.#objects].filter(([id, object]) => id.startsWith(prefix) && selects(object));
    return {
      apiVersion: "v1",
      kind: `${resource.kind}List`,
      metadata: { resourceVersion: String(this.#version) },
      items: items.map(([, object]) => object as T),
    };
  }

  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    this.#mustServe(resource);
    const selects = selectionMatcher(options);
    const ending = this.#ending.signal;
    let version = Number(options.resourceVersion);
    if (this.#log.length === 0 ? version < this.#version : version < (this.#log[0]?.version ?? 0) - 1) {
      throw expired("too old resource version");
    }
    while (!options.signal?.aborted && !ending.aborted) {
      const next = this.#held.has(resourceName(resource))
        ? undefined
        : this.#log.find((change) => change.version > version);
      if (next) {
        version = next.version;
        if (next.resource === resourceName(resource) && selects(next.event.object)) yield next.event as WatchEvent<T>;
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      options.signal?.addEventListener("abort", () => resolve(), { once: true });
      await Promise.race([this.#news.promise, promise]);
    }
  }

  async write<T extends KubeObject>(write: Write<T>): Promise<T> {
    this.writes.push(write as Write);
    await this.beforeWrite(write as Write);
    this.#mustServe(write.resource);
    const answer = this.#take(write as Write);
    await this.afterWrite(write as Write);
    return answer as T;
  }

  #take(write: Write): KubeObject {
    const { resource } = write;
    const key = targetOf(write);
    const before = this.#objects.get(idOf(resource, key));
    if (write.verb === "create") {
      if (before) throw alreadyExists(resource, key.name);
      return this.put(resource, write.object);
    }
    if (!before) throw notFound(resource, key.name);
    if (write.verb === "delete") {
      mustMatch(resource, before, write.preconditions ?? {});
      if (!before.metadata.finalizers?.length) return this.drop(resource, before);
      return this.put(resource, {
        ...before,
        metadata: { ...before.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
      });
    }
    if (write.verb === "update") {
      mustMatch(resource, before, { resourceVersion: write.object.metadata.resourceVersion });
      const kept = (write.subresource === "status" ? before : write.object) as KubeObject & { status?: unknown };
      const told = (write.subresource === "status" ? write.object : before) as KubeObject & { status?: unknown };
      return this.put(resource, { ...kept, status: told.status } as KubeObject);
    }
    const { uid, resourceVersion } = (write.patch as { metadata?: Metadata }).metadata ?? {};
    mustMatch(resource, before, { uid, resourceVersion });
    return this.put(resource, mergePatch(before, write.patch) as KubeObject);
  }

  #commit<T extends KubeObject>(resource: Resource<T>, type: "ADDED" | "MODIFIED" | "DELETED", object: T): T {
    const version = ++this.#version;
    const committed = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    if (type !== "DELETED") this.#objects.set(idOf(resource, committed.metadata), committed);
    this.#log.push({ version, resource: resourceName(resource), event: { type, object: committed } });
    this.#wake();
    return committed;
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #mustServe(resource: Resource): void {
    if (this.missing.has(resourceName(resource))) throw notFound(resource, "");
  }
}

const idOf = (resource: Resource, { namespace, name }: { namespace?: string; name: string }): string =>
  `${resourceName(resource)} ${namespace ?? ""}/${name}`;

function mustMatch(
  resource: Resource,
  { metadata }: KubeObject,
  { uid, resourceVersion }: { uid?: string; resourceVersion?: string },
): void {
  if (uid !== undefined && uid !== metadata.uid) throw conflict(resource, metadata.name, "another uid");
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(resource, metadata.name, "the object has been modified");
  }
}
