/**
 * Keeps pods with names, order and claims of their own: `web-0`, `web-1`, ... One after the other unless the policy is Parallel;
 * updates from the last to the first, down to the partition.
 *
 * Source: kubernetes pkg/controller/statefulset/stateful_set_control.go (updateStatefulSet).
 */
import {
  type Controller,
  create,
  type Key,
  keyOf,
  ownedOrMatchedBy,
  remove,
  status,
  type Write,
  watch,
  watchMapped,
  watchMatching,
} from "@flotilla/client";
import {
  type ControllerRevision,
  ControllerRevisions,
  isAvailable,
  isDeleted,
  isReady,
  isTerminal,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  Pods,
  type StatefulSet,
  type StatefulSetStatus,
  StatefulSets,
} from "@flotilla/objects";
import { compact } from "./canonical.ts";
import { claim } from "./claim.ts";
import { type History, history, outdated, templateOf } from "./controller-revision.ts";
import { failureEvents } from "./failure.ts";
import { availableIn } from "./pod-state.ts";
import {
  claimsOf,
  firstOrdinal,
  identified,
  isClaimFor,
  isInRange,
  missingClaims,
  ordinalOf,
  replicasOf,
  retained,
  revisionLabel,
  statefulPod,
} from "./stateful-pod.ts";
import { soonest } from "./timestamp.ts";

export interface ObservedStatefulSet {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  readonly claims: readonly PersistentVolumeClaim[];
}

export const statefulSetController: Controller<ObservedStatefulSet> = {
  name: "statefulset",
  watches: [
    watch(StatefulSets),
    watchMatching(Pods, StatefulSets),
    watchMatching(ControllerRevisions, StatefulSets),
    watchMapped(PersistentVolumeClaims, (each, cache): Key[] =>
      cache
        .list(StatefulSets, { namespace: each.metadata.namespace })
        .filter((set) => isClaimFor(set, each))
        .map(keyOf),
    ),
  ],

  observe(key, cache) {
    const set = cache.get(StatefulSets, key);
    return (
      set && {
        set,
        pods: cache.list(Pods, ownedOrMatchedBy(set)),
        revisions: cache.list(ControllerRevisions, ownedOrMatchedBy(set)),
        claims: cache.list(PersistentVolumeClaims, {
          namespace: key.namespace,
          where: (each) => isClaimFor(set, each),
        }),
      }
    );
  },

  decide({ set, pods, revisions, claims }, { now, failures }) {
    const owned = claim(set, pods, (pod) => ordinalOf(set, pod) >= 0);
    const past = claim(set, revisions);
    const kept = history(set, StatefulSets, past.mine, failures);
    const current = past.mine.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? kept.wanted;
    const state: State = { set, pods: owned.mine, claims, current, history: kept, now };
    const step = isDeleted(set) ? { writes: [] } : nextStep(state);
    const used = new Set([
      current.metadata.name,
      kept.wanted.metadata.name,
      ...owned.mine.map((pod) => pod.metadata.labels?.[revisionLabel] ?? ""),
    ]);
    return {
      writes: [
        ...owned.adopt,
        ...owned.release,
        ...past.adopt,
        ...(isDeleted(set) ? [] : kept.writes),
        // What was just adopted has changed: what else is to be done with it is decided at the next look.
        ...(owned.adopt.length > 0 ? [] : step.writes),
        status(set, statusOf(state, step.replaced)),
        ...(isDeleted(set) || kept.writes.length > 0 ? [] : outdated(set, kept, used)),
      ],
      events: failureEvents(set, failures),
      lookAgainIn: soonest(owned.mine.map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now))),
    };
  },
};

interface State {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly claims: readonly PersistentVolumeClaim[];
  readonly current: ControllerRevision;
  readonly history: History;
  readonly now: Date;
}

interface Step {
  readonly writes: readonly Write[];
  /** The pod that goes now in favour of the wanted revision. */
  readonly replaced?: Pod;
}

const partitionOf = (set: StatefulSet) => set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
const revisionIn = (pod: Pod) => pod.metadata.labels?.[revisionLabel];

const isHealthy = ({ set, now }: State, pod: Pod) =>
  pod.status?.phase === "Running" &&
  isReady(pod) &&
  isAvailable(pod, set.spec.minReadySeconds ?? 0, now) &&
  !isDeleted(pod);

function nextStep(state: State): Step {
  const { set } = state;
  const ordered = set.spec.podManagementPolicy !== "Parallel";
  const writes: Write[] = [];
  const byOrdinal = new Map(state.pods.map((pod) => [ordinalOf(set, pod), pod]));

  const replicas: Pod[] = [];
  for (let ordinal = firstOrdinal(set); ordinal < firstOrdinal(set) + replicasOf(set); ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (pod) replicas.push(pod);
    const blocked = keepReplica(state, pod, ordinal, writes, ordered);
    if (blocked && ordered) return { writes };
  }

  const condemned = state.pods
    .filter((pod) => !isInRange(set, ordinalOf(set, pod)))
    .sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a));
  for (const pod of condemned) writes.push(...retained(set, pod, state.claims));
  const firstUnhealthy = [...replicas, ...condemned.toReversed()].find((pod) => !isHealthy(state, pod));
  for (const pod of condemned) {
    if (isDeleted(pod)) {
      if (ordered) return { writes };
      continue;
    }
    if (ordered && !isHealthy(state, pod) && pod !== firstUnhealthy) return { writes };
    writes.push(remove(pod));
    if (ordered) return { writes };
  }
  if (writes.length > 0 || replicas.length < replicasOf(set)) return { writes };
  return updateStep(state, replicas);
}

/** Makes, replaces or waits for one replica; whether those after it must wait. */
function keepReplica(state: State, pod: Pod | undefined, ordinal: number, writes: Write[], ordered: boolean): boolean {
  const { set, claims } = state;
  if (!pod) {
    // A claim on its way out would take the new pod's data with it.
    if (claimsOf(set, claims, ordinal).some(isDeleted)) return true;
    writes.push(...missingClaims(set, claims, ordinal), create(Pods, newPod(state, ordinal)));
    return true;
  }
  if (isTerminal(pod)) {
    if (!isDeleted(pod)) writes.push(remove(pod));
    return true;
  }
  if (pod.status?.phase === "Pending") writes.push(...missingClaims(set, claims, ordinal));
  if (!isHealthy(state, pod) && ordered) return true;
  if (!isDeleted(pod)) writes.push(...identified(set, pod), ...retained(set, pod, claims));
  return false;
}

function newPod({ set, current, history: { wanted } }: State, ordinal: number): Pod {
  const rolling = set.spec.updateStrategy?.type !== "OnDelete";
  const stays = rolling && ordinal < firstOrdinal(set) + partitionOf(set);
  const template = stays ? templateOf(current) : set.spec.template;
  return statefulPod(set, template ?? set.spec.template, (stays ? current : wanted).metadata.name, ordinal);
}

/** One pod at a time, the last first, waits for each to be available again. */
function updateStep(state: State, replicas: readonly Pod[]): Step {
  const { set, history: kept } = state;
  if (set.spec.updateStrategy?.type === "OnDelete") return { writes: [] };
  for (const pod of replicas.slice(partitionOf(set)).toReversed()) {
    if (revisionIn(pod) !== kept.wanted.metadata.name && !isDeleted(pod))
      return { writes: [remove(pod)], replaced: pod };
    if (!isHealthy(state, pod)) return { writes: [] };
  }
  return { writes: [] };
}

function statusOf({ set, pods, current, history: kept, now }: State, replaced: Pod | undefined): StatefulSetStatus {
  const live = pods.filter((pod) => !isDeleted(pod));
  const wanted = kept.wanted.metadata.name;
  const of = (revision: string) => live.filter((pod) => revisionIn(pod) === revision).length;
  const ready = pods.filter((pod) => pod.status?.phase === "Running" && isReady(pod));
  const counts = {
    replicas: pods.length,
    readyReplicas: ready.length,
    currentReplicas: of(current.metadata.name) - (replaced ? 1 : 0),
    updatedReplicas: of(wanted),
    currentRevision: current.metadata.name,
  };
  const complete =
    set.spec.updateStrategy?.type !== "OnDelete" &&
    [counts.replicas, counts.readyReplicas, counts.updatedReplicas].every((count) => count === replicasOf(set));
  const done = complete ? { currentReplicas: counts.updatedReplicas, currentRevision: wanted } : {};
  return compact<StatefulSetStatus>(
    {
      observedGeneration: set.metadata.generation,
      ...counts,
      ...done,
      currentReplicas: Math.max(0, done.currentReplicas ?? counts.currentReplicas),
      availableReplicas: ready.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)).length,
      updateRevision: wanted,
      collisionCount: kept.collisions,
      conditions: set.status?.conditions,
    },
    "replicas",
    "availableReplicas",
    "collisionCount",
  );
}
