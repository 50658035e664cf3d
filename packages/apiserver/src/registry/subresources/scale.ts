/** The scale subresource: a Scale made from, and written back to, a workload. Source: kubernetes pkg/registry/apps/deployment/storage */
import {
  badRequest,
  type KubeObject,
  type LabelSelector,
  notFound,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import { isCustom, type ScalePaths, setValueAt, valueAt } from "../../custom/custom-resource.ts";
import { formatSelector } from "../../selector-text.ts";
import { mustBeValid } from "../checking.ts";
import { clone } from "../clone.ts";
import { keyOf, type Place, type Writing } from "../parts.ts";
import { type PatchBody, patched } from "../patching.ts";
import { replaceObject } from "../updating.ts";

interface ScaleObject extends KubeObject {
  spec: { replicas?: number };
  status: { replicas: number; selector?: string };
}

export function scaleOf(resource: Resource, object: KubeObject): ScaleObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const paths = pathsOf(resource);
  const selected = paths.labelSelectorPath ? valueAt(object, paths.labelSelectorPath) : undefined;
  const selector = isSelector(selected) ? formatSelector(selected) : selected;
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: Number(valueAt(object, paths.specReplicasPath) ?? 0) },
    status: {
      replicas: Number(valueAt(object, paths.statusReplicasPath) ?? 0),
      ...(typeof selector === "string" && selector ? { selector } : {}),
    },
  };
}

const workloadPaths: ScalePaths = {
  specReplicasPath: ".spec.replicas",
  statusReplicasPath: ".status.replicas",
  labelSelectorPath: ".spec.selector",
};

const pathsOf = (resource: Resource): ScalePaths =>
  (isCustom(resource) ? resource.custom.scale : undefined) ?? workloadPaths;

const isSelector = (value: unknown): value is LabelSelector => typeof value === "object" && value !== null;

export function updateScale(writing: Writing, place: Place, body: unknown): KubeObject {
  const before = existing(writing, place);
  return writeScale(writing, place.resource, before, body);
}

export function patchScale(writing: Writing, place: Place, patch: PatchBody): KubeObject {
  const before = existing(writing, place);
  // A Scale has no lists: strategic merge and apply come down to a merge.
  const type = patch.type === "json" ? "json" : "merge";
  return writeScale(
    writing,
    place.resource,
    before,
    patched(place.resource, scaleOf(place.resource, before), { ...patch, type }),
  );
}

function existing({ transaction }: Writing, { resource, namespace, name }: Place): KubeObject {
  const before = transaction.get(resourceName(resource), keyOf(namespace, name));
  if (!before) throw notFound(resource, name);
  return before;
}

function writeScale(writing: Writing, resource: Resource, before: KubeObject, body: unknown): KubeObject {
  const { kind, metadata, spec } = (body ?? {}) as Partial<ScaleObject>;
  if (kind !== undefined && kind !== "Scale")
    throw badRequest(`the kind in the data (${kind}) does not match the expected kind (Scale)`);
  if (metadata?.name && metadata.name !== before.metadata.name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${before.metadata.name})`,
    );
  const replicas = spec?.replicas ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas))
    throw badRequest("spec.replicas must be a whole number");
  if (replicas < 0)
    mustBeValid({ ...resource, group: "autoscaling", kind: "Scale" }, before, [
      {
        field: "spec.replicas",
        type: "FieldValueInvalid",
        message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
      },
    ]);
  const after = clone(before);
  setValueAt(after, pathsOf(resource).specReplicasPath, replicas);
  after.metadata.uid = metadata?.uid ?? after.metadata.uid;
  after.metadata.resourceVersion = metadata?.resourceVersion ?? after.metadata.resourceVersion;
  return scaleOf(resource, replaceObject(writing, resource, before, after, { subresource: "scale" }));
}
