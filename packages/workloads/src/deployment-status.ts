/**
 * What a Deployment reports: counts over its ReplicaSets, and whether the rollout is available, progressing, stuck.
 *
 * Source: kubernetes pkg/controller/deployment: progress.go, sync.go (calculateStatus, checkPausedConditions).
 */
import {
  type Deployment,
  type DeploymentCondition,
  type DeploymentStatus,
  getCondition,
  type ReplicaSet,
  timeOf,
} from "@flotilla/objects";
import { compact } from "./canonical.ts";
import { withCondition, withoutCondition } from "./condition.ts";
import { knowsItsSize, maxUnavailable, wanted } from "./rollout.ts";
import { millis } from "./timestamp.ts";

/** What happened at this look. */
export interface Noticed {
  /** The name of the ReplicaSet that is being made. */
  readonly made?: string;
  /** Its name was taken. */
  readonly collided?: boolean;
  /** Why it could not be made at the last look. */
  readonly failed?: Error;
  /** Judge the progress. */
  readonly estimate?: boolean;
}

/** As Kubernetes means "no deadline". */
const endless = 2147483647;

const hasDeadline = (deployment: Deployment): boolean => (deployment.spec.progressDeadlineSeconds ?? 600) !== endless;
const deadline = (deployment: Deployment): number => (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;

const count = (sets: readonly ReplicaSet[], field: "replicas" | "readyReplicas" | "availableReplicas") =>
  sets.reduce((all, set) => all + (set.status?.[field] ?? 0), 0);

/** All replicas are of the current version and available, and nothing else runs. */
export const isComplete = (deployment: Deployment, status: DeploymentStatus): boolean =>
  (status.updatedReplicas ?? 0) === wanted(deployment) &&
  (status.replicas ?? 0) === wanted(deployment) &&
  (status.availableReplicas ?? 0) === wanted(deployment) &&
  (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);

/**
 * The generation counts as observed once the ReplicaSets have observed theirs. Until then the counts are of an earlier one: of
 * two quick changes the second could look complete while pods of the first were still being made. (Kubernetes does not wait.)
 */
export function deploymentStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
  noticed: Noticed,
  now: Date,
): DeploymentStatus {
  const availableReplicas = count(sets, "availableReplicas");
  const total = sets.reduce((all, set) => all + wanted(set), 0);
  const collisions = deployment.status?.collisionCount;
  const counts: DeploymentStatus = {
    observedGeneration: sets.every(knowsItsSize)
      ? deployment.metadata.generation
      : deployment.status?.observedGeneration,
    replicas: count(sets, "replicas"),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: count(sets, "readyReplicas"),
    availableReplicas,
    unavailableReplicas: Math.max(0, total - availableReplicas),
    collisionCount: noticed.collided ? (collisions ?? 0) + 1 : collisions,
  };
  let conditions = noticedConditions(deployment, current, noticed, now);
  conditions = withCondition(conditions, availability(deployment, availableReplicas, now));
  if (noticed.estimate) conditions = progressed(deployment, counts, conditions, current, noticed, now);
  conditions = withFailure(conditions, sets, current, noticed, now);
  return { ...compact(counts), ...(conditions.length > 0 && { conditions }) };
}

const condition = (type: string, status: string, reason: string, message: string, now: Date): DeploymentCondition => ({
  type,
  status,
  lastUpdateTime: timeOf(now),
  lastTransitionTime: timeOf(now),
  reason,
  message,
});

const availability = (deployment: Deployment, available: number, now: Date): DeploymentCondition =>
  available >= wanted(deployment) - maxUnavailable(deployment)
    ? condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    : condition(
        "Available",
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
        now,
      );

/** Paused or resumed, a set found, made, or not made. */
function noticedConditions(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  noticed: Noticed,
  now: Date,
): DeploymentCondition[] {
  const conditions = deployment.status?.conditions ?? [];
  if (!hasDeadline(deployment)) return [...conditions];
  const progressing = (status: string, reason: string, message: string) =>
    withCondition(conditions, condition("Progressing", status, reason, message, now));
  const before = getCondition(conditions, "Progressing");
  if (noticed.failed && noticed.made)
    return progressing(
      "False",
      "ReplicaSetCreateError",
      `Failed to create new replica set "${noticed.made}": ${noticed.failed.message}`,
    );
  if (noticed.made && !noticed.collided)
    return progressing("True", "NewReplicaSetCreated", `Created new replica set "${noticed.made}"`);
  if (deployment.spec.paused && before?.reason !== "DeploymentPaused" && before?.reason !== "ProgressDeadlineExceeded")
    return progressing("Unknown", "DeploymentPaused", "Deployment is paused");
  if (!deployment.spec.paused && before?.reason === "DeploymentPaused")
    return progressing("Unknown", "DeploymentResumed", "Deployment is resumed");
  if (current && !before)
    return progressing("True", "FoundNewReplicaSet", `Found new replica set "${current.metadata.name}"`);
  return [...conditions];
}

function progressed(
  deployment: Deployment,
  counts: DeploymentStatus,
  conditions: DeploymentCondition[],
  current: ReplicaSet | undefined,
  noticed: Noticed,
  now: Date,
): DeploymentCondition[] {
  if (!hasDeadline(deployment)) return withoutCondition(conditions, "Progressing");
  const before = getCondition(deployment.status?.conditions, "Progressing");
  if (counts.replicas === counts.updatedReplicas && before?.reason === "NewReplicaSetAvailable" && !noticed.made)
    return conditions;
  const name = current?.metadata.name ?? noticed.made;
  const subject = name ? `ReplicaSet "${name}"` : `Deployment "${deployment.metadata.name}"`;
  if (isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, condition("Progressing", "True", "NewReplicaSetAvailable", message, now));
  }
  if (hasProgressed(deployment.status ?? {}, counts)) {
    const next = condition("Progressing", "True", "ReplicaSetUpdated", `${subject} is progressing.`, now);
    // Each sign of progress moves the time of update: the deadline counts from it.
    if (before?.status === "True") next.lastTransitionTime = before.lastTransitionTime;
    return [...withoutCondition(conditions, "Progressing"), next];
  }
  if (hasTimedOut(deployment, conditions, now)) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(conditions, condition("Progressing", "False", "ProgressDeadlineExceeded", message, now));
  }
  return conditions;
}

const hasProgressed = (before: DeploymentStatus, after: DeploymentStatus): boolean => {
  const old = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
};

function hasTimedOut(deployment: Deployment, conditions: readonly DeploymentCondition[], now: Date): boolean {
  const before = getCondition(conditions, "Progressing");
  if (!before || before.reason === "NewReplicaSetAvailable") return false;
  return (
    before.reason === "ProgressDeadlineExceeded" || millis(before.lastUpdateTime) + deadline(deployment) < now.getTime()
  );
}

/** A ReplicaFailure of the current set, or else of any. */
function withFailure(
  conditions: DeploymentCondition[],
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
  noticed: Noticed,
  now: Date,
): DeploymentCondition[] {
  const failures = [current, ...sets].flatMap((set) => getCondition(set?.status?.conditions, "ReplicaFailure") ?? []);
  const found = failures[0];
  if (found) {
    const { lastTransitionTime } = found;
    return withCondition(conditions, { ...found, lastUpdateTime: lastTransitionTime ?? timeOf(now) });
  }
  return noticed.estimate ? withoutCondition(conditions, "ReplicaFailure") : conditions;
}

/** Milliseconds until the deadline must be looked at again; undefined when nothing is awaited. */
export function stuckIn(deployment: Deployment, status: DeploymentStatus, now: Date): number | undefined {
  const before = getCondition(status.conditions, "Progressing");
  if (!hasDeadline(deployment) || deployment.spec.paused || !before) return undefined;
  if (isComplete(deployment, status) || before.reason === "ProgressDeadlineExceeded") return undefined;
  if (before.reason === "NewReplicaSetAvailable") return undefined;
  // One second more, since times are kept in whole seconds.
  return Math.max(1000, millis(before.lastUpdateTime) + deadline(deployment) - now.getTime() + 1000);
}
