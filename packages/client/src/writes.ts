/** Builders of what a decision is made of. All are pure; none looks anything up but the kind of an object. */
import {
  apiVersionOf,
  type KubeObject,
  kindOf,
  type ObjectMeta,
  type Pod,
  Pods,
  type Resource,
} from "@flotilla/objects";
import type { Preconditions, Write } from "./api.ts";
import type { EventNote, Together } from "./controller.ts";

/** The resource of an object of the table. Objects of other kinds need theirs said: a bug, so it throws. */
export function resourceOfObject<T extends KubeObject>(object: T): Resource<T> {
  const resource = kindOf(object.apiVersion, object.kind);
  if (!resource) throw new Error(`no resource is known for ${object.apiVersion} ${object.kind}; pass it explicitly`);
  return resource as Resource<T>;
}

/** Fails with AlreadyExists, unless what exists has the same controller as `object`: then an earlier answer was lost. */
export const create = <T extends KubeObject>(
  resource: Resource<T>,
  object: Omit<T, "apiVersion" | "kind"> & { apiVersion?: string; kind?: string },
): Write<T> => ({
  verb: "create",
  resource,
  object: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object } as unknown as T,
});

/** Replaces the object; its resourceVersion makes the write fail when it has changed since it was seen. */
export const update = <T extends KubeObject>(object: T, resource = resourceOfObject(object)): Write<T> => ({
  verb: "update",
  resource,
  object,
});

/** Replaces the status of `object`, of which it must have been computed. Not sent when it is the same already. */
export const status = <T extends KubeObject & { status?: unknown }>(
  object: T,
  newStatus: T["status"],
  resource = resourceOfObject(object),
): Write<T> => ({ verb: "update", resource, subresource: "status", object: { ...object, status: newStatus } });

/** Only these parts of metadata are ever changed after creation. In a map, null removes the key. */
export interface MetaChange {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly ownerReferences?: ObjectMeta["ownerReferences"];
  readonly finalizers?: readonly string[];
}

/** Changes metadata of exactly the object that was seen: uid and resourceVersion must still be the same. */
export const patchMeta = <T extends KubeObject>(
  object: T,
  change: MetaChange,
  resource = resourceOfObject(object),
): Write<T> => ({
  verb: "patch",
  type: "merge",
  resource,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  patch: {
    metadata: { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, ...change },
  },
});

export interface RemoveOptions {
  /** Default: uid and resourceVersion of the object that was seen. */
  readonly preconditions?: Preconditions;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
  /** Needed for kinds that are not in the table. */
  readonly resource?: Resource;
}

/** Deletes exactly the object that was seen. May be handed to `map`. */
export function remove<T extends KubeObject>(object: T, options: RemoveOptions): Write<T>;
export function remove<T extends KubeObject>(object: T): Write<T>;
export function remove<T extends KubeObject>(object: T, given?: RemoveOptions | number): Write<T> {
  const { resource, ...options } = typeof given === "object" ? given : ({} as RemoveOptions);
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    verb: "delete",
    resource: (resource as Resource<T> | undefined) ?? resourceOfObject(object),
    namespace,
    name,
    preconditions: { uid, resourceVersion },
    ...options,
  };
}

/** Server-side apply of what `manager` wants; fields that others own are taken over. */
export const applyObject = <T extends KubeObject>(
  resource: Resource<T>,
  object: Omit<T, "apiVersion" | "kind"> & { apiVersion?: string; kind?: string },
  manager: string,
): Write<T> => {
  const metadata = object.metadata as ObjectMeta;
  return {
    verb: "patch",
    type: "apply",
    resource,
    namespace: metadata.namespace,
    name: metadata.name,
    patch: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
    fieldManager: manager,
    force: true,
  };
};

/** Puts exactly the pod that was seen on a node. */
export const bind = (pod: Pod, nodeName: string): Write => ({
  verb: "create",
  resource: Pods,
  subresource: "binding",
  object: {
    apiVersion: "v1",
    kind: "Binding",
    metadata: {
      name: pod.metadata.name,
      namespace: pod.metadata.namespace,
      uid: pod.metadata.uid,
      resourceVersion: pod.metadata.resourceVersion,
    },
    target: { apiVersion: "v1", kind: "Node", name: nodeName },
  } as KubeObject,
});

/** Writes that do not depend on each other; they run 1, 2, 4, ... at once as long as all succeed. */
export const together = (writes: readonly Write[]): Together => ({ together: writes });

/** An Event about an object. `message` without what changes at every repeat, so that repeats are counted. */
export const event = (about: KubeObject, type: EventNote["type"], reason: string, message: string): EventNote => ({
  about,
  type,
  reason,
  message,
});
