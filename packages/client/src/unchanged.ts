/** Whether a write would change anything, judged by the cached object: such a write is not sent. */
import { apiVersionOf, deepEqual, type KubeObject, type Resource, typeTable } from "@flotilla/objects";
import { apply, type JsonPatchOperation, jsonPatch, mergePatch, strategicMergePatch } from "@flotilla/patch";
import type { Write } from "./api.ts";

/** `cached` is the object that the write is about, as last seen. When in doubt, the write is sent and the API decides. */
export function wouldChangeNothing(write: Write, cached: KubeObject, now: Date): boolean {
  if (write.dryRun) return false;
  switch (write.verb) {
    case "create":
      return false;
    case "delete":
      // A second delete counts only when it shortens the grace period.
      return (
        cached.metadata.deletionTimestamp !== undefined &&
        write.gracePeriodSeconds === undefined &&
        (write.preconditions?.uid ?? cached.metadata.uid) === cached.metadata.uid
      );
    case "update":
      return same(write.object, cached, write.resource, write.subresource);
    case "patch":
      try {
        return patchChangesNothing(write, cached, now);
      } catch {
        // A patch that cannot be applied here is for the API to refuse, in its own words.
        return false;
      }
  }
}

function patchChangesNothing(write: Write & { verb: "patch" }, cached: KubeObject, now: Date): boolean {
  const { resource, subresource, patch } = write;
  if (subresource !== undefined && subresource !== "status") return false;
  switch (write.type) {
    case "json":
      return same(jsonPatch(cached, patch as JsonPatchOperation[]) as KubeObject, cached, resource, subresource);
    case "merge":
      return same(mergePatch(cached, patch) as KubeObject, cached, resource, subresource);
    case "strategic":
      return same(
        strategicMergePatch(cached, patch, { table: typeTable(), type: resource.type }) as KubeObject,
        cached,
        resource,
        subresource,
      );
    case "apply":
      return !apply(cached, patch as KubeObject, {
        manager: write.fieldManager ?? "",
        force: write.force ?? false,
        now,
        schema: { table: typeTable(), type: resource.type },
        apiVersion: apiVersionOf(resource),
        subresource,
      }).changed;
  }
}

/** Equal in what a write of this subresource can change. */
function same(wanted: KubeObject, cached: KubeObject, resource: Resource, subresource: string | undefined): boolean {
  if (wanted.metadata.uid !== undefined && wanted.metadata.uid !== cached.metadata.uid) return false;
  if (subresource === "status") return deepEqual(statusOf(wanted), statusOf(cached));
  if (subresource !== undefined) return false;
  return deepEqual(comparable(wanted, resource), comparable(cached, resource));
}

const statusOf = (object: KubeObject): unknown => (object as { status?: unknown }).status ?? {};

/** Without what the API keeps by itself. A stale resourceVersion alone is no reason to write. */
function comparable(object: KubeObject, resource: Resource): unknown {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...metadata } = object.metadata;
  const rest: Record<string, unknown> = { ...object, metadata };
  if (resource.subresources.includes("status")) rest.status = undefined;
  return rest;
}
