/** Whose an object is: the index that answers it, and the query for what an owner controls or may adopt. */
import { controllerOf, hasLabels, type KubeObject, type LabelSelector, matchesSelector } from "@flotilla/objects";
import type { Index, Query } from "./controller.ts";

const orphansOf = (namespace: string | undefined) => `orphans/${namespace ?? ""}`;

/** Objects by the uid of their controller; those without one by namespace. */
export const byOwner: Index = {
  name: "owner",
  values: (object) => [controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace)],
};

/** Objects by the uid of every owner, whether or not it is the controller. */
export const byAnyOwner: Index = {
  name: "any-owner",
  values: (object) => object.metadata.ownerReferences?.map((owner) => owner.uid) ?? [],
};

/** What `owner` controls. */
export const ownedBy = (owner: KubeObject): Query => ({
  namespace: owner.metadata.namespace,
  index: { by: byOwner, value: owner.metadata.uid ?? "" },
});

/** What `owner` controls, and the orphans of its namespace that its selector matches. */
export const ownedOrMatchedBy = (owner: KubeObject): Query => ({
  namespace: owner.metadata.namespace,
  index: { by: byOwner, value: [owner.metadata.uid ?? "", orphansOf(owner.metadata.namespace)] },
  where: (object) => controllerOf(object) !== undefined || selects(owner, object),
});

/** Whether the `spec.selector` of `selecting` selects `object`. An absent or empty plain selector, and one in another namespace, select nothing. */
export function selects(selecting: KubeObject, object: KubeObject): boolean {
  if (selecting.metadata.namespace !== object.metadata.namespace) return false;
  const selector = (selecting as { spec?: { selector?: unknown } }).spec?.selector;
  if (typeof selector !== "object" || selector === null) return false;
  if (isLabelSelector(selector)) return matchesSelector(selector, object.metadata.labels);
  return Object.keys(selector).length > 0 && hasLabels(object.metadata.labels, selector as Record<string, string>);
}

/** Services and ReplicationControllers have a plain map of labels instead; its values are strings. */
const isLabelSelector = (selector: object): selector is LabelSelector =>
  ("matchLabels" in selector && typeof selector.matchLabels === "object") ||
  ("matchExpressions" in selector && Array.isArray(selector.matchExpressions));
