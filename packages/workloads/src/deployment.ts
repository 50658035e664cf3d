/**
 * Moves each Deployment to its template and size: makes a ReplicaSet for each version of the template, and shifts replicas
 * between them as the strategy allows. How far at each look is rollout.ts' business, what is reported deployment-status.ts'.
 *
 * Source: kubernetes pkg/controller/deployment.
 */
import {
  byOwner,
  type Cache,
  type Controller,
  create,
  type Decision,
  type EventNote,
  type Failure,
  type Key,
  ownedBy,
  ownedOrMatchedBy,
  remove,
  status,
  update,
  type Write,
  watch,
  watchMapped,
  watchMatching,
} from "@flotilla/client";
import {
  controllerOf,
  type Deployment,
  Deployments,
  isAlreadyExists,
  isDeleted,
  isTerminal,
  newObject,
  type Pod,
  Pods,
  type ReplicaSet,
  ReplicaSets,
} from "@flotilla/objects";
import { sameMeaning } from "./canonical.ts";
import { claim } from "./claim.ts";
import { deploymentStatus, isComplete, type Noticed, stuckIn } from "./deployment-status.ts";
import { madeFrom } from "./owner.ts";
import {
  annotatedDesired,
  currentAnnotations,
  hashLabel,
  revisionAnnotation,
  revisionOf,
  sameTemplate,
  sizeAnnotations,
  templateHash,
} from "./revision.ts";
import {
  isRolling,
  maxSurge,
  newSize,
  oldestFirst,
  proportionalSizes,
  rollingStep,
  type Sizes,
  wanted,
} from "./rollout.ts";

export interface ObservedDeployment {
  readonly deployment: Deployment;
  readonly sets: readonly ReplicaSet[];
  /** Only looked at for strategy Recreate: pods of the sets. */
  readonly pods: readonly Pod[];
}

export const deploymentController: Controller<ObservedDeployment> = {
  name: "deployment",
  watches: [
    watch(Deployments),
    watchMatching(ReplicaSets, Deployments),
    watchMapped(Pods, recreating, { indexes: [byOwner] }),
  ],

  observe(key, cache) {
    const deployment = cache.get(Deployments, key);
    if (!deployment) return undefined;
    const sets = cache.list(ReplicaSets, ownedOrMatchedBy(deployment));
    const pods = isRolling(deployment) ? [] : sets.flatMap((set) => cache.list(Pods, ownedBy(set)));
    return { deployment, sets, pods };
  },

  decide({ deployment, sets, pods }, { now, failures }) {
    const { mine, adopt, release } = claim(deployment, sets);
    const claims = [...adopt, ...release];
    const { current, old } = versions(deployment, mine);
    if (isDeleted(deployment))
      return { writes: [...claims, status(deployment, deploymentStatus(deployment, mine, current, {}, now))] };

    const scaling = deployment.spec.paused || isResized(deployment, mine);
    const step = scaling
      ? { sizes: proportionalSizes(deployment, current, old) }
      : isRolling(deployment)
        ? { sizes: current ? rollingStep(deployment, current, old) : new Map(), create: !current }
        : recreateStep(deployment, current, old, pods);
    return decision(deployment, { current, old, ...step, estimate: !scaling }, claims, now, failures);
  },
};

interface Step {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly sizes: Sizes;
  readonly create?: boolean;
  /** Whether progress is judged at this look: not while scaling or paused. */
  readonly estimate: boolean;
}

function decision(
  deployment: Deployment,
  step: Step,
  claims: Write[],
  now: Date,
  failures: readonly Failure[],
): Decision {
  const revision = Math.max(0, ...step.old.map(revisionOf)) + 1;
  const sized = [...step.old, ...(step.current ? [step.current] : [])].map((set) =>
    resized(deployment, set, step.sizes.get(set.metadata.name), set === step.current ? revision : undefined),
  );
  const current = sized.find(({ before }) => before === step.current)?.after;
  const made = step.create ? newSet(deployment, step.old, revision) : undefined;
  const collided = made && hasCollided(made, step.old, failures);
  const failed = made && !collided ? failures.find(({ write }) => createsSet(write)) : undefined;
  const noticed: Noticed = { made: made?.metadata.name, collided, failed: failed?.error, estimate: step.estimate };
  const after = deploymentStatus(
    deployment,
    sized.map((one) => one.after),
    current,
    noticed,
    now,
  );

  const sets: Write[] = [
    ...(made && !collided ? [create(ReplicaSets, made)] : []),
    ...sized.filter(({ before, after }) => !sameMeaning(before, after)).map((one) => update(one.after)),
    ...cleanup(deployment, step),
  ];
  // The status goes first when creating failed before: it says why. Otherwise it follows what it tells of.
  const report = status(deployment, after);
  return {
    writes: [
      ...claims,
      ...(failures.length > 0 ? [report, ...sets] : [...sets, report]),
      noteRevision(deployment, current ?? made),
    ],
    events: [
      ...sized.flatMap((one) => scaled(deployment, one.after.metadata.name, wanted(one.before), wanted(one.after))),
      ...(made && !collided && !failed ? scaled(deployment, made.metadata.name, 0, wanted(made)) : []),
      ...(failed ? [createFailed(deployment, made?.metadata.name ?? "", failed.error)] : []),
    ],
    lookAgainIn: stuckIn(deployment, after, now),
  };
}

/** With strategy Recreate, the end of a pod is what the next version waits for. */
function recreating(pod: Pod, cache: Cache): readonly Key[] {
  const { namespace } = pod.metadata;
  const set = controllerOf(pod);
  const owner =
    set?.kind === "ReplicaSet" ? controllerOf(cache.get(ReplicaSets, { namespace, name: set.name }) ?? pod) : undefined;
  if (owner?.kind !== "Deployment") return [];
  const deployment = cache.get(Deployments, { namespace, name: owner.name });
  return deployment && !isRolling(deployment) ? [{ namespace, name: owner.name }] : [];
}

/** The oldest set of the current template, and all others. */
function versions(deployment: Deployment, sets: readonly ReplicaSet[]): { current?: ReplicaSet; old: ReplicaSet[] } {
  const sorted = [...sets].sort(oldestFirst);
  const current = sorted.find((set) => sameTemplate(set.spec.template, deployment.spec.template));
  return { current, old: sorted.filter((set) => set !== current) };
}

const isResized = (deployment: Deployment, sets: readonly ReplicaSet[]) =>
  sets.some((set) => wanted(set) > 0 && (annotatedDesired(set) ?? wanted(deployment)) !== wanted(deployment));

/** Nothing of the new version starts before the last pod of the old ones has gone. */
function recreateStep(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
  pods: readonly Pod[],
) {
  const active = old.filter((set) => wanted(set) > 0);
  if (active.length > 0) return { sizes: new Map(active.map((set) => [set.metadata.name, 0])) };
  const uids = new Set(old.map((set) => set.metadata.uid));
  const running = (pod: Pod) => !isTerminal(pod) && pod.metadata.ownerReferences?.some(({ uid }) => uids.has(uid));
  if (old.some((set) => (set.status?.replicas ?? 0) > 0) || pods.some(running)) return { sizes: new Map() };
  return current
    ? { sizes: new Map([[current.metadata.name, wanted(deployment)]]) }
    : { sizes: new Map(), create: true };
}

function resized(deployment: Deployment, set: ReplicaSet, size: number | undefined, revision: number | undefined) {
  const kept = revision === undefined ? { ...set.metadata.annotations } : currentAnnotations(deployment, set, revision);
  const noted =
    size === undefined ? {} : sizeAnnotations(wanted(deployment), wanted(deployment) + maxSurge(deployment));
  const minReady = revision === undefined ? set.spec.minReadySeconds : deployment.spec.minReadySeconds;
  const after: ReplicaSet = {
    ...set,
    metadata: { ...set.metadata, annotations: { ...kept, ...noted } },
    spec: {
      ...set.spec,
      ...(size !== undefined && { replicas: size }),
      ...(minReady !== undefined && { minReadySeconds: minReady }),
    },
  };
  if ((set.spec.minReadySeconds ?? 0) === (minReady ?? 0))
    after.spec = { ...after.spec, minReadySeconds: set.spec.minReadySeconds };
  if (!set.metadata.annotations && Object.keys(after.metadata.annotations ?? {}).length === 0)
    after.metadata = set.metadata;
  return { before: set, after };
}

function newSet(deployment: Deployment, old: readonly ReplicaSet[], revision: number): ReplicaSet {
  const hash = templateHash(deployment.spec.template, deployment.status?.collisionCount);
  const { template, selector } = deployment.spec;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const base = deployment.metadata.name.slice(0, 253 - 1 - hash.length);
  const metadata = { ...madeFrom(deployment, Deployments, {}, `${base}-${hash}`), labels };
  return newObject(ReplicaSets, {
    metadata: {
      ...metadata,
      annotations: {
        ...currentAnnotations(deployment, { metadata: {} }, revision),
        ...sizeAnnotations(wanted(deployment), wanted(deployment) + maxSurge(deployment)),
      },
    },
    spec: {
      replicas: newSize(deployment, 0, old),
      ...(deployment.spec.minReadySeconds !== undefined && { minReadySeconds: deployment.spec.minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } } as ReplicaSet["spec"]["template"],
    },
  });
}

const createsSet = (write: Write) => write.verb === "create" && write.resource.plural === ReplicaSets.plural;

/** The name is taken by a set that is not this version's: by one of ours with another template, or by somebody else's. */
const hasCollided = (made: ReplicaSet, old: readonly ReplicaSet[], failures: readonly Failure[]): boolean =>
  old.some((set) => set.metadata.name === made.metadata.name) ||
  failures.some(
    ({ write, error }) =>
      write.verb === "create" &&
      createsSet(write) &&
      write.object.metadata.name === made.metadata.name &&
      isAlreadyExists(error),
  );

/** Old sets beyond the history limit go, the earliest revision first, once the rollout is complete. */
function cleanup(deployment: Deployment, { old, estimate }: Step): Write[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  if (estimate ? !isComplete(deployment, deployment.status ?? {}) : !deployment.spec.paused) return [];
  const candidates = old.filter((set) => !isDeleted(set));
  return candidates
    .sort((a, b) => revisionOf(a) - revisionOf(b) || oldestFirst(a, b))
    .slice(0, Math.max(0, candidates.length - limit))
    .filter(
      (set) =>
        wanted(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
    .map((set) => remove(set));
}

/** A patch without a precondition, so that it does not get into the way of the status, which is another write. */
function noteRevision(deployment: Deployment, current: ReplicaSet | undefined): Write | undefined {
  const revision = current?.metadata.annotations?.[revisionAnnotation];
  if (revision === undefined || deployment.metadata.annotations?.[revisionAnnotation] === revision) return undefined;
  const { name, namespace } = deployment.metadata;
  const patch = { metadata: { annotations: { [revisionAnnotation]: revision } } };
  return { resource: Deployments, verb: "patch", type: "merge", namespace, name, patch };
}

function scaled(deployment: Deployment, name: string, from: number, to: number): EventNote[] {
  if (from === to) return [];
  const message = `Scaled ${from < to ? "up" : "down"} replica set ${name} from ${from} to ${to}`;
  return [{ about: deployment, type: "Normal", reason: "ScalingReplicaSet", message }];
}

const createFailed = (deployment: Deployment, name: string, error: Error): EventNote => ({
  about: deployment,
  type: "Warning",
  reason: "ReplicaSetCreateError",
  message: `Failed to create new replica set "${name}": ${error.message}`,
});
