/** Whether a node is one that a pod asks for. Source: component-helpers scheduling/corev1/nodeaffinity. */
import { hasLabels, type Node, type NodeSelectorTerm, type Pod } from "@flotilla/objects";

type Requirement = NonNullable<NodeSelectorTerm["matchExpressions"]>[number];

function fulfils(
  { key, operator, values = [] }: Requirement,
  facts: Readonly<Record<string, string>> | undefined,
): boolean {
  const value = facts?.[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** All parts of a term must hold; a term without parts matches nothing. */
function termMatches({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { "metadata.name": node.metadata.name };
  return (
    matchExpressions.every((each) => fulfils(each, node.metadata.labels)) &&
    matchFields.every((each) => fulfils(each, fields))
  );
}

/** The node selector and the required node affinity, of which one term is enough. */
export function isWanted(pod: Pod, node: Node): boolean {
  if (!hasLabels(node.metadata.labels, pod.spec.nodeSelector ?? {})) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || (required.nodeSelectorTerms ?? []).some((term) => termMatches(term, node));
}

/** The weights of the preferences that the node fulfils, as a part of all weights. */
export function preference(pod: Pod, node: Node): number {
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const all = terms.reduce((sum, { weight }) => sum + weight, 0);
  const met = terms
    .filter((term) => term.preference && termMatches(term.preference, node))
    .reduce((sum, { weight }) => sum + weight, 0);
  return all === 0 ? 0 : met / all;
}
