/**
 * Marks nodes that have fallen silent, and takes the pods off those that stay so.
 *
 * Source: kubernetes pkg/controller/nodelifecycle and tainteviction. A node renews its Lease; older than 40 s it is unknown.
 */
import {
  type Controller,
  type EventNote,
  event,
  remove,
  status,
  update,
  type Write,
  watch,
  watchMapped,
} from "@flotilla/client";
import {
  deepEqual,
  getCondition,
  isDeleted,
  isTerminal,
  type Lease,
  Leases,
  type Node,
  type NodeCondition,
  Nodes,
  type Pod,
  Pods,
  setCondition,
  type Taint,
  timeOf,
} from "@flotilla/objects";
import { tolerates } from "./taint.ts";
import { millis, soonest } from "./timestamp.ts";

export interface ObservedNode {
  readonly node: Node;
  readonly lease: Lease | undefined;
  readonly pods: readonly Pod[];
}

/** ms */
const gracePeriod = 40_000;
const leaseNamespace = "kube-node-lease";
const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";
const unschedulable = "node.kubernetes.io/unschedulable";

const byNode = { name: "node", values: (pod: Pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []) };

export const nodeLifecycleController: Controller<ObservedNode> = {
  name: "node-lifecycle",
  watches: [
    watch(Nodes),
    watchMapped(Leases, ({ metadata: { name } }) => [{ name }], { namespace: leaseNamespace }),
    watchMapped(Pods, (pod) => (pod.spec.nodeName ? [{ name: pod.spec.nodeName }] : []), { indexes: [byNode] }),
  ],

  observe(key, cache) {
    const node = cache.get(Nodes, { name: key.name });
    return (
      node && {
        node,
        lease: cache.get(Leases, { namespace: leaseNamespace, name: key.name }),
        pods: cache.list(Pods, { index: { by: byNode, value: key.name } }),
      }
    );
  },

  decide({ node, lease, pods }, { now }) {
    const left = heardOf(node, lease) + gracePeriod - now.getTime();
    const conditions = left > 0 ? (node.status?.conditions ?? []) : silenced(node, now);
    const ready = getCondition(conditions, "Ready")?.status;
    const taints = taintsFor(node, ready, now);
    const evictions = evicted(taints, pods, now);
    const events: EventNote[] = [];
    const wasReady = getCondition(node.status?.conditions, "Ready")?.status;
    if (wasReady === "True" && ready !== "True")
      events.push(event(node, "Normal", "NodeNotReady", `Node ${node.metadata.name} status is now: NodeNotReady`));
    return {
      writes: [
        left > 0 ? undefined : status(node, { ...node.status, conditions }),
        deepEqual(taints, node.spec?.taints ?? []) ? undefined : update({ ...node, spec: { ...node.spec, taints } }),
        ...(ready === "True" ? [] : unreadied(pods, now)),
        ...evictions.writes,
      ],
      events: [...events, ...evictions.events],
      lookAgainIn: soonest([left > 0 ? left + 1000 : undefined, evictions.nextIn]),
    };
  },
};

/** A node that has never renewed counts from its heartbeat or its creation. */
const heardOf = (node: Node, lease: Lease | undefined): number => {
  const times = [
    millis(lease?.spec?.renewTime),
    millis(getCondition(node.status?.conditions, "Ready")?.lastHeartbeatTime),
    millis(node.metadata.creationTimestamp),
  ];
  return Math.max(...times.filter((time) => !Number.isNaN(time)));
};

const reported = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

function silenced(node: Node, now: Date): NodeCondition[] {
  return reported.reduce<NodeCondition[]>((conditions, type) => {
    const before = getCondition(conditions, type);
    if (before?.status === "Unknown") return conditions;
    const reason = before ? "NodeStatusUnknown" : "NodeStatusNeverUpdated";
    const message = before ? "Kubelet stopped posting node status." : "Kubelet never posted node status.";
    return setCondition(conditions, { ...before, type, status: "Unknown", reason, message } as NodeCondition, now);
  }, node.status?.conditions ?? []);
}

/** What the state of the node means for pods, beside the taints that others have set. */
function taintsFor(node: Node, ready: string | undefined, now: Date): Taint[] {
  const wanted: Taint[] = [];
  const kept = node.spec?.taints ?? [];
  const since = (key: string) =>
    kept.find((taint) => taint.key === key && taint.effect === "NoExecute")?.timeAdded ?? timeOf(now);
  if (node.spec?.unschedulable) wanted.push({ key: unschedulable, effect: "NoSchedule" });
  const key = ready === "True" ? undefined : ready === "Unknown" ? unreachable : notReady;
  if (key) wanted.push({ key, effect: "NoSchedule" }, { key, effect: "NoExecute", timeAdded: since(key) });
  const ours = new Set([notReady, unreachable, unschedulable]);
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
  // In their order, so that nothing is written where nothing has changed.
  const rest = kept.filter((taint) => !ours.has(taint.key) || wanted.some((each) => same(each, taint)));
  return [...rest, ...wanted.filter((each) => !rest.some((taint) => same(each, taint)))];
}

/** Pods of a node that is not ready are not ready either: traffic must go elsewhere before they are evicted. */
const unreadied = (pods: readonly Pod[], now: Date): Write[] =>
  pods.flatMap((pod) => {
    const before = getCondition(pod.status?.conditions, "Ready");
    if (before?.status !== "True" || isTerminal(pod)) return [];
    const conditions = setCondition(pod.status?.conditions, { ...before, status: "False" as const }, now);
    return [status(pod, { ...pod.status, conditions })];
  });

/** NoExecute taints: pods go when they do not tolerate them, or no longer. */
function evicted(
  taints: readonly Taint[],
  pods: readonly Pod[],
  now: Date,
): { writes: Write[]; events: EventNote[]; nextIn?: number } {
  const writes: Write[] = [];
  const events: EventNote[] = [];
  const waits: number[] = [];
  const harsh = taints.filter(({ effect }) => effect === "NoExecute");
  if (harsh.length === 0) return { writes, events };
  for (const pod of pods) {
    if (isDeleted(pod) || isTerminal(pod)) continue;
    const left = Math.min(...harsh.map((taint) => patience(pod, taint, now)));
    if (left > 0) {
      if (left !== Number.POSITIVE_INFINITY) waits.push(left);
      continue;
    }
    // Its readiness may have been written just before: only the uid must be the same.
    writes.push(remove(pod, { preconditions: { uid: pod.metadata.uid } }));
    events.push(
      event(
        pod,
        "Normal",
        "TaintManagerEviction",
        `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`,
      ),
    );
  }
  return { writes, events, nextIn: soonest(waits) };
}

/** Milliseconds that the pod still bears the taint. */
function patience(pod: Pod, taint: Taint, now: Date): number {
  const bearing = (pod.spec.tolerations ?? []).filter((each) => tolerates(each, taint));
  if (bearing.length === 0) return 0;
  const seconds = bearing.map((each) => each.tolerationSeconds).filter((each) => each !== undefined);
  if (seconds.length === 0) return Number.POSITIVE_INFINITY;
  return millis(taint.timeAdded ?? timeOf(now)) + Math.max(0, Math.min(...seconds)) * 1000 - now.getTime();
}
