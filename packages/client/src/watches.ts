/** Makers of watches: which changes wake a controller, and for which keys. */
import { controllerOf, type KubeObject, type Resource } from "@flotilla/objects";
import type { NamespacedName } from "./api.ts";
import type { Cache, Index, Key, Watch } from "./controller.ts";
import { byOwner, selects } from "./ownership.ts";

/** What is fetched and kept at all, and how it is indexed. */
export type WatchOptions = Pick<Watch, "namespace" | "labelSelector" | "fieldSelector" | "indexes">;

/** The name by which an object is looked up. */
export const keyOf = ({ metadata: { namespace, name } }: KubeObject): NamespacedName =>
  namespace ? { namespace, name } : { name };

/** Each object is a key. */
export const watch = (resource: Resource, options: WatchOptions = {}): Watch => ({
  ...options,
  resource,
  keys: (before, after) => [keyOf((after ?? before) as KubeObject)],
});

/** The parent that controls the child, before or after the change. */
export const watchOwned = (child: Resource, parent: Resource, options: WatchOptions = {}): Watch => ({
  ...withIndex(options, byOwner),
  resource: child,
  keys: (before, after) => [...ownerKey(before, parent), ...ownerKey(after, parent)],
});

/** The parent that controls the child; of a child that nobody controls, the parents whose selector selects it. */
export const watchMatching = (child: Resource, parent: Resource, options: WatchOptions = {}): Watch => ({
  ...withIndex(options, byOwner),
  resource: child,
  keys: (before, after, cache) => [
    ...ownerKey(before, parent),
    ...ownerKey(after, parent),
    ...(before && !controllerOf(before) ? selecting(before, parent, cache) : []),
    ...(after && !controllerOf(after) ? selecting(after, parent, cache) : []),
  ],
});

/** The parents whose selector selects the child, whoever controls it: Services and their pods. */
export const watchSelected = (child: Resource, parent: Resource, options: WatchOptions = {}): Watch => ({
  ...options,
  resource: child,
  keys: (before, after, cache) => [
    ...(before ? selecting(before, parent, cache) : []),
    ...(after ? selecting(after, parent, cache) : []),
  ],
});

/** Keys of your own choice, of the object as it was and as it is. `() => []` keeps objects in the cache without waking anybody. */
export const watchMapped = <T extends KubeObject>(
  resource: Resource<T>,
  keys: (object: T, cache: Cache) => readonly Key[],
  options: WatchOptions = {},
): Watch => ({
  ...options,
  resource,
  keys: (before, after, cache) => [
    ...(before ? keys(before as T, cache) : []),
    ...(after ? keys(after as T, cache) : []),
  ],
});

/** Every kind that the API serves, also those that appear later. */
export const watchAll = (
  keys: (object: KubeObject, resource: Resource, cache: Cache) => readonly Key[],
  options: WatchOptions = {},
): Watch => ({
  ...options,
  keys: (before, after, cache, resource) => [
    ...(before ? keys(before, resource, cache) : []),
    ...(after ? keys(after, resource, cache) : []),
  ],
});

const withIndex = (options: WatchOptions, index: Index): WatchOptions => ({
  ...options,
  indexes: [...(options.indexes ?? []), index],
});

function ownerKey(object: KubeObject | undefined, parent: Resource): Key[] {
  const owner = object && controllerOf(object);
  if (owner?.kind !== parent.kind || groupOf(owner.apiVersion) !== parent.group) return [];
  const { namespace } = object?.metadata ?? {};
  return [parent.namespaced && namespace ? { namespace, name: owner.name } : { name: owner.name }];
}

const groupOf = (apiVersion: string) => (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "");

const selecting = (object: KubeObject, parent: Resource, cache: Cache): Key[] =>
  cache
    .list(parent, { namespace: object.metadata.namespace })
    .filter((each) => selects(each, object))
    .map(keyOf);
