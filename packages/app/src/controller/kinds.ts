/** The kinds that an App becomes: what the controller watches, applies and prunes. */
import {
  ConfigMaps,
  CronJobs,
  DaemonSets,
  Deployments,
  HorizontalPodAutoscalers,
  HTTPRoutes,
  Jobs,
  type KubeObject,
  kindOf,
  NetworkPolicies,
  PersistentVolumeClaims,
  PodDisruptionBudgets,
  parseApiVersion,
  type Resource,
  RoleBindings,
  Roles,
  Secrets,
  ServiceAccounts,
  ServiceLevelObjectives,
  Services,
  StatefulSets,
} from "@flotilla/objects";
import { Clusters } from "../expand/backing/postgres.ts";
import { annotation } from "../expand/context.ts";
import type { Step } from "../expand/plan.ts";
import { PrometheusRules } from "../expand/rules.ts";

export const producedKinds: readonly Resource[] = [
  ServiceAccounts,
  Roles,
  RoleBindings,
  NetworkPolicies,
  Secrets,
  ConfigMaps,
  PersistentVolumeClaims,
  Services,
  StatefulSets,
  DaemonSets,
  Jobs,
  Deployments,
  CronJobs,
  HorizontalPodAutoscalers,
  PodDisruptionBudgets,
  HTTPRoutes,
  ServiceLevelObjectives,
] as readonly Resource[];

/** What pods come from. */
export const isWorkload = ({ kind }: KubeObject): boolean =>
  ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Cluster"].includes(kind);

/** Data and the keys to it outlive the App: they are neither owned nor pruned. */
export const isKept = (object: KubeObject): boolean =>
  object.kind === "PersistentVolumeClaim" ||
  (object.kind === "Cluster" && object.apiVersion === "postgresql.cnpg.io/v1") ||
  (object.kind === "Secret" && object.metadata.annotations?.[annotation.generate] !== undefined);

/** Where an object lives. Kinds that no table knows are described by a CustomResourceDefinition among the manifests. */
export function resourceFor(object: KubeObject, steps: readonly Step[]): Resource | undefined {
  const known = kindOf(object.apiVersion, object.kind);
  if (known) return known;
  if (object.kind === Clusters.kind && object.apiVersion.startsWith(Clusters.group)) return Clusters;
  if (object.kind === PrometheusRules.kind && object.apiVersion.startsWith(PrometheusRules.group))
    return PrometheusRules;
  const { group, version } = parseApiVersion(object.apiVersion);
  for (const { object: definition } of steps) {
    if (definition.kind !== "CustomResourceDefinition") continue;
    const { spec } = definition as KubeObject & { spec: Definition };
    if (spec.group !== group || spec.names.kind !== object.kind) continue;
    const { plural, kind } = spec.names;
    const namespaced = spec.scope === "Namespaced";
    return {
      group,
      version,
      kind,
      plural,
      singular: kind.toLowerCase(),
      shortNames: [],
      categories: [],
      namespaced,
      subresources: [],
    };
  }
  return undefined;
}

interface Definition {
  group: string;
  scope: string;
  names: { kind: string; plural: string };
}
