/**
 * Keeps one pod of each DaemonSet on every node that it is meant for, and updates them node by node.
 *
 * Source: kubernetes pkg/controller/daemon. Not here: maxSurge.
 */
import {
  type Cache,
  type Controller,
  create,
  type Key,
  keyOf,
  ownedOrMatchedBy,
  remove,
  status,
  together,
  watch,
  watchMapped,
  watchMatching,
} from "@flotilla/client";
import {
  type ControllerRevision,
  ControllerRevisions,
  type DaemonSet,
  type DaemonSetStatus,
  DaemonSets,
  isAvailable,
  isDeleted,
  isReady,
  isTerminal,
  type Node,
  type NodeSelectorTerm,
  Nodes,
  newObject,
  type Pod,
  type PodSpec,
  Pods,
  type Toleration,
} from "@flotilla/objects";
import { compact } from "./canonical.ts";
import { claim } from "./claim.ts";
import { history, outdated } from "./controller-revision.ts";
import { failureEvents, podEvents } from "./failure.ts";
import { scaled } from "./int-or-percent.ts";
import { freeNames } from "./name-hash.ts";
import { isWanted } from "./node-affinity.ts";
import { madeFrom } from "./owner.ts";
import { availableIn } from "./pod-state.ts";
import { tolerates } from "./taint.ts";
import { soonest } from "./timestamp.ts";

export interface ObservedDaemonSet {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
}

const revisionLabel = "controller-revision-hash";
const hashLabel = "controller.kubernetes.io/hash";

/** Daemons stay on nodes in trouble: they are what helps them out of it. */
const tolerations: Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];

const allSets = (_: Node, cache: Cache): Key[] => cache.list(DaemonSets).map(keyOf);

export const daemonSetController: Controller<ObservedDaemonSet> = {
  name: "daemonset",
  watches: [
    watch(DaemonSets),
    watchMatching(Pods, DaemonSets),
    watchMatching(ControllerRevisions, DaemonSets),
    watchMapped(Nodes, allSets),
  ],

  observe(key, cache) {
    const set = cache.get(DaemonSets, key);
    return (
      set && {
        set,
        nodes: cache.list(Nodes),
        pods: cache.list(Pods, ownedOrMatchedBy(set)),
        revisions: cache.list(ControllerRevisions, ownedOrMatchedBy(set)),
      }
    );
  },

  decide({ set, nodes, pods, revisions }, { now, failures }) {
    const owned = claim(set, pods);
    const past = claim(set, revisions);
    const kept = history(set, DaemonSets, past.mine, failures);
    const hash = kept.wanted.metadata.labels?.[hashLabel] ?? "";
    const byNode = Map.groupBy(owned.mine, nodeOf);
    const meant = nodes.filter((node) => runsOn(set, node));
    const bare = meant.filter((node) => !byNode.get(node.metadata.name)?.length);
    const made = isDeleted(set) ? [] : newPods(set, hash, bare, pods);
    const gone = isDeleted(set) ? [] : [...misplaced(owned.mine, meant), ...replaced(set, hash, meant, byNode, now)];
    const used = new Set(
      kept.all
        .filter(
          (each) =>
            each === kept.wanted ||
            owned.mine.some((pod) => pod.metadata.labels?.[revisionLabel] === each.metadata.labels?.[hashLabel]),
        )
        .map(({ metadata }) => metadata.name),
    );
    return {
      writes: [
        ...owned.adopt,
        ...owned.release,
        ...past.adopt,
        ...(isDeleted(set) ? [] : kept.writes),
        status(set, daemonStatus({ set, nodes, meant, byNode, hash, now }, kept.collisions)),
        together(made.map((pod) => create(Pods, pod))),
        together(owned.adopt.length > 0 ? [] : gone.map((pod) => remove(pod))),
        ...(isDeleted(set) || kept.writes.length > 0 ? [] : outdated(set, kept, used)),
      ],
      events: [...failureEvents(set, failures), ...podEvents(set, made, gone)],
      lookAgainIn: soonest(owned.mine.map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now))),
    };
  },
};

/** The node that a daemon's pod is for, whether or not the scheduler has placed it. */
function nodeOf(pod: Pod): string {
  const terms =
    pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const named = terms.flatMap(({ matchFields }) => matchFields ?? []).find(({ key }) => key === "metadata.name");
  return pod.spec.nodeName ?? named?.values?.[0] ?? "";
}

const templateSpec = (set: DaemonSet): PodSpec => set.spec.template.spec ?? { containers: [] };

function runsOn(set: DaemonSet, node: Node): boolean {
  const spec = templateSpec(set);
  if (!isWanted({ spec } as Pod, node)) return false;
  const all = [...(spec.tolerations ?? []), ...tolerations];
  return (node.spec?.taints ?? []).every(
    (taint) => taint.effect === "PreferNoSchedule" || all.some((each) => tolerates(each, taint)),
  );
}

/** Pods that ended, that are on nodes they are not meant for or that have gone, or that share a node. */
function misplaced(mine: readonly Pod[], meant: readonly Node[]): Pod[] {
  const seen = new Set<string>();
  return mine.filter((pod) => {
    if (isDeleted(pod)) return false;
    const name = nodeOf(pod);
    if (!meant.some(({ metadata }) => metadata.name === name)) return true;
    if (isTerminal(pod) || seen.has(name)) return true;
    seen.add(name);
    return false;
  });
}

/** Pods of an older template that may go now: those that do not work anyway, and others while enough nodes are served. */
function replaced(
  set: DaemonSet,
  hash: string,
  meant: readonly Node[],
  byNode: ReadonlyMap<string, readonly Pod[]>,
  now: Date,
): Pod[] {
  if (set.spec.updateStrategy?.type === "OnDelete") return [];
  const limit = Math.max(1, scaled(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, meant.length, "up"));
  const works = (pod: Pod) => !isDeleted(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, now);
  const served = meant.map((node) => byNode.get(node.metadata.name) ?? []);
  let room = limit - served.filter((pods) => !pods.some(works)).length;
  const old = served
    .flat()
    .filter((pod) => !isDeleted(pod) && !isTerminal(pod) && pod.metadata.labels?.[revisionLabel] !== hash);
  return old.filter((pod) => !works(pod) || room-- > 0);
}

function newPods(set: DaemonSet, hash: string, nodes: readonly Node[], existing: readonly Pod[]): Pod[] {
  const owner = { name: set.metadata.name, uid: set.metadata.uid ?? "" };
  const names = freeNames(owner, new Set(existing.map(({ metadata }) => metadata.name)), nodes.length);
  return nodes.map((node, i) => {
    const metadata = madeFrom(set, DaemonSets, set.spec.template, names[i] ?? "");
    const spec = templateSpec(set);
    return newObject(Pods, {
      metadata: {
        ...metadata,
        generateName: `${owner.name}-`,
        labels: {
          ...metadata.labels,
          [revisionLabel]: hash,
          "pod-template-generation": String(set.metadata.generation ?? 1),
        },
      },
      spec: {
        ...spec,
        affinity: pinned(spec, node.metadata.name),
        tolerations: [...(spec.tolerations ?? []), ...tolerations],
      },
    });
  });
}

/** The scheduler places it, but only there. */
function pinned(spec: PodSpec, node: string): PodSpec["affinity"] {
  const field = { key: "metadata.name", operator: "In" as const, values: [node] };
  const before = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const terms: NodeSelectorTerm[] = before?.length
    ? before.map((term) => ({ ...term, matchFields: [field] }))
    : [{ matchFields: [field] }];
  return {
    ...spec.affinity,
    nodeAffinity: {
      ...spec.affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
    },
  };
}

interface Census {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly meant: readonly Node[];
  readonly byNode: ReadonlyMap<string, readonly Pod[]>;
  readonly hash: string;
  readonly now: Date;
}

function daemonStatus({ set, nodes, meant, byNode, hash, now }: Census, collisions: number): DaemonSetStatus {
  const alive = (node: Node) => (byNode.get(node.metadata.name) ?? []).filter((pod) => !isDeleted(pod));
  const count = (test: (pod: Pod) => boolean) => meant.filter((node) => alive(node).some(test)).length;
  const available = count((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now));
  return compact<DaemonSetStatus>(
    {
      observedGeneration: set.metadata.generation,
      currentNumberScheduled: count(() => true),
      numberMisscheduled: nodes.filter((node) => !meant.includes(node) && alive(node).length > 0).length,
      desiredNumberScheduled: meant.length,
      numberReady: count(isReady),
      updatedNumberScheduled: count((pod) => pod.metadata.labels?.[revisionLabel] === hash),
      numberAvailable: available,
      numberUnavailable: meant.length - available,
      collisionCount: collisions,
      conditions: set.status?.conditions,
    },
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
  );
}
