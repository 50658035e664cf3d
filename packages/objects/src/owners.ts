/** Who owns whom: metadata.ownerReferences. */
import type { OwnerReference } from "./generated/types.ts";
import { apiVersionOf, type KubeObject, type Resource } from "./resource.ts";

/** The one owner that manages the object; others only keep it alive. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller);

/** A reference to the owner as the object's controller; deletion in the foreground waits for the object. */
export function ownerReference(
  owner: KubeObject,
  resource: Pick<Resource, "group" | "version" | "kind">,
): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Whether this very owner (by uid) is one of the object's owners. */
export const isOwnedBy = (object: KubeObject, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined &&
  (object.metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid) ?? false);

/** Whether this very owner (by uid) is the object's controller. */
export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid;

/** Marked for deletion; it goes when its grace period is over and no finalizer is left. */
export const isDeleted = (object: KubeObject): boolean => object.metadata.deletionTimestamp != null;
