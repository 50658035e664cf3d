/** Label and field selectors of a request as one predicate on objects. */
import type { Selection } from "@flotilla/client";
import {
  badRequest,
  type KubeObject,
  matchesFields,
  matchesRequirements,
  parseFieldSelector,
  parseLabelSelector,
  type Resource,
} from "@flotilla/objects";
import { rulesFor } from "./rules-for.ts";
import { skeleton } from "./skeleton.ts";

export interface Selector {
  matches(object: KubeObject): boolean;
  /** Everything matches. */
  readonly everything: boolean;
}

const everything: Selector = { matches: () => true, everything: true };

/** Throws a BadRequest for selectors that cannot be read and for fields that the kind cannot be selected by. */
export function selectorOf(resource: Resource, selection: Selection): Selector {
  const labels = selection.labelSelector ? parseLabelSelector(selection.labelSelector) : [];
  const fields = selection.fieldSelector ? parseFieldSelector(selection.fieldSelector) : [];
  if (labels.length === 0 && fields.length === 0) return everything;
  const known = fields.length > 0 ? new Set(Object.keys(fieldsOf(resource, skeleton(resource)))) : new Set();
  for (const { field } of fields)
    if (!known.has(field))
      throw badRequest(
        `Unable to find "${resource.group}/${resource.version}, Resource=${resource.plural}" ` +
          `that match label selector "${selection.labelSelector ?? ""}", field selector "${selection.fieldSelector ?? ""}": ` +
          `field label not supported: ${field}`,
      );
  return {
    everything: false,
    matches(object) {
      if (labels.length > 0 && !matchesRequirements(labels, object.metadata.labels)) return false;
      if (fields.length === 0) return true;
      const values = fieldsOf(resource, object);
      return matchesFields(fields, (field) => values[field] ?? "");
    },
  };
}

const fieldsOf = (resource: Resource, object: KubeObject): Record<string, string> => ({
  ...rulesFor(resource).fields?.(object),
  "metadata.name": object.metadata.name,
  ...(resource.namespaced ? { "metadata.namespace": object.metadata.namespace ?? "" } : {}),
});
