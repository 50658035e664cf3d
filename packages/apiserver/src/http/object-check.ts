/** Checks that the object of a request is what its URL says. Source: apiserver pkg/endpoints/handlers (create.go, update.go). */
import { apiVersionOf, badRequest, isRecord, type KubeObject, type Resource } from "@flotilla/objects";
import type { ResourcePath } from "./resource-path.ts";

interface Expected {
  readonly apiVersion: string;
  readonly kind: string;
}

// Subresources whose objects are of a kind of their own.
const subresourceKinds: Readonly<Record<string, Expected>> = {
  scale: { apiVersion: "autoscaling/v1", kind: "Scale" },
  binding: { apiVersion: "v1", kind: "Binding" },
  eviction: { apiVersion: "policy/v1", kind: "Eviction" },
  token: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest" },
};

/** The object with apiVersion, kind and namespace filled in from the URL. Throws BadRequest where the two disagree. */
export function checkedObject(resource: Resource, path: ResourcePath, value: unknown): KubeObject {
  if (value === undefined) throw badRequest("the body of the request is empty");
  if (!isRecord(value)) throw badRequest("the body of the request must be an object");
  const expected = subresourceKinds[path.subresource ?? ""] ?? {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
  };
  const { apiVersion = expected.apiVersion, kind = expected.kind, metadata = {}, ...rest } = value;
  if (kind !== expected.kind)
    throw badRequest(
      `${String(kind)} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${expected.kind}: ` +
        `the object provided is unrecognized (must be of type ${expected.kind})`,
    );
  if (apiVersion !== expected.apiVersion)
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${expected.apiVersion})`,
    );
  if (!isRecord(metadata)) throw badRequest("metadata must be an object");
  const { name, namespace } = metadata;
  if (name !== undefined && typeof name !== "string") throw badRequest("metadata.name must be a string");
  if (namespace !== undefined && typeof namespace !== "string") throw badRequest("metadata.namespace must be a string");
  if (namespace && path.namespace && namespace !== path.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  if (path.name && name && name !== path.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${path.name})`);
  const place = {
    ...metadata,
    ...(path.namespace && { namespace: path.namespace }),
    ...(path.name && { name: path.name }),
  };
  return { apiVersion, kind, metadata: place, ...rest } as KubeObject;
}
