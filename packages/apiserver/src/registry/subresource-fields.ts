/** Which part of an object a write may change: everything but the status, or the part of one subresource. */
import { type KubeObject, type Resource, resourceName } from "@flotilla/objects";
import { clone } from "./clone.ts";

type Parted = KubeObject & { spec?: Record<string, unknown>; status?: unknown };

/** Puts back, in `after`, what this write may not change. Source: kubernetes pkg/registry strategies (PrepareForUpdate) */
export function keepOthers(
  resource: Resource,
  before: KubeObject,
  after: KubeObject,
  subresource: string | undefined,
): void {
  const changed = after as Parted;
  if (!subresource) {
    keepStatus(resource, before, after);
  } else if (subresource === "status") {
    for (const field of Object.keys(after)) if (!partOfStatus.has(field)) restore(before, after, field);
    for (const field of Object.keys(before)) if (!partOfStatus.has(field)) restore(before, after, field);
    keepMetadata(resource, before, after);
  } else if (subresource === "finalize") {
    const finalizers = changed.spec?.finalizers;
    restore(before, after, "status");
    const spec = { ...(before as Parted).spec };
    if (Array.isArray(finalizers) && finalizers.length > 0) spec.finalizers = finalizers;
    else delete spec.finalizers;
    changed.spec = spec;
  } else if (subresource === "approval") {
    const conditions = (changed.status as { conditions?: unknown } | undefined)?.conditions;
    restore(before, after, "spec");
    changed.status = { ...((before as Parted).status as object | undefined), ...(conditions ? { conditions } : {}) };
  }
}

const partOfStatus = new Set(["apiVersion", "kind", "metadata", "status"]);

function keepStatus(resource: Resource, before: KubeObject, after: KubeObject): void {
  if (resource.subresources.includes("status")) restore(before, after, "status");
  if (resourceName(resource) !== "namespaces") return;
  const finalizers = (before as Parted).spec?.finalizers;
  const { finalizers: _, ...spec } = (after as Parted).spec ?? {};
  (after as Parted).spec = { ...spec, ...(finalizers ? { finalizers } : {}) };
}

/** A status write may annotate, and label nodes; custom resources keep all of their metadata. */
function keepMetadata(resource: Resource, before: KubeObject, after: KubeObject): void {
  const custom = resource.type === undefined;
  const fields = ["ownerReferences", ...(resourceName(resource) === "nodes" ? [] : ["labels"])];
  for (const field of custom ? [...fields, "annotations", "finalizers"] : fields)
    restore(
      before.metadata as unknown as Record<string, unknown>,
      after.metadata as unknown as Record<string, unknown>,
      field,
    );
}

function restore(before: object, after: object, field: string): void {
  const from = before as Record<string, unknown>;
  const to = after as Record<string, unknown>;
  if (from[field] === undefined) delete to[field];
  else to[field] = clone(from[field]);
}
