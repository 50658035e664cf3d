/** A new node takes pods only once it is known to be ready. Source: kubernetes plugin/pkg/admission/nodetaint */
import { type Node, resourceName } from "@flotilla/objects";
import type { AdmissionStep } from "./request.ts";

const taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

export const taintNewNode: AdmissionStep = ({ operation, resource, object }) => {
  if (resourceName(resource) !== "nodes" || operation !== "CREATE") return;
  const node = object as Node;
  const taints = node.spec?.taints ?? [];
  if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect)) return;
  node.spec = { ...node.spec, taints: [...taints, { ...taint }] } as Node["spec"];
};
