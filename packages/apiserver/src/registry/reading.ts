/** get and list: reads of the committed state, or of an older one that is still known. */
import type { ListOptions, NamespacedName, ObjectList } from "@flotilla/client";
import {
  apiVersionOf,
  badRequest,
  expired,
  failure,
  type KubeObject,
  notFound,
  type Resource,
  resourceName,
  StatusError,
} from "@flotilla/objects";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { keyOf, keyOfObject, type Parts } from "./parts.ts";
import { selectorOf } from "./selection.ts";

export function getObject(
  parts: Parts,
  asked: Resource,
  { namespace, name }: NamespacedName,
  resourceVersion?: string,
): KubeObject {
  const resource = parts.served.mustServe(asked);
  mustBeReached(parts, versionNumber(resourceVersion));
  const object = parts.store.get(resourceName(resource), keyOf(resource.namespaced ? namespace : undefined, name));
  if (!object) throw notFound(resource, name);
  return object;
}

export function listObjects(parts: Parts, asked: Resource, options: ListOptions = {}): ObjectList {
  const resource = parts.served.mustServe(asked);
  const selector = selectorOf(resource, options);
  const name = resourceName(resource);
  const namespace = resource.namespaced ? options.namespace : undefined;
  const page = startOf(parts, resource, options);
  let objects =
    page.revision === parts.store.revision
      ? parts.store.list(name, namespace)
      : (parts.store.listAt(name, page.revision, namespace) ?? []);
  if (page.after !== undefined) {
    const after = page.after;
    objects = objects.filter((object) => keyOfObject(object) > after);
  }
  if (!selector.everything) objects = objects.filter(selector.matches);
  const limit = options.limit && options.limit > 0 ? options.limit : objects.length;
  const items = objects.slice(0, limit);
  const last = items.at(-1);
  const remaining = objects.length - items.length;
  return {
    apiVersion: apiVersionOf(resource),
    kind: `${resource.kind}List`,
    metadata: {
      resourceVersion: String(page.revision),
      ...(remaining > 0 && last
        ? { continue: encodeContinue({ revision: page.revision, after: keyOfObject(last) }) }
        : {}),
      // Kubernetes counts only where nothing had to be filtered.
      ...(remaining > 0 && selector.everything ? { remainingItemCount: remaining } : {}),
    },
    items,
  };
}

/** The revision that a list shows and the key after which it starts. */
function startOf(parts: Parts, resource: Resource, options: ListOptions): { revision: number; after?: string } {
  const { store } = parts;
  const oldest = store.oldestRevision(resourceName(resource));
  if (options.continue) {
    if (options.resourceVersion && options.resourceVersion !== "0")
      throw badRequest("specifying resource version is not allowed when using continue");
    const { revision, after } = decodeContinue(options.continue);
    if (revision < 0) return { revision: store.revision, after };
    if (revision > store.revision) throw tooLarge(revision, store.revision);
    if (revision < oldest) throw continueExpired(after);
    return { revision, after };
  }
  const wanted = versionNumber(options.resourceVersion);
  if (options.resourceVersionMatch && !options.resourceVersion)
    throw badRequest("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (options.resourceVersionMatch === "Exact") {
    if (!wanted) throw badRequest('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
    mustBeReached(parts, wanted);
    if (wanted < oldest) throw expired("The resourceVersion for the provided list is too old.");
    return { revision: wanted };
  }
  mustBeReached(parts, wanted);
  return { revision: store.revision };
}

/** 0 for none and for "any version". */
export function versionNumber(resourceVersion: string | undefined): number {
  if (!resourceVersion) return 0;
  if (!/^\d{1,15}$/.test(resourceVersion))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: must be a number`);
  return Number(resourceVersion);
}

function mustBeReached({ store }: Parts, revision: number): void {
  if (revision > store.revision) throw tooLarge(revision, store.revision);
}

/** Source: apiserver pkg/storage/errors.go */
function tooLarge(revision: number, current: number): StatusError {
  const message = `Too large resource version: ${revision}, current: ${current}`;
  return failure(504, "Timeout", `Timeout: ${message}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

/** Source: apiserver pkg/storage/etcd3/errors.go */
function continueExpired(after: string): StatusError {
  const error = expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the " +
      "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing " +
      "with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the " +
      "time the first chunk was returned and now may show up in the list.",
  );
  return new StatusError({ ...error.status, metadata: { continue: encodeContinue({ revision: -1, after }) } });
}
