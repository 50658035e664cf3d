/** A claim that names no class gets the default one. Source: kubernetes plugin/pkg/admission/storage/storageclass/setdefault */
import { type PersistentVolumeClaim, resourceName, type StorageClass, StorageClasses } from "@flotilla/objects";
import type { AdmissionStep } from "./request.ts";

const defaultAnnotation = "storageclass.kubernetes.io/is-default-class";

export const chooseStorageClass: AdmissionStep = ({ transaction, operation, resource, object }) => {
  if (resourceName(resource) !== "persistentvolumeclaims" || operation !== "CREATE") return;
  const { spec, metadata } = object as PersistentVolumeClaim;
  // "" is a choice too: no class at all.
  if (typeof spec.storageClassName === "string") return;
  if (metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] !== undefined) return;
  const defaults = (transaction.list(resourceName(StorageClasses)) as StorageClass[])
    .filter((each) => each.metadata.annotations?.[defaultAnnotation] === "true")
    .toSorted(newestFirst);
  if (defaults[0]) spec.storageClassName = defaults[0].metadata.name;
};

function newestFirst(a: StorageClass, b: StorageClass): number {
  const [left = "", right = ""] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? 1 : -1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
