/** What one controller sees: the objects that its watches hold, and nothing else. */
import type { Clock } from "@flotilla/ambient";
import { apiVersionOf, type KubeObject, type Resource, resourceName } from "@flotilla/objects";
import type { NamespacedName } from "./api.ts";
import type { Cache, Controller, Query, Source, Watch } from "./controller.ts";
import type { Informer } from "./informer.ts";
import type { Informers } from "./informers.ts";
import type { Sources } from "./sources.ts";
import { keyOf } from "./watches.ts";

export class ControllerCache implements Cache {
  readonly #controller: Controller;
  readonly #informers: Informers;
  readonly #sources: Sources;
  readonly #clock: Clock;
  readonly #own = new Map<string, Informer[]>();
  readonly #watchesAll: boolean;

  constructor(controller: Controller, informers: Informers, sources: Sources, clock: Clock) {
    this.#controller = controller;
    this.#informers = informers;
    this.#sources = sources;
    this.#clock = clock;
    this.#watchesAll = controller.watches.some((watch) => !watch.resource);
    for (const watch of controller.watches) {
      if (!isNamed(watch)) continue;
      const informer = informers.of(watch);
      const id = versioned(watch.resource);
      const known = this.#own.get(id) ?? [];
      if (!known.includes(informer)) this.#own.set(id, [...known, informer]);
    }
  }

  get<T extends KubeObject>(resource: Resource<T>, key: NamespacedName): T | undefined {
    for (const informer of this.#holding(resource)) {
      const found = informer.store.get(key);
      if (found) return found as T;
    }
    return undefined;
  }

  list<T extends KubeObject>(resource: Resource<T>, query?: Query<T>): readonly T[] {
    const [first, ...others] = this.#holding(resource);
    if (!first) return [];
    const found = first.store.list(query as Query | undefined) as T[];
    if (others.length === 0) return found;
    const merged = new Map(found.map((object) => [idOf(object), object]));
    for (const { store } of others) {
      for (const object of store.list(query as Query | undefined)) merged.set(idOf(object), object as T);
    }
    return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  resources(): readonly Resource[] {
    return [...this.informers()].map(({ resource }) => resource);
  }

  source<V>(source: Source<V>, key: string): { readonly value: V; readonly age: number } | undefined {
    return this.#sources.valueOf(source, key, this.#clock.now());
  }

  /** All that the controller reads from. */
  informers(): Set<Informer> {
    return new Set([...this.#own.values()].flat().concat(this.#watchesAll ? [...this.#informers.all()] : []));
  }

  /** Those that may hold objects of the resource; none: nothing is known of it. */
  holding(resource: Resource): readonly Informer[] {
    const own = this.#own.get(versioned(resource));
    if (own) return own;
    const discovered = this.#watchesAll ? this.#informers.discoveredFor(resource) : undefined;
    return discovered ? [discovered] : [];
  }

  /** As `get`, but without complaint where the controller has no watch for the resource. */
  latest(resource: Resource, key: NamespacedName): KubeObject | undefined {
    for (const { store } of this.holding(resource)) {
      const found = store.get(key);
      if (found) return found;
    }
    return undefined;
  }

  #holding(resource: Resource): readonly Informer[] {
    const found = this.holding(resource);
    if (found.length > 0 || this.#watchesAll) return found;
    throw new Error(`controller ${this.#controller.name} reads ${versioned(resource)} but has no watch for it`);
  }
}

export const isNamed = (watch: Watch): watch is Watch & { resource: Resource } => watch.resource !== undefined;

/** Asked at every read, so it is put together once for each resource. */
const ids = new WeakMap<Resource, string>();

function versioned(resource: Resource): string {
  let id = ids.get(resource);
  if (id === undefined) {
    id = `${resourceName(resource)} ${apiVersionOf(resource)}`;
    ids.set(resource, id);
  }
  return id;
}

const idOf = (object: KubeObject): string => {
  const { namespace, name } = keyOf(object);
  return `${namespace ?? ""}\u0000${name}`;
};
