/** Taints of nodes, and the pods that bear them. Source: k8s.io/api core/v1 toleration.go. */
import type { Node, Pod, Taint, Toleration } from "@flotilla/objects";

export const tolerates = (toleration: Toleration, taint: Taint): boolean =>
  (!toleration.effect || toleration.effect === taint.effect) &&
  (!toleration.key || toleration.key === taint.key) &&
  (toleration.operator === "Exists" || (toleration.value ?? "") === (taint.value ?? "")) &&
  // Without a key, only Exists means every taint.
  (Boolean(toleration.key) || toleration.operator === "Exists");

export const toleration = (pod: Pod, taint: Taint): Toleration | undefined =>
  pod.spec.tolerations?.find((each) => tolerates(each, taint));

/** The first taint that keeps the pod off the node. */
export const untolerated = (pod: Pod, node: Node): Taint | undefined =>
  node.spec?.taints?.find(
    ({ effect, ...rest }) =>
      (effect === "NoSchedule" || effect === "NoExecute") && !toleration(pod, { effect, ...rest }),
  );

/** Taints that should rather be avoided. */
export const disliked = (pod: Pod, node: Node): number =>
  node.spec?.taints?.filter((taint) => taint.effect === "PreferNoSchedule" && !toleration(pod, taint)).length ?? 0;
