/** What a client sends becomes an object of the kind: copied, of the right apiVersion and kind, without unknown fields. */
import { apiVersionOf, badRequest, type KubeObject, type Resource } from "@flotilla/objects";
import type { RequestContext } from "../registry.ts";
import { clone } from "./clone.ts";
import { checkFields } from "./fields.ts";
import type { Place } from "./parts.ts";

/** Source of messages: apiserver pkg/endpoints/handlers (create.go, update.go, rest.go) */
export function takeIn(resource: Resource, body: unknown, context: RequestContext): KubeObject {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw badRequest("the object provided is unrecognized (must be of type Object)");
  const object = clone(body) as KubeObject & { metadata?: unknown };
  const apiVersion = apiVersionOf(resource);
  if (object.apiVersion === undefined || object.apiVersion === "") object.apiVersion = apiVersion;
  if (object.kind === undefined || object.kind === "") object.kind = resource.kind;
  if (object.apiVersion !== apiVersion)
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  if (object.kind !== resource.kind)
    throw badRequest(`the kind in the data (${object.kind}) does not match the expected kind (${resource.kind})`);
  if (object.metadata === undefined || object.metadata === null) object.metadata = { name: "" };
  checkFields(resource, object, context);
  return object;
}

/** The object is the one that the place says; what it leaves out of name and namespace is filled in. */
export function matchPlace(object: KubeObject, place: Omit<Place, "name"> & { name?: string }): void {
  const { metadata } = object;
  if (place.name !== undefined) {
    if (!metadata.name) metadata.name = place.name;
    else if (metadata.name !== place.name)
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${place.name})`);
  }
  if (!place.resource.namespaced) {
    if (metadata.namespace) throw badRequest("namespace may not be set on a cluster-wide object");
    delete metadata.namespace;
    return;
  }
  if (!place.namespace) throw badRequest("an empty namespace may not be set during creation");
  if (!metadata.namespace) metadata.namespace = place.namespace;
  else if (metadata.namespace !== place.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}
