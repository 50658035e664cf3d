/** What one object counts against a ResourceQuota. Source: kubernetes pkg/quota/v1/evaluator/core */
import {
  isActive,
  isTerminal,
  type KubeObject,
  type PersistentVolumeClaim,
  type Pod,
  podRequests,
  type Quantity,
  type Resource,
  resourceName,
  type Service,
} from "@flotilla/objects";
import { podLimits } from "./limit-range.ts";

export type Usage = Record<string, Quantity>;

/** Kinds with a short name of their own in quotas; all others count as "count/<plural>.<group>". */
const shortNames = new Set([
  "pods",
  "services",
  "configmaps",
  "secrets",
  "persistentvolumeclaims",
  "replicationcontrollers",
  "resourcequotas",
]);

export function usageOf(resource: Resource, object: KubeObject): Usage {
  const name = resourceName(resource);
  const usage: Usage = { [`count/${name}`]: 1 };
  if (name === "pods") return { ...usage, ...podUsage(object as Pod) };
  if (shortNames.has(name)) usage[name] = 1;
  if (name === "services") Object.assign(usage, serviceUsage(object as Service));
  if (name === "persistentvolumeclaims") Object.assign(usage, claimUsage(object as PersistentVolumeClaim));
  return usage;
}

/** A pod that has ended uses nothing any more. */
function podUsage(pod: Pod): Usage {
  if (isTerminal(pod)) return {};
  const usage: Usage = { pods: 1 };
  for (const [name, amount] of Object.entries(podRequests(pod))) {
    usage[`requests.${name}`] = amount;
    if (name === "cpu" || name === "memory" || name === "ephemeral-storage") usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(podLimits(pod))) usage[`limits.${name}`] = amount;
  return usage;
}

function serviceUsage({ spec }: Service): Usage {
  const nodePorts = spec.ports?.filter(({ nodePort }) => nodePort).length ?? 0;
  return {
    "services.nodeports": nodePorts,
    "services.loadbalancers": spec.type === "LoadBalancer" ? 1 : 0,
  };
}

function claimUsage({ spec }: PersistentVolumeClaim): Usage {
  const storage = spec.resources?.requests?.storage ?? 0;
  const className = spec.storageClassName;
  return {
    "requests.storage": storage,
    ...(className
      ? {
          [`${className}.storageclass.storage.k8s.io/requests.storage`]: storage,
          [`${className}.storageclass.storage.k8s.io/persistentvolumeclaims`]: 1,
        }
      : {}),
  };
}

/** Amounts that every container must state where a quota bounds them. */
export function unstated(resource: Resource, object: KubeObject, bounded: readonly string[]): string[] {
  if (resourceName(resource) !== "pods") return [];
  const { containers } = (object as Pod).spec;
  const mistakes: string[] = [];
  for (const name of bounded) {
    const [, kind = "requests", amount] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(name) ?? [];
    if (!amount) continue;
    const silent = containers.filter(({ resources }) => {
      const stated = kind === "limits" ? resources?.limits : resources?.requests;
      return stated?.[amount] === undefined;
    });
    if (silent.length > 0) mistakes.push(`${name} for: ${silent.map((container) => container.name).join(",")}`);
  }
  return mistakes;
}

/** Source: kubernetes pkg/apis/core (ResourceQuotaScope) */
export function inScope(scope: string, resource: Resource, object: KubeObject): boolean {
  if (resourceName(resource) !== "pods") return false;
  const pod = object as Pod;
  const terminating = pod.spec.activeDeadlineSeconds !== undefined && pod.spec.activeDeadlineSeconds >= 0;
  if (scope === "Terminating") return terminating;
  if (scope === "NotTerminating") return !terminating;
  const bestEffort = Object.keys({ ...podRequests(pod), ...podLimits(pod) }).length === 0;
  if (scope === "BestEffort") return bestEffort;
  if (scope === "NotBestEffort") return !bestEffort;
  return scope === "PriorityClass" ? pod.spec.priorityClassName !== undefined : isActive(pod);
}
