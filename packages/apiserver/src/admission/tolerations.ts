/** Pods stay five minutes on a node that has gone silent, unless they say otherwise. Source: kubernetes plugin/pkg/admission/defaulttolerationseconds */
import { type Pod, resourceName } from "@flotilla/objects";
import type { AdmissionStep } from "./request.ts";

const seconds = 300;
const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

export const addTolerations: AdmissionStep = ({ operation, resource, subresource, object }) => {
  if (resourceName(resource) !== "pods" || operation === "DELETE" || subresource) return;
  const { spec } = object as Pod;
  const own = spec.tolerations ?? [];
  const missing = taints.filter(
    (taint) => !own.some(({ key, effect }) => (!key || key === taint) && (!effect || effect === "NoExecute")),
  );
  if (missing.length === 0) return;
  spec.tolerations = [
    ...own,
    ...missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds })),
  ] as NonNullable<typeof spec.tolerations>;
};
