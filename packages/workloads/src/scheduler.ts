/**
 * Places each pod that has no node on the best one that can take it, or says why none can.
 *
 * Source: kubernetes pkg/scheduler: filters, their order and texts; scores are simpler. One key for all pods: two must not be
 * placed into the same room. Not here: preemption, volumes bound to nodes, scheduler profiles, dynamic resources.
 */
import {
  bind,
  type Controller,
  type EventNote,
  event,
  status,
  together,
  type Write,
  watchMapped,
} from "@flotilla/client";
import {
  controllerOf,
  getCondition,
  isDeleted,
  isTerminal,
  type Node,
  Nodes,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  type PodCondition,
  Pods,
  setCondition,
} from "@flotilla/objects";
import { isWanted, preference } from "./node-affinity.ts";
import { company, crowding, unevenness } from "./pod-affinity.ts";
import { Room } from "./room.ts";
import { disliked, untolerated } from "./taint.ts";

export interface ObservedCluster {
  readonly nodes: readonly Node[];
  /** All that are not at their end. */
  readonly pods: readonly Pod[];
  /** By "namespace/name"; only those of pods to be placed need to be there. */
  readonly claims: ReadonlyMap<string, PersistentVolumeClaim>;
}

const everything = { name: "pods" };

/** Pods that wait for a node, found without looking at all. */
const waiting = { name: "waiting-for-node", values: (pod: Pod) => (pod.spec.nodeName ? [] : ["waiting"]) };

export const schedulerController: Controller<ObservedCluster> = {
  name: "scheduler",
  watches: [
    watchMapped(Pods, () => [everything], { indexes: [waiting] }),
    watchMapped(Nodes, () => [everything]),
    watchMapped(PersistentVolumeClaims, () => [everything]),
  ],

  observe(_, cache) {
    if (!cache.list(Pods, { index: { by: waiting, value: "waiting" } }).some(isOurs)) return undefined;
    const claims = cache.list(PersistentVolumeClaims);
    return {
      nodes: cache.list(Nodes),
      pods: cache.list(Pods).filter((pod) => !isTerminal(pod)),
      claims: new Map(claims.map((claim) => [`${claim.metadata.namespace}/${claim.metadata.name}`, claim])),
    };
  },

  decide({ nodes, pods, claims }, { now }) {
    const rooms = nodes.map((node) => new Room(node));
    const byName = new Map(rooms.map((room) => [room.node.metadata.name, room]));
    for (const pod of pods) byName.get(pod.spec.nodeName ?? "")?.add(pod);
    const binds: Write[] = [];
    const reports: Write[] = [];
    const events: EventNote[] = [];
    for (const pod of pods.filter(isOurs).sort(byUrgency)) {
      const verdict = unbound(pod, claims) ?? place(pod, rooms);
      if (typeof verdict !== "string") {
        const { name } = verdict.node.metadata;
        verdict.add(pod);
        binds.push(bind(pod, name));
        events.push(
          event(
            pod,
            "Normal",
            "Scheduled",
            `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${name}`,
          ),
        );
        continue;
      }
      const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message: verdict } as const;
      const before = getCondition(pod.status?.conditions, "PodScheduled");
      if (before?.message === verdict && before.status === "False") continue;
      reports.push(
        status(pod, { ...pod.status, conditions: setCondition<PodCondition>(pod.status?.conditions, condition, now) }),
      );
      events.push(event(pod, "Warning", "FailedScheduling", verdict));
    }
    return { writes: [together(binds), together(reports)], events };
  },
};

const isOurs = (pod: Pod): boolean =>
  !pod.spec.nodeName &&
  !isDeleted(pod) &&
  !isTerminal(pod) &&
  (pod.spec.schedulerName ?? "default-scheduler") === "default-scheduler" &&
  !pod.spec.schedulingGates?.length;

/** Higher priority first, then first come, first served. */
const byUrgency = (a: Pod, b: Pod): number =>
  (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
  Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "") ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

/** A pod waits for its volumes wherever it would run. */
function unbound(pod: Pod, claims: ObservedCluster["claims"]): string | undefined {
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = claims.get(`${pod.metadata.namespace}/${claimName}`);
    if (!claim) return `persistentvolumeclaim "${claimName}" not found`;
    if (isDeleted(claim)) return `persistentvolumeclaim "${claimName}" is being deleted`;
    if (claim.status?.phase !== "Bound") return "pod has unbound immediate PersistentVolumeClaims";
  }
  return undefined;
}

/** The room that takes the pod, or the reasons why none does. */
function place(pod: Pod, rooms: readonly Room[]): Room | string {
  if (rooms.length === 0) return "no nodes available to schedule pods";
  const reasons = new Map<string, number>();
  const eligible = rooms.filter((room) => isWanted(pod, room.node) && !untolerated(pod, room.node));
  const open: Room[] = [];
  for (const room of rooms) {
    const against = objections(pod, room, rooms, eligible);
    if (against.length === 0) open.push(room);
    for (const reason of against) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (open.length === 0) {
    const texts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
    return `0/${rooms.length} nodes are available: ${texts.join(", ")}.`;
  }
  return (
    open.map((room) => ({ room, score: score(pod, room, rooms) })).sort(byScore)[0]?.room ??
    "no nodes available to schedule pods"
  );
}

const byScore = (a: { room: Room; score: number }, b: { room: Room; score: number }): number =>
  b.score - a.score || (a.room.node.metadata.name < b.room.node.metadata.name ? -1 : 1);

/** The first filter that objects; only a lack of resources names several. */
function objections(pod: Pod, room: Room, rooms: readonly Room[], eligible: readonly Room[]): string[] {
  const { node } = room;
  const cordon = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" } as const;
  if (node.spec?.unschedulable && untolerated(pod, { ...node, spec: { taints: [cordon] } }))
    return ["node(s) were unschedulable"];
  if (untolerated(pod, node)) return ["node(s) had untolerated taint(s)"];
  if (!isWanted(pod, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (room.clashes(pod)) return ["node(s) didn't have free ports for the requested pod ports"];
  const lacks = room.lacks(pod);
  if (lacks.length > 0) return lacks;
  const why = unevenness(pod, room, eligible) ?? company(pod, room, rooms);
  return why === undefined ? [] : [why];
}

/** Free room, fewer of its kind nearby, and what the pod would rather have. */
function score(pod: Pod, room: Room, rooms: readonly Room[]): number {
  const owner = controllerOf(pod)?.uid;
  const siblings = owner ? room.pods.filter((other) => controllerOf(other)?.uid === owner).length : 0;
  return (
    room.free(pod) +
    preference(pod, room.node) -
    siblings * 0.5 -
    crowding(pod, room, rooms) * 2 -
    disliked(pod, room.node) * 3
  );
}
