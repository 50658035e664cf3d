/**
 * Which pods to give up first when there are too many.
 *
 * Source: kubernetes pkg/controller/controller_utils.go, ActivePodsWithRanks.
 */
import { isReady, type Pod } from "@flotilla/objects";
import { readySince, restarts } from "./pod-state.ts";
import { millis } from "./timestamp.ts";

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

const deletionCost = (pod: Pod): number => {
  const text = pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"];
  return text !== undefined && /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
};

/** Ages are compared by order of magnitude, so that pods of about the same age are picked at random (by uid). */
function compareAges(a: number, b: number, now: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) === Number.isNaN(b) ? 0 : Number.isNaN(a) ? -1 : 1;
  const magnitude = (time: number) => Math.floor(Math.log2(Math.max(1, (now - time) * 1e6)));
  return magnitude(a) - magnitude(b);
}

interface Ranked {
  readonly pod: Pod;
  /** How many ready pods of the same owner share its node. */
  readonly crowd: number;
}

function compare(a: Ranked, b: Ranked, now: number): number {
  const unassigned = Number(Boolean(a.pod.spec.nodeName)) - Number(Boolean(b.pod.spec.nodeName));
  if (unassigned !== 0) return unassigned;
  const phase =
    (phaseOrder[a.pod.status?.phase ?? "Pending"] ?? 0) - (phaseOrder[b.pod.status?.phase ?? "Pending"] ?? 0);
  if (phase !== 0) return phase;
  const unready = Number(isReady(a.pod)) - Number(isReady(b.pod));
  if (unready !== 0) return unready;
  const cost = deletionCost(a.pod) - deletionCost(b.pod);
  if (cost !== 0) return cost;
  if (a.crowd !== b.crowd) return b.crowd - a.crowd;
  const byUid = (a.pod.metadata.uid ?? "") < (b.pod.metadata.uid ?? "") ? -1 : 1;
  if (isReady(a.pod) && readySince(a.pod) !== readySince(b.pod))
    return compareAges(readySince(a.pod), readySince(b.pod), now) || byUid;
  const restarted = restarts(b.pod) - restarts(a.pod);
  if (restarted !== 0) return restarted;
  const created = (pod: Pod) => millis(pod.metadata.creationTimestamp);
  if (created(a.pod) !== created(b.pod)) return compareAges(created(a.pod), created(b.pod), now) || byUid;
  return byUid;
}

/**
 * The `count` pods to delete first. `related` are the ready pods that count towards crowded nodes: those of the set, and
 * of other sets of the same owner.
 */
export function surplus(pods: readonly Pod[], count: number, now: Date, related: readonly Pod[] = pods): Pod[] {
  if (count <= 0) return [];
  if (count >= pods.length) return [...pods];
  const crowds = new Map<string | undefined, number>();
  for (const pod of related) if (isReady(pod)) crowds.set(pod.spec.nodeName, (crowds.get(pod.spec.nodeName) ?? 0) + 1);
  return pods
    .map((pod) => ({ pod, crowd: crowds.get(pod.spec.nodeName) ?? 0 }))
    .sort((a, b) => compare(a, b, now.getTime()))
    .slice(0, count)
    .map(({ pod }) => pod);
}
