/**
 * Keeps as many pods as each ReplicaSet asks for: adopts matching orphans, releases what no longer matches, creates and
 * deletes the difference.
 *
 * Source: kubernetes pkg/controller/replicaset; pods to delete are chosen as there (see pod-rank.ts).
 */
import {
  type Controller,
  create,
  type Failure,
  ownedOrMatchedBy,
  remove,
  status,
  together,
  watch,
  watchMatching,
} from "@flotilla/client";
import {
  hasLabels,
  isActive,
  isAvailable,
  isConflict,
  isDeleted,
  isReady,
  newObject,
  type Pod,
  Pods,
  type ReplicaSet,
  type ReplicaSetCondition,
  type ReplicaSetStatus,
  ReplicaSets,
  timeOf,
} from "@flotilla/objects";
import { compact } from "./canonical.ts";
import { claim } from "./claim.ts";
import { withCondition, withoutCondition } from "./condition.ts";
import { failureEvents, isAboutPods, podEvents } from "./failure.ts";
import { freeNames } from "./name-hash.ts";
import { madeFrom } from "./owner.ts";
import { surplus } from "./pod-rank.ts";
import { availableIn } from "./pod-state.ts";
import { soonest } from "./timestamp.ts";

export interface ObservedSet {
  readonly set: ReplicaSet;
  readonly pods: readonly Pod[];
}

/** No look creates or deletes more than this, so that one large set does not starve the others. */
const burst = 500;

export const replicaSetController: Controller<ObservedSet> = {
  name: "replicaset",
  watches: [watch(ReplicaSets), watchMatching(Pods, ReplicaSets)],

  observe(key, cache) {
    const set = cache.get(ReplicaSets, key);
    return set && { set, pods: cache.list(Pods, ownedOrMatchedBy(set)) };
  },

  decide({ set, pods }, { now, failures }) {
    const { mine, adopt, release } = claim(set, pods);
    const active = mine.filter(isActive);
    const missing = isDeleted(set) ? 0 : (set.spec.replicas ?? 1) - active.length;
    const made = newPods(set, pods, Math.min(missing, burst));
    const given = surplus(active, Math.min(-missing, burst), now);
    const minReady = set.spec.minReadySeconds ?? 0;
    return {
      writes: [
        ...adopt,
        ...release,
        // The status comes first where pods are refused: it says why.
        status(set, replicaStatus(set, active, failures, now)),
        together(made.map((pod) => create(Pods, pod))),
        // What was just adopted has changed: which to delete is decided at the next look.
        together(adopt.length > 0 ? [] : given.map((pod) => remove(pod))),
      ],
      events: [...failureEvents(set, failures), ...podEvents(set, made, adopt.length > 0 ? [] : given)],
      lookAgainIn: soonest(active.map((pod) => availableIn(pod, minReady, now))),
    };
  },
};

function newPods(set: ReplicaSet, existing: readonly Pod[], count: number): Pod[] {
  if (count <= 0) return [];
  const owner = { name: set.metadata.name, uid: set.metadata.uid ?? "" };
  const template = set.spec.template;
  if (!template?.spec) return [];
  const spec = template.spec;
  return freeNames(owner, new Set(existing.map((pod) => pod.metadata.name)), count).map((name) =>
    newObject(Pods, {
      metadata: { ...madeFrom(set, ReplicaSets, template, name), generateName: `${owner.name}-` },
      spec,
    }),
  );
}

function replicaStatus(
  set: ReplicaSet,
  active: readonly Pod[],
  failures: readonly Failure[],
  now: Date,
): ReplicaSetStatus {
  const labels = set.spec.template?.metadata?.labels;
  const conditions = replicaFailure(set, active.length, failures, now);
  return compact<ReplicaSetStatus>(
    {
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) => hasLabels(pod.metadata.labels, labels ?? {})).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: active.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)).length,
      observedGeneration: set.metadata.generation,
      ...(conditions.length > 0 && { conditions }),
    },
    "replicas",
  );
}

function replicaFailure(
  set: ReplicaSet,
  active: number,
  failures: readonly Failure[],
  now: Date,
): ReplicaSetCondition[] {
  const conditions = set.status?.conditions ?? [];
  const failure = failures.find((one) => isAboutPods(one) && !isConflict(one.error));
  if (!failure) return withoutCondition(conditions, "ReplicaFailure");
  const difference = active - (set.spec.replicas ?? 1);
  return withCondition(conditions, {
    type: "ReplicaFailure",
    status: "True",
    lastTransitionTime: timeOf(now),
    reason: difference < 0 ? "FailedCreate" : "FailedDelete",
    message: failure.error.message,
  });
}
