/**
 * Says of each PodDisruptionBudget how many pods may be evicted now.
 *
 * Source: kubernetes pkg/controller/disruption. The expected number of pods comes from the scale of their owners.
 */

import type { Cache, Key } from "@flotilla/client";
import { type Controller, status, watch, watchMapped } from "@flotilla/client";
import {
  controllerOf,
  type Deployment,
  Deployments,
  isDeleted,
  isReady,
  isTerminal,
  type KubeObject,
  matchesSelector,
  type Pod,
  type PodDisruptionBudget,
  PodDisruptionBudgets,
  Pods,
  ReplicaSets,
  StatefulSets,
  setCondition,
} from "@flotilla/objects";
import { scaled } from "./int-or-percent.ts";
import { millis, soonest } from "./timestamp.ts";

export interface ObservedBudget {
  readonly budget: PodDisruptionBudget;
  readonly pods: readonly Pod[];
  /** What the owners of these pods want together. */
  readonly expected: number;
}

/** An eviction that was granted is believed to come for so long (ms). */
const evictionPatience = 120_000;

const budgetsOf = (pod: Pod, cache: Cache): Key[] =>
  cache
    .list(PodDisruptionBudgets, { namespace: pod.metadata.namespace })
    .filter((budget) => matchesSelector(budget.spec?.selector, pod.metadata.labels))
    .map(({ metadata: { namespace, name } }) => ({ namespace, name }));

const inNamespace = (object: KubeObject, cache: Cache): Key[] =>
  cache
    .list(PodDisruptionBudgets, { namespace: object.metadata.namespace })
    .map(({ metadata: { namespace, name } }) => ({ namespace, name }));

export const disruptionBudgetController: Controller<ObservedBudget> = {
  name: "disruption",
  watches: [
    watch(PodDisruptionBudgets),
    watchMapped(Pods, budgetsOf),
    watchMapped(Deployments, inNamespace),
    watchMapped(ReplicaSets, inNamespace),
    watchMapped(StatefulSets, inNamespace),
  ],

  observe(key, cache) {
    const budget = cache.get(PodDisruptionBudgets, key);
    if (!budget) return undefined;
    const { namespace } = key;
    const pods = cache.list(Pods, {
      namespace,
      where: (pod) => !isTerminal(pod) && matchesSelector(budget.spec?.selector, pod.metadata.labels),
    });
    return { budget, pods, expected: expectedOf(pods, cache) };
  },

  decide({ budget, pods, expected }, { now }) {
    const { minAvailable, maxUnavailable } = budget.spec ?? {};
    // Where only a number is wanted, pods without an owner count as themselves.
    const total = typeof minAvailable === "number" ? pods.length : expected;
    const desired =
      maxUnavailable !== undefined
        ? Math.max(0, expected - scaled(maxUnavailable, expected, "up"))
        : scaled(minAvailable ?? 0, expected, "up");
    const granted = Object.entries(budget.status?.disruptedPods ?? {}).filter(
      ([name, time]) =>
        millis(time) + evictionPatience > now.getTime() &&
        pods.some((pod) => pod.metadata.name === name && !isDeleted(pod)),
    );
    const leaving = new Set(granted.map(([name]) => name));
    const healthy = pods.filter((pod) => isReady(pod) && !isDeleted(pod) && !leaving.has(pod.metadata.name)).length;
    const disruptionsAllowed = Math.max(0, healthy - desired);
    const allowed = disruptionsAllowed > 0;
    return {
      writes: [
        status(budget, {
          ...(leaving.size > 0 && { disruptedPods: Object.fromEntries(granted) }),
          observedGeneration: budget.metadata.generation,
          disruptionsAllowed,
          currentHealthy: healthy,
          desiredHealthy: desired,
          expectedPods: total,
          conditions: setCondition(
            budget.status?.conditions,
            {
              type: "DisruptionAllowed",
              status: allowed ? "True" : "False",
              reason: allowed ? "SufficientPods" : "InsufficientPods",
              message: "",
              observedGeneration: budget.metadata.generation,
            },
            now,
          ) as NonNullable<PodDisruptionBudget["status"]>["conditions"],
        }),
      ],
      lookAgainIn: soonest(granted.map(([, time]) => millis(time) + evictionPatience - now.getTime())),
    };
  },
};

/** The replicas that the owners of the pods want: of the Deployment above a ReplicaSet, of the set itself, else one a pod. */
function expectedOf(pods: readonly Pod[], cache: Cache): number {
  const owners = new Map<string, number>();
  let alone = 0;
  for (const pod of pods) {
    const { namespace } = pod.metadata;
    const reference = controllerOf(pod);
    const kind =
      reference?.kind === "StatefulSet" ? StatefulSets : reference?.kind === "ReplicaSet" ? ReplicaSets : undefined;
    const set = reference && kind && cache.get<KubeObject>(kind, { namespace, name: reference.name });
    if (!set) {
      alone++;
      continue;
    }
    const above = controllerOf(set);
    const deployment =
      above?.kind === "Deployment" ? cache.get(Deployments, { namespace, name: above.name }) : undefined;
    const owner = (deployment ?? set) as Deployment;
    owners.set(owner.metadata.uid ?? "", owner.spec.replicas ?? 1);
  }
  return [...owners.values()].reduce((sum, replicas) => sum + replicas, alone);
}
