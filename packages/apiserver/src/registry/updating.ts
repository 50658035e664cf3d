/** update, and what it shares with patch: a stored object becomes another one, under the rules of its kind. */
import {
  badRequest,
  conflict,
  deepEqual,
  type FieldError,
  type KubeObject,
  notFound,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import { updateManagedFields } from "@flotilla/patch";
import { admit } from "../admission/index.ts";
import { mustBeValid } from "./checking.ts";
import { createTaken } from "./creating.ts";
import { generationAfter } from "./generation.ts";
import { matchPlace, takeIn } from "./intake.ts";
import { metadataMistakes, metadataUpdateMistakes } from "./metadata.ts";
import { keyOf, type Place, type Writing } from "./parts.ts";
import { rulesFor } from "./rules-for.ts";
import { schemaOf } from "./schema.ts";
import { keepOthers } from "./subresource-fields.ts";

export const modifiedMeanwhile =
  "the object has been modified; please apply your changes to the latest version and try again";

/** Kinds that a PUT creates. Source: kubernetes pkg/registry (AllowCreateOnUpdate) */
const createdByUpdate = new Set([
  "endpoints",
  "events",
  "limitranges",
  "services",
  "leases.coordination.k8s.io",
  "runtimeclasses.node.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "clusterrolebindings.rbac.authorization.k8s.io",
  "roles.rbac.authorization.k8s.io",
  "rolebindings.rbac.authorization.k8s.io",
]);

/** Kinds whose updates must say of which version they are. Source: kubernetes pkg/registry (AllowUnconditionalUpdate) */
const versionRequired = new Set([
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io",
  "apiservices.apiregistration.k8s.io",
  "leases.coordination.k8s.io",
  "runtimeclasses.node.k8s.io",
  "poddisruptionbudgets.policy",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
]);

export function updateObject(
  writing: Writing,
  place: Place,
  body: unknown,
  subresource?: string,
): { object: KubeObject; created: boolean } {
  const { resource, namespace, name } = place;
  const object = takeIn(resource, body, writing.context);
  matchPlace(object, place);
  const before = writing.transaction.get(resourceName(resource), keyOf(namespace, name));
  if (!before) {
    if (subresource || object.metadata.uid || !createdByUpdate.has(resourceName(resource)))
      throw notFound(resource, name);
    return { object: createTaken(writing, resource, object), created: true };
  }
  if (!object.metadata.resourceVersion && mustSayVersion(resource))
    mustBeValid(resource, object, [
      {
        field: "metadata.resourceVersion",
        type: "FieldValueInvalid",
        message: "Invalid value: 0: must be specified for an update",
      },
    ]);
  return { object: replaceObject(writing, resource, before, object, { subresource }), created: false };
}

/** Custom resources always must; so must the kinds above. */
const mustSayVersion = (resource: Resource) =>
  versionRequired.has(resourceName(resource)) || (resource.schema !== undefined && resource.type === undefined);

export interface ReplaceOptions {
  readonly subresource?: string;
  /** Its managedFields are complete already (server-side apply). */
  readonly managed?: boolean;
}

/** Puts `after` in the place of `before`. `after` has been taken in and is changed in place. */
export function replaceObject(
  writing: Writing,
  resource: Resource,
  before: KubeObject,
  after: KubeObject,
  { subresource, managed }: ReplaceOptions,
): KubeObject {
  const { parts, transaction, context } = writing;
  const rules = rulesFor(resource);
  checkVersion(resource, before, after);
  keepSystemFields(before, after);
  keepOthers(resource, before, after, subresource);
  rules.defaults?.(after);
  if (!managed) {
    const updated = updateManagedFields(before, after, {
      manager: context.fieldManager,
      now: new Date(parts.clock.now()),
      schema: schemaOf(resource),
      apiVersion: after.apiVersion,
      operation: "Update",
      ...(subresource ? { subresource } : {}),
    }) as KubeObject;
    setManagedFields(after, updated.metadata.managedFields);
  }
  const request = { ...writing, operation: "UPDATE" as const, resource, subresource, object: after, before };
  admit.changing(request);
  rules.prepare?.(after, before);
  keepOthers(resource, before, after, subresource);
  const generation = generationAfter(resource, after, before);
  if (generation !== undefined) after.metadata.generation = generation;
  mustBeValid(resource, after, mistakesOf(resource, before, after, subresource));
  if (!subresource) for (const warning of rules.warnings?.(after) ?? []) context.warn(warning);
  admit.checking(request);
  if (isFinished(before, after)) {
    transaction.remove(resourceName(resource), keyOf(before.metadata.namespace, before.metadata.name));
    admit.after(request);
    return after;
  }
  if (sameButTimes(before, after)) return before;
  transaction.put(resourceName(resource), keyOf(before.metadata.namespace, before.metadata.name), after);
  admit.after(request);
  return after;
}

function mistakesOf(
  resource: Resource,
  before: KubeObject,
  after: KubeObject,
  subresource: string | undefined,
): FieldError[] {
  const rules = rulesFor(resource);
  const whole = !subresource || subresource === "scale";
  const own = whole
    ? [...(rules.validate?.(after) ?? []), ...(rules.validateUpdate?.(after, before) ?? [])]
    : subresource === "status"
      ? (rules.validateStatus?.(after, before) ?? [])
      : [];
  return [...metadataMistakes(resource, after), ...metadataUpdateMistakes(after, before), ...own];
}

function checkVersion(resource: Resource, before: KubeObject, after: KubeObject): void {
  const { uid, resourceVersion } = after.metadata;
  if (uid && uid !== before.metadata.uid)
    throw conflict(
      resource,
      before.metadata.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`,
    );
  if (!resourceVersion) return;
  if (!/^\d+$/.test(resourceVersion))
    throw badRequest(`metadata.resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: must be a number`);
  if (resourceVersion !== before.metadata.resourceVersion)
    throw conflict(resource, before.metadata.name, modifiedMeanwhile);
}

/** What no write may change or needs to say. Source: apiserver pkg/registry/rest/update.go */
function keepSystemFields({ metadata: before }: KubeObject, { metadata: after }: KubeObject): void {
  after.resourceVersion = before.resourceVersion;
  after.uid ??= before.uid;
  after.creationTimestamp = before.creationTimestamp;
  if (before.generation === undefined) delete after.generation;
  else after.generation = before.generation;
  if (before.deletionTimestamp === undefined) delete after.deletionTimestamp;
  else after.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds === undefined) delete after.deletionGracePeriodSeconds;
  else after.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  delete after.selfLink;
}

function setManagedFields({ metadata }: KubeObject, fields: KubeObject["metadata"]["managedFields"]): void {
  if (fields && fields.length > 0) metadata.managedFields = fields;
  else delete metadata.managedFields;
}

/** A deletion that has waited for finalizers only ends with the last of them. Source: apiserver pkg/registry/generic/registry/store.go */
export function isFinished(before: KubeObject, after: KubeObject): boolean {
  if (!before.metadata.deletionTimestamp || (before.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  if ((after.metadata.finalizers?.length ?? 0) > 0) return false;
  return after.kind !== "Namespace" || after.apiVersion !== "v1" || !hasSpecFinalizers(after);
}

function hasSpecFinalizers(namespace: KubeObject): boolean {
  const { spec } = namespace as KubeObject & { spec?: { finalizers?: string[] } };
  return (spec?.finalizers?.length ?? 0) > 0;
}

/** Nothing is written when only the times in managedFields would change. */
function sameButTimes(before: KubeObject, after: KubeObject): boolean {
  return deepEqual(withoutTimes(before), withoutTimes(after));
}

const withoutTimes = (object: KubeObject) => ({
  ...object,
  metadata: {
    ...object.metadata,
    managedFields: object.metadata.managedFields?.map(({ time: _, ...entry }) => entry),
  },
});
