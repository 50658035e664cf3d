/** The verbs of the API, put together. Each write is one transaction on the store. */
import {
  badRequest,
  type KubeObject,
  methodNotAllowed,
  noSuchPath,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import type { Registry, RequestContext, Target } from "../registry.ts";
import { createObject } from "./creating.ts";
import { deleteObject } from "./deleting.ts";
import { keyOf, type Parts, type Place, type Writing } from "./parts.ts";
import { patchObject } from "./patching.ts";
import { getObject, listObjects } from "./reading.ts";
import { bindPod } from "./subresources/binding.ts";
import { evictPod } from "./subresources/eviction.ts";
import { patchScale, scaleOf, updateScale } from "./subresources/scale.ts";
import { requestToken } from "./subresources/token.ts";
import { updateObject } from "./updating.ts";
import { watchObjects } from "./watching.ts";

/** Subresources that are the object itself, of which a write changes one part. */
const partsOfObject = new Set(["status", "finalize", "approval"]);

export function createRegistry(parts: Parts): Registry {
  const { store, served } = parts;

  const write = <T>(context: RequestContext, run: (writing: Writing) => T): Promise<T> =>
    store.transact((transaction) => run({ parts, transaction, context }), { dryRun: context.dryRun });

  return {
    resources: () => served.all(),
    resource: (group, version, plural) => served.find(group, version, plural),
    onResourcesChange: (run) => served.onChange(run),

    get(resource, key, options) {
      const object = getObject(parts, resource, key, options?.resourceVersion);
      if (!options?.subresource) return object;
      const served = mustHave(parts, resource, options.subresource);
      if (options.subresource === "scale") return scaleOf(served, object);
      if (partsOfObject.has(options.subresource)) return object;
      throw methodNotAllowed(subresourceOf(served, options.subresource), "get");
    },
    list: (resource, options) => listObjects(parts, resource, options),
    watch: (resource, options, listener) => watchObjects(parts, resource, options, listener),

    async create(target, object, context) {
      const resource = served.mustServe(target.resource, "create");
      if (resource.group === "" && resource.plural === "bindings")
        return write(context, (writing) => bindPod(writing, nameIn(target, object), object));
      if (!target.subresource)
        return write(context, (writing) => createObject(writing, { ...target, resource }, object));
      mustHave(parts, resource, target.subresource);
      const place = nameIn(target, object);
      switch (`${resource.plural}/${target.subresource}`) {
        case "pods/binding":
          return write(context, (writing) => bindPod(writing, place, object));
        case "pods/eviction":
          return evict(object, context, place);
        case "serviceaccounts/token":
          return requestToken(parts, place, object);
        default:
          throw methodNotAllowed(subresourceOf(resource, target.subresource), "create");
      }
    },

    async update(target, object, context) {
      const place = placeOf(target, "update");
      if (target.subresource === "scale")
        return write(context, (writing) => ({ object: updateScale(writing, place, object), created: false }));
      return write(context, (writing) => updateObject(writing, place, object, target.subresource));
    },

    async patch(target, patch, context) {
      const place = placeOf(target, "patch");
      if (target.subresource === "scale")
        return write(context, (writing) => ({ object: patchScale(writing, place, patch), created: false }));
      return write(context, (writing) => patchObject(writing, place, patch, target.subresource));
    },

    async delete(target, options, context) {
      const resource = served.mustServe(target.resource, "delete");
      if (target.subresource) throw methodNotAllowed(subresourceOf(resource, target.subresource), "delete");
      return write(context, (writing) => deleteObject(writing, { ...target, resource }, options));
    },

    async deleteCollection(given, selection, options, context) {
      const resource = served.mustServe(given, "deletecollection");
      return write(context, (writing) => {
        const list = listObjects(parts, resource, selection);
        const items: KubeObject[] = [];
        for (const { metadata } of list.items) {
          const place = { resource, namespace: metadata.namespace, name: metadata.name };
          // Somebody else may have deleted it in this turn.
          if (!writing.transaction.get(resourceName(resource), keyOf(metadata.namespace, metadata.name))) continue;
          items.push(deleteObject(writing, place, options).object);
        }
        return { ...list, items };
      });
    },
  };

  function placeOf(target: Target, verb: string): Place {
    const resource = served.mustServe(target.resource, verb);
    if (target.subresource) {
      mustHave(parts, resource, target.subresource);
      if (target.subresource !== "scale" && !partsOfObject.has(target.subresource))
        throw methodNotAllowed(subresourceOf(resource, target.subresource), verb);
    }
    return { resource, namespace: resource.namespaced ? target.namespace : undefined, name: target.name };
  }

  function evict(object: KubeObject, context: RequestContext, place: Omit<Place, "resource">): Promise<KubeObject> {
    const { deleteOptions } = object as KubeObject & { deleteOptions?: { dryRun?: string[] } };
    const dryRun = context.dryRun || deleteOptions?.dryRun?.includes("All") === true;
    return write({ ...context, dryRun }, (writing) => evictPod(writing, place, object));
  }
}

/** Of what a subresource's object speaks: the name on the URL, else the one it carries itself. */
function nameIn(target: { namespace?: string; name?: string }, object: KubeObject): Omit<Place, "resource"> {
  const name = target.name ?? object.metadata?.name;
  if (!name) throw badRequest("name is required");
  return { namespace: target.namespace ?? object.metadata?.namespace, name };
}

const subresourceOf = (resource: Resource, subresource: string) => ({
  group: resource.group,
  plural: `${resource.plural}/${subresource}`,
});

function mustHave(parts: Parts, given: Resource, subresource: string): Resource {
  const resource = parts.served.mustServe(given);
  if (!resource.subresources.includes(subresource)) throw noSuchPath();
  return resource;
}
