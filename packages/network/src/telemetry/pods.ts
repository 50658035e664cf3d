/** Who the pods are, by their addresses: to name who asks and who answers. Pure. */
import { controllerOf, isTerminal, type Pod } from "@flotilla/objects";
import type { TablePod } from "../table.ts";

/** Those on the node's own network are left out: their address is everybody's. */
export function podsByAddress(pods: readonly Pod[]): Record<string, TablePod> {
  const found: Record<string, TablePod> = {};
  for (const pod of pods) {
    const address = pod.status?.podIP;
    if (!address || pod.spec.hostNetwork || isTerminal(pod)) continue;
    found[address] = identityOf(pod);
  }
  return found;
}

export const sameIdentity = (before: Pod | undefined, after: Pod | undefined): boolean =>
  signature(before) === signature(after);

const signature = (pod: Pod | undefined): string => JSON.stringify(podsByAddress(pod ? [pod] : []));

function identityOf(pod: Pod): TablePod {
  const { namespace = "", name, labels = {} } = pod.metadata;
  return {
    namespace,
    name,
    service: labels["app.kubernetes.io/name"] || ownerOf(pod) || name,
    version: labels["app.kubernetes.io/version"] ?? "",
  };
}

/** The name that a user gave: a ReplicaSet's without what its Deployment added. */
function ownerOf(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  const hash = pod.metadata.labels?.["pod-template-hash"];
  return hash && owner?.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner?.name;
}
