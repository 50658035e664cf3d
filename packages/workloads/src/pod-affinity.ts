/**
 * Pods that want to be near others, away from others, or spread.
 *
 * Source: kubernetes pkg/scheduler/framework/plugins/interpodaffinity and podtopologyspread. Not here: namespaceSelector other
 * than the empty one (all namespaces), and policies of nodes in spreading.
 */
import { matchesSelector, type Pod, type PodAffinityTerm, type TopologySpreadConstraint } from "@flotilla/objects";
import type { Room } from "./room.ts";

function isMeant(term: PodAffinityTerm, owner: Pod, other: Pod): boolean {
  const namespaces =
    term.namespaces?.length || term.namespaceSelector ? (term.namespaces ?? []) : [owner.metadata.namespace];
  const anywhere = term.namespaceSelector && Object.keys(term.namespaceSelector).length === 0;
  return (
    (anywhere || namespaces.includes(other.metadata.namespace)) &&
    matchesSelector(term.labelSelector, other.metadata.labels)
  );
}

const domainOf = (room: Room, key: string): string | undefined => room.node.metadata.labels?.[key];

const domainHas = (rooms: readonly Room[], room: Room, key: string, test: (pod: Pod) => boolean): boolean => {
  const domain = domainOf(room, key);
  return domain !== undefined && rooms.some((other) => domainOf(other, key) === domain && other.pods.some(test));
};

type Required = "podAffinity" | "podAntiAffinity";
const required = (pod: Pod, kind: Required) =>
  pod.spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

/** Why the pod may not be there because of others; undefined when it may. */
export function company(pod: Pod, room: Room, rooms: readonly Room[]): string | undefined {
  const near = required(pod, "podAffinity").every(
    (term) =>
      domainHas(rooms, room, term.topologyKey, (other) => isMeant(term, pod, other)) ||
      // The first of a group that wants to be together has nobody to join yet.
      (domainOf(room, term.topologyKey) !== undefined &&
        isMeant(term, pod, pod) &&
        !rooms.some((each) => each.pods.some((other) => isMeant(term, pod, other)))),
  );
  if (!near) return "node(s) didn't match pod affinity rules";
  if (
    required(pod, "podAntiAffinity").some((term) =>
      domainHas(rooms, room, term.topologyKey, (other) => isMeant(term, pod, other)),
    )
  )
    return "node(s) didn't match pod anti-affinity rules";
  const unwelcome = rooms.some((each) =>
    each.pods.some((other) =>
      required(other, "podAntiAffinity").some(
        (term) =>
          isMeant(term, other, pod) &&
          domainOf(each, term.topologyKey) !== undefined &&
          domainOf(each, term.topologyKey) === domainOf(room, term.topologyKey),
      ),
    ),
  );
  return unwelcome ? "node(s) didn't satisfy existing pods anti-affinity rules" : undefined;
}

const counted = (constraint: TopologySpreadConstraint, pod: Pod, room: Room) =>
  room.pods.filter(
    (other) =>
      other.metadata.namespace === pod.metadata.namespace &&
      !other.metadata.deletionTimestamp &&
      matchesSelector(constraint.labelSelector, other.metadata.labels),
  ).length;

/** Pods in each domain of the constraint; `eligible` rooms only. */
function domains(constraint: TopologySpreadConstraint, pod: Pod, eligible: readonly Room[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const room of eligible) {
    const domain = domainOf(room, constraint.topologyKey);
    if (domain !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + counted(constraint, pod, room));
  }
  return counts;
}

/** Why the pod would be spread too unevenly there. */
export function unevenness(pod: Pod, room: Room, eligible: readonly Room[]): string | undefined {
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    if (constraint.whenUnsatisfiable !== "DoNotSchedule") continue;
    const domain = domainOf(room, constraint.topologyKey);
    if (domain === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)";
    const counts = domains(constraint, pod, eligible);
    const self = matchesSelector(constraint.labelSelector, pod.metadata.labels) ? 1 : 0;
    const fewest = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
    if ((counts.get(domain) ?? 0) + self - fewest > constraint.maxSkew)
      return "node(s) didn't match pod topology spread constraints";
  }
  return undefined;
}

/** How many pods of its kind share a domain with it (lower is better): constraints that are wishes, and preferred (anti-)affinity. */
export function crowding(pod: Pod, room: Room, rooms: readonly Room[]): number {
  let score = 0;
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    const domain = domainOf(room, constraint.topologyKey);
    if (domain !== undefined) score += domains(constraint, pod, rooms).get(domain) ?? 0;
  }
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const weigh = (
    terms: NonNullable<typeof podAffinity>["preferredDuringSchedulingIgnoredDuringExecution"],
    sign: number,
  ) => {
    for (const { weight, podAffinityTerm: term } of terms ?? [])
      if (domainHas(rooms, room, term.topologyKey, (other) => isMeant(term, pod, other)))
        score += (sign * weight) / 100;
  };
  weigh(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1);
  weigh(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1);
  return score;
}
