/** create: a new object, named, defaulted, admitted, checked and stored. */
import { uuid } from "@flotilla/ambient";
import {
  alreadyExists,
  badRequest,
  generateNameConflict,
  type KubeObject,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import { updateManagedFields } from "@flotilla/patch";
import { admit } from "../admission/index.ts";
import { mustBeValid } from "./checking.ts";
import { generationAfter } from "./generation.ts";
import { matchPlace, takeIn } from "./intake.ts";
import { metadataMistakes } from "./metadata.ts";
import { keyOfObject, type Place, randomSuffix, timestamp, type Writing } from "./parts.ts";
import { rulesFor } from "./rules-for.ts";
import { schemaOf } from "./schema.ts";

/** The base of a generated name. Source: apiserver pkg/storage/names/generate.go */
const longestBase = 58;
const nameAttempts = 8;

export function createObject(
  writing: Writing,
  place: Omit<Place, "name"> & { name?: string },
  body: unknown,
): KubeObject {
  const object = takeIn(place.resource, body, writing.context);
  matchPlace(object, place);
  return createTaken(writing, place.resource, object);
}

/** For an object that has been taken in. `managed`: its managedFields are complete already (server-side apply). */
export function createTaken(
  writing: Writing,
  resource: Resource,
  object: KubeObject,
  options: { managed?: boolean } = {},
): KubeObject {
  const { parts, transaction, context } = writing;
  const { metadata } = object;
  const rules = rulesFor(resource);
  if (metadata.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  nameObject(writing, resource, object);
  const key = keyOfObject(object);
  if (transaction.get(resourceName(resource), key)) throw alreadyExists(resource, metadata.name);

  metadata.uid = uuid(parts.random);
  metadata.creationTimestamp = timestamp(parts.clock.now());
  for (const field of ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] as const)
    delete metadata[field];
  // A node says how it is when it registers; everybody else's status is the server's to begin.
  if (resource.subresources.includes("status") && resourceName(resource) !== "nodes" && "status" in object)
    delete object.status;
  rules.defaults?.(object);
  if (!options.managed) manage(writing, resource, object);
  const request = { ...writing, operation: "CREATE" as const, resource, object, before: undefined };
  admit.changing(request);
  rules.prepare?.(object, undefined);
  const generation = generationAfter(resource, object, undefined);
  if (generation !== undefined) metadata.generation = generation;
  mustBeValid(resource, object, [
    ...metadataMistakes(resource, object),
    ...(rules.validate?.(object) ?? []),
    ...(rules.validateCreate?.(object) ?? []),
  ]);
  for (const warning of rules.warnings?.(object) ?? []) context.warn(warning);
  admit.checking(request);
  transaction.put(resourceName(resource), key, object);
  admit.after(request);
  return object;
}

function manage({ parts, context }: Writing, resource: Resource, object: KubeObject): void {
  const managed = updateManagedFields(undefined, object, {
    manager: context.fieldManager,
    now: new Date(parts.clock.now()),
    schema: schemaOf(resource),
    apiVersion: object.apiVersion,
    operation: "Update",
  }) as KubeObject;
  if (managed.metadata.managedFields) object.metadata.managedFields = managed.metadata.managedFields;
}

function nameObject({ parts, transaction }: Writing, resource: Resource, object: KubeObject): void {
  const { metadata } = object;
  if (metadata.name || !metadata.generateName) return;
  const base = metadata.generateName.slice(0, longestBase);
  for (let attempt = 0; attempt < nameAttempts; attempt++) {
    metadata.name = base + randomSuffix(parts.random);
    if (!transaction.get(resourceName(resource), keyOfObject(object))) return;
  }
  throw generateNameConflict(resource, metadata.name, 1);
}
