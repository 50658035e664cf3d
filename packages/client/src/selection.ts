/** What a selection means for an object at hand. */
import {
  type KubeObject,
  matchesFields,
  matchesRequirements,
  parseFieldSelector,
  parseLabelSelector,
} from "@flotilla/objects";
import type { Selection } from "./api.ts";

export type Selects = (object: KubeObject) => boolean;

/** Field names are taken as paths into the object, which holds for all that Kubernetes can select by. */
export function selectionMatcher({ namespace, labelSelector, fieldSelector }: Selection): Selects {
  const labels = labelSelector ? parseLabelSelector(labelSelector) : undefined;
  const fields = fieldSelector ? parseFieldSelector(fieldSelector) : undefined;
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (labels === undefined || matchesRequirements(labels, object.metadata.labels)) &&
    (fields === undefined || matchesFields(fields, (path) => textAt(object, path)));
}

function textAt(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null) return "";
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value === undefined || value === null ? "" : String(value);
}
