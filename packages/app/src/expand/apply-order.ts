/** The order in which objects are applied: first what others refer to, last what sends requests to them. */
import type { Step } from "./plan.ts";

const order = [
  "CustomResourceDefinition",
  "Namespace",
  "ResourceQuota",
  "LimitRange",
  "ServiceAccount",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "NetworkPolicy",
  "Secret",
  "ConfigMap",
  "PersistentVolumeClaim",
  "Service",
  // Whatever is not named here.
  "",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "Deployment",
  "CronJob",
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
  "HTTPRoute",
];

const rank = (kind: string): number => (order.includes(kind) ? order.indexOf(kind) : order.indexOf(""));

/** Stable: objects of one kind stay in the order of the model. */
export const applyOrder = (steps: readonly Step[]): Step[] =>
  [...steps].sort((left, right) => rank(left.object.kind) - rank(right.object.kind));
