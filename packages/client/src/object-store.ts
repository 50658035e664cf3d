/** The objects of one kind by name, in order, with the indexes that were asked for. */
import type { KubeObject } from "@flotilla/objects";
import type { NamespacedName } from "./api.ts";
import type { Index, Query } from "./controller.ts";

/** Sorts as namespace, then name. */
const idOf = ({ namespace, name }: NamespacedName): string => `${namespace ?? ""}\u0000${name}`;

const byId = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const none: readonly string[] = [];

const inOrder = (ids: ReadonlySet<string> | undefined): readonly string[] => {
  if (!ids || ids.size === 0) return none;
  return ids.size === 1 ? [...ids] : [...ids].sort(byId);
};

/** Ids under each value. */
type Entries = Map<string, Set<string>>;

const byNamespace: Index = { name: "namespace", values: (object) => [object.metadata.namespace ?? ""] };

export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexes = new Map<Index, Entries>([[byNamespace, new Map()]]);
  /** All ids in order; undefined after one was added or removed. */
  #order: string[] | undefined;

  constructor(indexes: Iterable<Index> = []) {
    for (const index of indexes) this.#indexes.set(index, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  has(index: Index): boolean {
    return this.#indexes.has(index);
  }

  get(key: NamespacedName): KubeObject | undefined {
    return this.#objects.get(idOf(key));
  }

  /** Puts the object in the place of the one of that name, which is returned. */
  set(object: KubeObject): KubeObject | undefined {
    const id = idOf(object.metadata);
    const before = this.#objects.get(id);
    if (!before) this.#order = undefined;
    this.#objects.set(id, object);
    for (const [index, entries] of this.#indexes)
      move(entries, id, before && index.values(before), index.values(object));
    return before;
  }

  delete(key: NamespacedName): KubeObject | undefined {
    const id = idOf(key);
    const before = this.#objects.get(id);
    if (!before) return undefined;
    this.#order = undefined;
    this.#objects.delete(id);
    for (const [index, entries] of this.#indexes) move(entries, id, index.values(before), undefined);
    return before;
  }

  /** In order of namespace and name. An index that is not kept is a bug and throws. */
  list({ namespace, index, where }: Query = {}): KubeObject[] {
    const ids = index
      ? this.#under(index.by, index.value)
      : namespace !== undefined
        ? this.#under(byNamespace, namespace)
        : this.#inOrder();
    const found: KubeObject[] = [];
    for (const id of ids) {
      const object = this.#objects.get(id) as KubeObject;
      if (index && namespace !== undefined && object.metadata.namespace !== namespace) continue;
      if (where && !where(object)) continue;
      found.push(object);
    }
    return found;
  }

  #inOrder(): readonly string[] {
    this.#order ??= [...this.#objects.keys()].sort(byId);
    return this.#order;
  }

  #under(index: Index, values: string | readonly string[]): readonly string[] {
    const entries = this.#indexes.get(index);
    if (!entries) throw new Error(`no watch declares the index ${index.name}`);
    if (typeof values === "string") return inOrder(entries.get(values));
    const ids = new Set<string>();
    for (const value of values) for (const id of entries.get(value) ?? []) ids.add(id);
    return inOrder(ids);
  }
}

function move(
  entries: Entries,
  id: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): void {
  for (const value of before ?? []) {
    if (after?.includes(value)) continue;
    const ids = entries.get(value);
    ids?.delete(id);
    if (ids?.size === 0) entries.delete(value);
  }
  for (const value of after ?? []) {
    const ids = entries.get(value);
    if (ids) ids.add(id);
    else entries.set(value, new Set([id]));
  }
}
