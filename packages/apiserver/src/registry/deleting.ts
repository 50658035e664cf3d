/** delete: preconditions, grace, finalizers. Source: apiserver pkg/registry/rest/delete.go, pkg/registry/generic/registry/store.go */
import {
  conflict,
  deepEqual,
  type KubeObject,
  type Namespace,
  notFound,
  type Pod,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import { admit } from "../admission/index.ts";
import type { DeleteOptions } from "../registry.ts";
import { clone } from "./clone.ts";
import { keyOf, type Place, timestamp, type Writing } from "./parts.ts";
import { rulesFor } from "./rules-for.ts";

/** Source: kubernetes pkg/apis/core/v1 (DefaultTerminationGracePeriodSeconds) */
const podGrace = 30;

const gcFinalizers = ["orphan", "foregroundDeletion"];

export interface Deletion {
  readonly object: KubeObject;
  readonly gone: boolean;
}

export function deleteObject(writing: Writing, place: Place, options: DeleteOptions): Deletion {
  const { resource, namespace, name } = place;
  const key = keyOf(namespace, name);
  const before = writing.transaction.get(resourceName(resource), key);
  if (!before) throw notFound(resource, name);
  const request = { ...writing, operation: "DELETE" as const, resource, object: before, before };
  admit.checking(request);
  checkPreconditions(resource, before, options);
  const deletion = removeOrMark(writing, resource, key, before, options);
  admit.after(request);
  return deletion;
}

function removeOrMark(
  { parts, transaction }: Writing,
  resource: Resource,
  key: string,
  before: KubeObject,
  options: DeleteOptions,
): Deletion {
  const now = parts.clock.now();
  const object = clone(before);
  const { metadata } = object;
  const mark = () => {
    if (deepEqual(object, before)) return { object: before, gone: false };
    transaction.put(resourceName(resource), key, object);
    return { object, gone: false };
  };
  const remove = () => ({ object: transaction.remove(resourceName(resource), key), gone: true });

  if (resourceName(resource) === "namespaces") {
    const terminating = object as Namespace;
    if (!metadata.deletionTimestamp) {
      metadata.deletionTimestamp = timestamp(now);
      terminating.status = { ...terminating.status, phase: "Terminating" };
      setCollectorFinalizers(resource, object, options);
      return mark();
    }
    if (terminating.spec.finalizers?.length) return mark();
  }

  const grace = gracePeriod(resource, before, options);
  if (grace !== undefined && metadata.deletionTimestamp && (metadata.deletionGracePeriodSeconds ?? 0) > 0) {
    const current = metadata.deletionGracePeriodSeconds as number;
    // Once it has begun, a deletion can only become faster.
    if (options.gracePeriodSeconds === undefined || grace >= current) return mark();
    shorten(object, current, grace, now);
  } else if (grace !== undefined && !metadata.deletionTimestamp) {
    metadata.deletionTimestamp = timestamp(now + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
    if (metadata.generation) metadata.generation++;
  }
  setCollectorFinalizers(resource, object, options);
  const waits = (metadata.finalizers?.length ?? 0) > 0;
  if (!waits && (grace === undefined || (metadata.deletionGracePeriodSeconds ?? 0) === 0)) return remove();
  if (grace === undefined || metadata.deletionGracePeriodSeconds === undefined) markTerminating(object, now);
  return mark();
}

/** For kinds without grace that finalizers keep. */
function markTerminating({ metadata }: KubeObject, now: number): void {
  if (!metadata.deletionTimestamp && metadata.generation) metadata.generation++;
  if (!metadata.deletionTimestamp || Date.parse(metadata.deletionTimestamp) > now)
    metadata.deletionTimestamp = timestamp(now);
  metadata.deletionGracePeriodSeconds = 0;
}

function shorten({ metadata }: KubeObject, current: number, grace: number, now: number): void {
  const begun = Date.parse(metadata.deletionTimestamp as string) - current * 1000;
  const end = begun + grace * 1000;
  const passed = end < now;
  metadata.deletionTimestamp = timestamp(Math.max(end, now));
  // Asked to be graceful but out of time: the shortest grace there is, so that the node still ends it.
  metadata.deletionGracePeriodSeconds = passed && grace !== 0 ? 1 : grace;
}

/** Undefined for kinds that know no grace. Source: kubernetes pkg/registry/core/pod/strategy.go (CheckGracefulDelete) */
function gracePeriod(resource: Resource, before: KubeObject, options: DeleteOptions): number | undefined {
  const isPod = resourceName(resource) === "pods";
  const own = rulesFor(resource).gracePeriod?.(before);
  if (own === undefined && !isPod) return undefined;
  const asked = options.gracePeriodSeconds;
  if (isPod) {
    const { spec, status } = before as Pod;
    if (!spec.nodeName || status?.phase === "Failed" || status?.phase === "Succeeded") return 0;
    const seconds = asked ?? own ?? spec.terminationGracePeriodSeconds ?? podGrace;
    return seconds < 0 ? 1 : seconds;
  }
  const seconds = asked ?? own ?? 0;
  return seconds < 0 ? 1 : seconds;
}

/** "orphan" or "foregroundDeletion" as the options say, else as they were, else as is the default of the kind. */
function setCollectorFinalizers(resource: Resource, { metadata }: KubeObject, options: DeleteOptions): void {
  const had = metadata.finalizers ?? [];
  const policy =
    options.propagationPolicy ??
    (had.includes("orphan")
      ? "Orphan"
      : had.includes("foregroundDeletion")
        ? "Foreground"
        : rulesFor(resource).propagation);
  const finalizers = had.filter((finalizer) => !gcFinalizers.includes(finalizer));
  if (policy === "Orphan") finalizers.push("orphan");
  if (policy === "Foreground") finalizers.push("foregroundDeletion");
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
}

export function checkPreconditions(resource: Resource, before: KubeObject, { preconditions }: DeleteOptions): void {
  const { name, uid, resourceVersion } = before.metadata;
  if (preconditions?.uid && preconditions.uid !== uid)
    throw conflict(
      resource,
      name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion)
    throw conflict(
      resource,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
}
