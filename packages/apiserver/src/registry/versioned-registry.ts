/** A registry that serves every version of an object over one that knows the stored version only. */
import type { ListOptions, ObjectList } from "@flotilla/client";
import {
  apiVersionOf,
  badRequest,
  formatFieldSelector,
  isConflict,
  type KubeObject,
  parseFieldSelector,
  type Resource,
} from "@flotilla/objects";
import type { Registry, RequestContext, Target } from "../registry.ts";
import { takeIn } from "./intake.ts";
import { type PatchBody, patched } from "./patching.ts";
import { type Conversion, conversionOf } from "./versions.ts";

/** How often a patch in a version that is not the stored one meets somebody else's write before it gives up. */
const attempts = 5;

export function versionedRegistry(inner: Registry): Registry {
  const conversion = (resource: Resource) => {
    const served = inner.resource(resource.group, resource.version, resource.plural);
    return served && conversionOf(served, inner.resource);
  };
  const options = <T extends ListOptions>(each: Conversion, given: T): T =>
    given.fieldSelector
      ? {
          ...given,
          fieldSelector: formatFieldSelector(
            parseFieldSelector(given.fieldSelector).map((term) => ({ ...term, field: each.field(term.field) })),
          ),
        }
      : given;
  const taken = (resource: Resource, each: Conversion, object: KubeObject, context: RequestContext) =>
    each.toStored(takeIn(resource, object, context));
  const shown = (each: Conversion, object: KubeObject) =>
    object.apiVersion === apiVersionOf(each.stored) ? each.fromStored(object) : object;
  const list = (resource: Resource, each: Conversion, answer: ObjectList): ObjectList => ({
    ...answer,
    apiVersion: apiVersionOf(resource),
    items: answer.items.map((object) => shown(each, object)),
  });

  return {
    ...inner,
    get(resource, key, more) {
      const each = conversion(resource);
      return each ? shown(each, inner.get(each.stored, key, more)) : inner.get(resource, key, more);
    },
    list(resource, given = {}) {
      const each = conversion(resource);
      return each ? list(resource, each, inner.list(each.stored, options(each, given))) : inner.list(resource, given);
    },
    watch(resource, given, listener) {
      const each = conversion(resource);
      if (!each) return inner.watch(resource, given, listener);
      return inner.watch(each.stored, options(each, given), {
        next: ({ type, object }) =>
          listener.next({
            type,
            object: type === "BOOKMARK" ? { ...object, apiVersion: apiVersionOf(resource) } : shown(each, object),
          }),
        end: (error) => listener.end(error),
      });
    },
    async create(target, object, context) {
      const each = conversion(target.resource);
      if (!each || target.subresource) return inner.create(target, object, context);
      const stored = taken(target.resource, each, object, context);
      return shown(each, await inner.create({ ...target, resource: each.stored }, stored, context));
    },
    async update(target, object, context) {
      const each = conversion(target.resource);
      if (!each || target.subresource === "scale") return inner.update(target, object, context);
      const stored = taken(target.resource, each, object, context);
      const answer = await inner.update({ ...target, resource: each.stored }, stored, context);
      return { ...answer, object: shown(each, answer.object) };
    },
    async patch(target, patch, context) {
      const each = conversion(target.resource);
      if (!each || target.subresource === "scale") return inner.patch(target, patch, context);
      return patchShown(target, each, patch, context);
    },
    async delete(target, more, context) {
      const each = conversion(target.resource);
      if (!each) return inner.delete(target, more, context);
      const answer = await inner.delete({ ...target, resource: each.stored }, more, context);
      return { ...answer, object: shown(each, answer.object) };
    },
    async deleteCollection(resource, selection, more, context) {
      const each = conversion(resource);
      if (!each) return inner.deleteCollection(resource, selection, more, context);
      return list(resource, each, await inner.deleteCollection(each.stored, options(each, selection), more, context));
    },
  };

  /** The patch speaks of the object as its version shows it, so it is read, patched and written back. */
  async function patchShown(target: Target, each: Conversion, patch: PatchBody, context: RequestContext) {
    const { resource } = target;
    const stored = { ...target, resource: each.stored };
    if (patch.type === "apply") {
      if (typeof patch.body !== "object" || patch.body === null)
        throw badRequest("an applied configuration must be an object");
      const body = taken(resource, each, patch.body as KubeObject, context);
      const answer = await inner.patch(stored, { ...patch, body }, context);
      return { ...answer, object: shown(each, answer.object) };
    }
    for (let attempt = 1; ; attempt++) {
      const before = shown(each, inner.get(each.stored, target));
      const object = taken(resource, each, patched(resource, before, patch) as KubeObject, context);
      try {
        const answer = await inner.update(stored, object, context);
        return { ...answer, object: shown(each, answer.object) };
      } catch (error) {
        const own = object.metadata.resourceVersion === before.metadata.resourceVersion;
        if (!isConflict(error) || !own || attempt === attempts) throw error;
      }
    }
  }
}
