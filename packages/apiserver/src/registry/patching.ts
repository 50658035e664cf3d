/** patch: all four kinds of it. Read and write are one step on the staged state, so a patch meets no conflict but the one it asks for. */
import type { PatchType } from "@flotilla/client";
import {
  applyConflict,
  badRequest,
  failure,
  type KubeObject,
  notFound,
  type Resource,
  resourceName,
  StatusError,
  unsupportedMediaType,
} from "@flotilla/objects";
import {
  ApplyConflictError,
  apply,
  type JsonPatchOperation,
  jsonPatch,
  mergePatch,
  strategicMergePatch,
} from "@flotilla/patch";
import { clone } from "./clone.ts";
import { createTaken } from "./creating.ts";
import { matchPlace, takeIn } from "./intake.ts";
import { keyOf, type Place, type Writing } from "./parts.ts";
import { schemaOf } from "./schema.ts";
import { replaceObject } from "./updating.ts";

export interface PatchBody {
  readonly type: PatchType;
  readonly body: unknown;
  readonly force?: boolean;
}

export function patchObject(
  writing: Writing,
  place: Place,
  patch: PatchBody,
  subresource?: string,
): { object: KubeObject; created: boolean } {
  const { resource, namespace, name } = place;
  const before = writing.transaction.get(resourceName(resource), keyOf(namespace, name));
  if (patch.type === "apply") return applyObject(writing, place, before, patch, subresource);
  if (!before) throw notFound(resource, name);
  const object = takeIn(resource, patched(resource, before, patch), writing.context);
  matchPlace(object, place);
  return { object: replaceObject(writing, resource, before, object, { subresource }), created: false };
}

function applyObject(
  writing: Writing,
  place: Place,
  before: KubeObject | undefined,
  patch: PatchBody,
  subresource: string | undefined,
): { object: KubeObject; created: boolean } {
  const { parts, context } = writing;
  const { resource, name } = place;
  if (!before && subresource) throw notFound(resource, name);
  const config = takeIn(resource, patch.body, context);
  matchPlace(config, place);
  if (config.metadata.managedFields?.length) throw badRequest("metadata.managedFields must be nil");
  const { object: applied, changed } = guarded(() =>
    apply(before, config, {
      manager: context.fieldManager,
      force: patch.force ?? false,
      now: new Date(parts.clock.now()),
      schema: schemaOf(resource),
      apiVersion: config.apiVersion,
      ...(subresource ? { subresource } : {}),
    }),
  );
  const object = clone(applied) as KubeObject;
  if (!before) {
    if (config.metadata.uid) throw notFound(resource, name);
    return { object: createTaken(writing, resource, object, { managed: true }), created: true };
  }
  if (!changed && !config.metadata.resourceVersion) return { object: before, created: false };
  if (config.metadata.resourceVersion) object.metadata.resourceVersion = config.metadata.resourceVersion;
  return { object: replaceObject(writing, resource, before, object, { subresource, managed: true }), created: false };
}

/** `before` with the patch in it. Throws what the API answers to a patch that does not fit. */
export function patched(resource: Resource, before: unknown, { type, body }: PatchBody): unknown {
  if (type === "json") {
    if (!Array.isArray(body)) throw badRequest("a JSON patch must be a list of operations");
    return guarded(() => jsonPatch(before, body as JsonPatchOperation[]));
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw badRequest("the patch must be an object with the fields to change");
  if (type === "strategic") {
    if (resource.type === undefined)
      throw unsupportedMediaType([
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
      ]);
    return guarded(() => strategicMergePatch(before, body, schemaOf(resource)));
  }
  return guarded(() => mergePatch(before, body));
}

/** Source: apiserver pkg/endpoints/handlers/patch.go */
function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof StatusError || !(error instanceof Error)) throw error;
    if (error instanceof ApplyConflictError) throw conflictOf(error);
    if (!error.name.endsWith("PatchError") && !error.name.endsWith("ApplyError")) throw error;
    throw failure(422, "Invalid", `the server rejected our request due to an error in our request: ${error.message}`, {
      causes: [{ reason: "UnexpectedServerResponse", message: error.message }],
    });
  }
}

function conflictOf(error: ApplyConflictError): StatusError {
  return applyConflict(
    error.conflicts.map(({ manager, apiVersion, subresource, field }) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${JSON.stringify(manager)}${subresource ? ` with subresource ${JSON.stringify(subresource)}` : ""} using ${apiVersion}`,
      field,
    })),
    error.message,
  );
}
