/**
 * How large each ReplicaSet of a Deployment may be now. Only numbers: what is written is deployment.ts' business.
 *
 * Source: kubernetes pkg/controller/deployment: rolling.go, recreate.go, sync.go (scale), util/deployment_util.go.
 */
import type { Deployment, ReplicaSet } from "@flotilla/objects";
import { scaled } from "./int-or-percent.ts";
import { annotatedDesired, annotatedMax } from "./revision.ts";
import { millis } from "./timestamp.ts";

export const wanted = (object: Deployment | ReplicaSet): number => object.spec.replicas ?? 1;

export const isRolling = (deployment: Deployment): boolean => deployment.spec.strategy?.type !== "Recreate";

const rolling = (deployment: Deployment) => ({
  maxSurge: deployment.spec.strategy?.rollingUpdate?.maxSurge ?? "25%",
  maxUnavailable: deployment.spec.strategy?.rollingUpdate?.maxUnavailable ?? "25%",
});

/** When both round to nothing, one pod may be unavailable: else no rollout could ever proceed. */
function bounds(deployment: Deployment): { surge: number; unavailable: number } {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = rolling(deployment);
  const surge = scaled(maxSurge, wanted(deployment), "up");
  const unavailable = scaled(maxUnavailable, wanted(deployment), "down");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const maxSurge = (deployment: Deployment): number => bounds(deployment).surge;

export const maxUnavailable = (deployment: Deployment): number =>
  Math.min(wanted(deployment), bounds(deployment).unavailable);

/** Sizes by name of ReplicaSet, for those that change. */
export type Sizes = Map<string, number>;

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number) =>
  sets.reduce((all, set) => all + of(set), 0);
/** What is to go is not counted on any more, even if the set has not said so yet. */
const available = (set: ReplicaSet) => Math.min(wanted(set), set.status?.availableReplicas ?? 0);
/** Pods beyond the wanted size are there until they have been deleted. */
const held = (set: ReplicaSet) => Math.max(wanted(set), set.status?.replicas ?? 0);
/** Until then it may still be making pods for an earlier size. */
export const knowsItsSize = (set: ReplicaSet) =>
  (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0);

export const oldestFirst = (a: ReplicaSet, b: ReplicaSet): number =>
  millis(a.metadata.creationTimestamp) - millis(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

/** How large the set of the current template becomes, given the sizes of the others. */
export function newSize(deployment: Deployment, current: number, others: readonly ReplicaSet[]): number {
  const desired = wanted(deployment);
  if (!isRolling(deployment) || current >= desired) return desired;
  // Kubernetes counts wanted sizes only, and so has more pods than allowed for as long as old ones take to be deleted.
  if (!others.every(knowsItsSize)) return current;
  const room = desired + maxSurgeOnly(deployment) - current - sum(others, held);
  return room <= 0 ? current : current + Math.min(room, desired - current);
}

const maxSurgeOnly = (deployment: Deployment) => scaled(rolling(deployment).maxSurge, wanted(deployment), "up");

/** The next step of a rolling update: first the new set grows; when it cannot, the old ones shrink. */
export function rollingStep(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  // What it still has to delete may be counted as available; it grows when that is settled.
  const settled = knowsItsSize(current) && held(current) === wanted(current);
  const size = settled ? newSize(deployment, wanted(current), old) : Math.min(wanted(current), wanted(deployment));
  if (size !== wanted(current)) return new Map([[current.metadata.name, size]]);
  return shrinkOld(deployment, current, old);
}

function shrinkOld(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const sizes: Sizes = new Map();
  const active = old.filter((set) => wanted(set) > 0).sort(oldestFirst);
  const minAvailable = wanted(deployment) - maxUnavailable(deployment);
  const allPods = sum(active, wanted) + wanted(current);
  // Unavailable pods of the new set count as taken: they must not let the old sets shrink further.
  const mayGo = allPods - minAvailable - (wanted(current) - available(current));
  if (active.length === 0 || mayGo <= 0) return sizes;
  const sizeOf = (set: ReplicaSet) => sizes.get(set.metadata.name) ?? wanted(set);
  const shrink = (set: ReplicaSet, by: number) => by > 0 && sizes.set(set.metadata.name, sizeOf(set) - by);

  // What is not available anyway goes first: it would block the rollout, and nobody misses it.
  let left = mayGo;
  for (const set of active) {
    const unhealthy = Math.min(left, Math.max(0, wanted(set) - available(set)));
    shrink(set, unhealthy);
    left -= unhealthy;
  }
  let spare = sum([...active, current], available) - minAvailable;
  for (const set of active) {
    if (spare <= 0) break;
    const by = Math.min(sizeOf(set), spare);
    shrink(set, by);
    spare -= by;
  }
  return sizes;
}

/** Sizes after a change of `spec.replicas` amid a rollout, or while paused: in proportion, so that the mix stays. */
export function proportionalSizes(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Sizes {
  const all = current ? [...old, current] : [...old];
  const active = all.filter((set) => wanted(set) > 0);
  if (active.length <= 1) {
    const target = active[0] ?? current ?? [...old].sort(oldestFirst).at(-1);
    return target ? new Map([[target.metadata.name, wanted(deployment)]]) : new Map();
  }
  if (current && isSaturated(deployment, current))
    return new Map(active.filter((set) => set !== current).map((set) => [set.metadata.name, 0]));
  // Nothing to share out: the old sets are on their way to 0. Noting the new size is all.
  if (!isRolling(deployment)) return new Map(active.map((set) => [set.metadata.name, wanted(set)]));

  const allowed = wanted(deployment) > 0 ? wanted(deployment) + maxSurge(deployment) : 0;
  const toAdd = allowed - sum(active, wanted);
  // The largest first; of equals, growing prefers newer ones and shrinking older ones.
  active.sort((a, b) => wanted(b) - wanted(a) || (toAdd > 0 ? oldestFirst(b, a) : oldestFirst(a, b)));
  const sizes: Sizes = new Map();
  let added = 0;
  for (const set of active) {
    const share = toAdd === 0 || toAdd === added ? 0 : fraction(set, deployment);
    const part = toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
    sizes.set(set.metadata.name, wanted(set) + part);
    added += part;
  }
  const largest = active[0]?.metadata.name ?? "";
  sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  return sizes;
}

/** By how much one set changes when the whole goes from what its annotation says to what the Deployment wants. */
function fraction(set: ReplicaSet, deployment: Deployment): number {
  if (wanted(deployment) === 0) return -wanted(set);
  const before = annotatedMax(set) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((wanted(set) * (wanted(deployment) + maxSurge(deployment))) / before) - wanted(set);
}

const isSaturated = (deployment: Deployment, set: ReplicaSet) =>
  wanted(set) === wanted(deployment) &&
  annotatedDesired(set) === wanted(deployment) &&
  available(set) === wanted(deployment);
