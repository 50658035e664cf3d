/** Keys of controllers that work on objects of every kind: the resource is part of the name. */
import type { Cache, Key } from "@flotilla/client";
import { type KubeObject, type Resource, resourceName } from "@flotilla/objects";

export const referenceKey = (resource: Resource, { metadata }: Pick<KubeObject, "metadata">): Key => ({
  ...(metadata.namespace && { namespace: metadata.namespace }),
  name: `${resourceName(resource)}/${metadata.name}`,
});

export function findReferenced(key: Key, cache: Cache): { resource: Resource; object: KubeObject } | undefined {
  const slash = key.name.indexOf("/");
  const resource = cache.resources().find((each) => resourceName(each) === key.name.slice(0, slash));
  const object = resource && cache.get(resource, { namespace: key.namespace, name: key.name.slice(slash + 1) });
  return resource && object && { resource, object };
}
