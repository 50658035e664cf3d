/** What holds for the metadata of every kind. Source: apimachinery pkg/api/validation/objectmeta.go */
import {
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  type FieldError,
  forbiddenField,
  invalidValue,
  type KubeObject,
  labelValue,
  type OwnerReference,
  qualifiedName,
  type Resource,
  required,
  resourceName,
  tooLong,
} from "@flotilla/objects";

const annotationsLimit = 256 * 1024;

/** Source: apimachinery pkg/api/validation/path */
export function pathSegmentName(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

const nameRules: Readonly<Record<string, (name: string) => string[]>> = {
  namespaces: dns1123Label,
  "statefulsets.apps": dns1123Label,
  services: dns1035Label,
  "roles.rbac.authorization.k8s.io": pathSegmentName,
  "clusterroles.rbac.authorization.k8s.io": pathSegmentName,
  "rolebindings.rbac.authorization.k8s.io": pathSegmentName,
  "clusterrolebindings.rbac.authorization.k8s.io": pathSegmentName,
};

export function metadataMistakes(resource: Resource, { metadata }: KubeObject): FieldError[] {
  const mistakes: FieldError[] = [];
  const nameMistakes = nameRules[resourceName(resource)] ?? dns1123Subdomain;
  if (metadata.name) {
    for (const message of nameMistakes(metadata.name))
      mistakes.push(invalidValue("metadata.name", metadata.name, message));
  } else mistakes.push(required("metadata.name", "name or generateName is required"));
  if (metadata.namespace)
    for (const message of dns1123Label(metadata.namespace))
      mistakes.push(invalidValue("metadata.namespace", metadata.namespace, message));
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    for (const message of qualifiedName(key)) mistakes.push(invalidValue("metadata.labels", key, message));
    for (const message of labelValue(value)) mistakes.push(invalidValue("metadata.labels", value, message));
  }
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    for (const message of qualifiedName(key.toLowerCase()))
      mistakes.push(invalidValue("metadata.annotations", key, message));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > annotationsLimit) mistakes.push(tooLong("metadata.annotations", annotationsLimit));
  metadata.finalizers?.forEach((finalizer, index) => {
    const messages = qualifiedName(finalizer);
    for (const message of messages) mistakes.push(invalidValue("metadata.finalizers", finalizer, message));
    if (!finalizer.includes("/") && !standardFinalizers.has(finalizer))
      mistakes.push(
        invalidValue(
          `metadata.finalizers[${index}]`,
          finalizer,
          "name is neither a standard finalizer name nor is it fully qualified",
        ),
      );
  });
  mistakes.push(...ownerMistakes(metadata.ownerReferences ?? []));
  return mistakes;
}

const standardFinalizers = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

function ownerMistakes(owners: readonly OwnerReference[]): FieldError[] {
  const mistakes: FieldError[] = [];
  let controller: OwnerReference | undefined;
  owners.forEach((owner) => {
    const field = "metadata.ownerReferences";
    if (!owner.apiVersion)
      mistakes.push(invalidValue(`${field}.apiVersion`, owner.apiVersion ?? "", "version must not be empty"));
    if (!owner.kind) mistakes.push(invalidValue(`${field}.kind`, owner.kind ?? "", "must not be empty"));
    if (!owner.name) mistakes.push(invalidValue(`${field}.name`, owner.name ?? "", "must not be empty"));
    if (!owner.uid) mistakes.push(invalidValue(`${field}.uid`, owner.uid ?? "", "must not be empty"));
    if (owner.controller) {
      if (controller)
        mistakes.push(
          invalidValue(
            "metadata.ownerReferences",
            owners,
            `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`,
          ),
        );
      controller = owner;
    }
  });
  return mistakes;
}

export function metadataUpdateMistakes(after: KubeObject, before: KubeObject): FieldError[] {
  const mistakes: FieldError[] = [];
  for (const field of ["name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"] as const)
    if (after.metadata[field] !== before.metadata[field])
      mistakes.push(invalidValue(`metadata.${field}`, after.metadata[field] ?? null, "field is immutable"));
  if (before.metadata.deletionTimestamp) {
    const had = new Set(before.metadata.finalizers);
    const added = (after.metadata.finalizers ?? []).filter((finalizer) => !had.has(finalizer));
    if (added.length > 0)
      mistakes.push(
        forbiddenField(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((each) => JSON.stringify(each)).join(", ")}}`,
        ),
      );
  }
  return mistakes;
}
