/**
 * Collects what has lost its owners, and gives deletion in the foreground and orphaning their meaning.
 *
 * Source: kubernetes pkg/controller/garbagecollector (attemptToDeleteItem, attemptToOrphan). An owner that the cache does not
 * know is asked for at the API before anything is deleted: a cache of one kind may be behind that of another.
 */
import {
  byAnyOwner,
  type Cache,
  type Controller,
  type Key,
  patchMeta,
  remove,
  type Source,
  type Write,
} from "@flotilla/client";
import {
  deepEqual,
  isDeleted,
  type KubeObject,
  kindOf,
  type OwnerReference,
  parseApiVersion,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import { findReferenced, referenceKey } from "./reference-key.ts";

const foreground = "foregroundDeletion";
const orphan = "orphan";

/** What is known of one owner reference. */
export interface Owner {
  readonly reference: OwnerReference;
  /** `unknown`: its kind is not served, or the API has not been asked yet. `elsewhere`: in another namespace. */
  readonly state: "there" | "waiting" | "absent" | "unknown" | "elsewhere";
  /** To ask the API about. */
  readonly ask?: Ask;
}

/** What the API is asked, and for whom: the answer wakes the asker. */
export interface Ask {
  readonly asker: Key;
  readonly resource: Resource;
  readonly key: Key;
  readonly uid: string;
}

export interface ObservedItem {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly owners: readonly Owner[];
  readonly dependents: readonly { readonly resource: Resource; readonly object: KubeObject }[];
}

/** The name by which the effect that reads owners is known to the runner. */
export const ownerReadsName = "owner-reads";

/** How long (ms) an answer of the API about an owner holds. */
const answerAge = 30_000;

/**
 * `reads`: by `askKey`, the uid of the object that has the owner's name now; "" says that there is none. Without it the cache
 * is believed, which only a test may do.
 */
export const garbageController = (reads?: Source<string>): Controller<ObservedItem> => ({
  name: "garbage-collector",
  watches: [
    {
      indexes: [byAnyOwner],
      keys: (before, after, cache, resource) =>
        before && after && isSameToOwners(before, after)
          ? []
          : [before, after].flatMap((object) => (object ? concerned(object, resource, cache) : [])),
    },
  ],
  sources: reads ? [reads] : [],

  observe(key, cache) {
    const found = findReferenced(key, cache);
    if (!found || ignored.has(resourceName(found.resource))) return undefined;
    const { metadata } = found.object;
    const holds = metadata.finalizers?.some((each) => each === foreground || each === orphan);
    if (!metadata.ownerReferences?.length && !holds) return undefined;
    return {
      ...found,
      owners: (metadata.ownerReferences ?? []).map((reference) => ownerOf(reference, found, cache, reads)),
      dependents: dependentsOf(found.object, cache),
    };
  },

  decide({ resource, object, owners, dependents }) {
    if (isDeleted(object)) return { writes: ended(resource, object, dependents) };
    const asks = owners.flatMap(({ ask }) => ask ?? []);
    const strange = owners.filter(({ state }) => state === "elsewhere");
    return {
      writes: asks.length > 0 ? [] : collected(resource, object, owners, dependents.length > 0),
      effects: asks.map((ask) => ({ to: ownerReadsName, do: ask })),
      events: strange.map(({ reference: { apiVersion, kind, name, uid } }) => ({
        about: object,
        type: "Warning",
        reason: "OwnerRefInvalidNamespace",
        message: `ownerRef [${apiVersion}/${kind}, name: ${name}, uid: ${uid}] does not exist in namespace "${object.metadata.namespace ?? ""}"`,
      })),
    };
  },
});

/** Most changes are of a status, and nothing to owners and dependents. */
const isSameToOwners = ({ metadata: before }: KubeObject, { metadata: after }: KubeObject): boolean =>
  before.uid === after.uid &&
  before.deletionTimestamp === after.deletionTimestamp &&
  deepEqual(before.finalizers, after.finalizers) &&
  deepEqual(before.ownerReferences, after.ownerReferences);

/** The object, those that it owns, and its owners: one that waits for its dependents hears of each that goes. */
const concerned = (object: KubeObject, resource: Resource, cache: Cache): Key[] => [
  referenceKey(resource, object),
  ...dependentsOf(object, cache).map((each) => referenceKey(each.resource, each.object)),
  ...(object.metadata.ownerReferences ?? []).flatMap((reference) => ownerKey(reference, object, cache)),
];

/** Kinds that come and go too often to be worth collecting. */
const ignored = new Set(["events", "events.events.k8s.io"]);

const served = ({ apiVersion, kind }: OwnerReference, cache: Cache): Resource | undefined => {
  const { group } = parseApiVersion(apiVersion);
  return cache.resources().find((each) => each.kind === kind && each.group === group) ?? kindOf(apiVersion, kind);
};

function ownerOf(
  reference: OwnerReference,
  item: { resource: Resource; object: KubeObject },
  cache: Cache,
  reads?: Source<string>,
): Owner {
  const resource = served(reference, cache);
  // A kind that is not served may come back with its objects: deleting could not be undone.
  if (!resource) return { reference, state: "unknown" };
  const { namespace } = item.object.metadata;
  if (resource.namespaced && !namespace) return { reference, state: "elsewhere" };
  const key = { ...(resource.namespaced && { namespace }), name: reference.name };
  const owner = cache.get(resource, key);
  if (owner?.metadata.uid === reference.uid)
    return { reference, state: waitsFor(owner, reference) ? "waiting" : "there" };
  const absence = () => {
    const elsewhere =
      resource.namespaced && cache.list(resource).some(({ metadata }) => metadata.uid === reference.uid);
    return elsewhere ? "elsewhere" : "absent";
  };
  if (!reads) return { reference, state: absence() };
  const answer = cache.source(reads, askKey(resource, key, reference.uid));
  if (!answer || answer.age > answerAge)
    return {
      reference,
      state: "unknown",
      ask: { asker: referenceKey(item.resource, item.object), resource, key, uid: reference.uid },
    };
  return { reference, state: answer.value === reference.uid ? "there" : absence() };
}

export const askKey = (resource: Resource, { namespace, name }: Key, uid: string): string =>
  `${resourceName(resource)}/${namespace ?? ""}/${name}/${uid}`;

const waitsFor = (owner: KubeObject, { blockOwnerDeletion }: OwnerReference) =>
  isDeleted(owner) && blockOwnerDeletion === true && owner.metadata.finalizers?.includes(foreground) === true;

function collected(resource: Resource, object: KubeObject, owners: readonly Owner[], hasDependents: boolean): Write[] {
  const of = (state: Owner["state"]) => owners.filter((owner) => owner.state === state);
  const solid = owners.filter(({ state }) => state === "there" || state === "unknown" || state === "elsewhere");
  const loose = [...of("absent"), ...of("waiting")];
  if (loose.length === 0) return [];
  if (solid.length > 0) {
    const kept = solid.map(({ reference }) => reference);
    return [patchMeta(object, { ownerReferences: kept }, resource)];
  }
  if (of("waiting").length > 0 && hasDependents) return [remove(object, { resource, propagationPolicy: "Foreground" })];
  const { finalizers = [] } = object.metadata;
  const propagationPolicy = finalizers.includes(orphan)
    ? "Orphan"
    : finalizers.includes(foreground)
      ? "Foreground"
      : "Background";
  return [remove(object, { resource, propagationPolicy })];
}

/** An object that goes: its dependents are let go of first, or waited for. */
function ended(resource: Resource, object: KubeObject, dependents: ObservedItem["dependents"]): Write[] {
  const { finalizers = [], uid } = object.metadata;
  const without = (finalizer: string) =>
    patchMeta(object, { finalizers: finalizers.filter((each) => each !== finalizer) }, resource);
  const refers = (to: KubeObject) => to.metadata.ownerReferences?.filter((reference) => reference.uid === uid) ?? [];
  if (finalizers.includes(orphan)) {
    const releases = dependents.map((each) =>
      patchMeta(
        each.object,
        { ownerReferences: each.object.metadata.ownerReferences?.filter((reference) => reference.uid !== uid) ?? [] },
        each.resource,
      ),
    );
    return [...releases, without(orphan)];
  }
  if (!finalizers.includes(foreground)) return [];
  const blocked = dependents.some(({ object: each }) =>
    refers(each).some(({ blockOwnerDeletion }) => blockOwnerDeletion),
  );
  return blocked ? [] : [without(foreground)];
}

const dependentsOf = ({ metadata: { uid } }: KubeObject, cache: Cache): ObservedItem["dependents"] =>
  uid === undefined
    ? []
    : cache
        .resources()
        .flatMap((resource) =>
          cache.list(resource, { index: { by: byAnyOwner, value: uid } }).map((object) => ({ resource, object })),
        );

function ownerKey(reference: OwnerReference, object: KubeObject, cache: Cache): Key[] {
  const resource = served(reference, cache);
  if (!resource) return [];
  const namespace = resource.namespaced ? object.metadata.namespace : undefined;
  return [referenceKey(resource, { metadata: { namespace, name: reference.name } })];
}
