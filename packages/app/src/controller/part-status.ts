/** How far a part of an app is: from its workload's status and its pods. */
import {
  type CronJob,
  type DaemonSet,
  type Deployment,
  getCondition,
  isTrue,
  type Job,
  type KubeObject,
  type Pod,
  type StatefulSet,
} from "@flotilla/objects";
import { type Problem, podProblem } from "./pod-problem.ts";

export type PartState = "waiting" | "building" | "starting" | "ready" | "failing" | "left out" | "done";

/** What App.status.services holds for a service, a database, a job or a migration. */
export interface PartStatus {
  readonly state: PartState;
  /** Why it is not ready, in a sentence. */
  readonly message?: string;
  /** Pods; absent for what has no number of them. */
  readonly ready?: number;
  readonly desired?: number;
  /** Of the version that is wanted. */
  readonly updated?: number;
  readonly version?: string;
}

interface Count {
  readonly desired: number;
  readonly ready: number;
  readonly updated: number;
  /** The workload's controller has seen what is asked for, and nothing of an old version is left. */
  readonly complete: boolean;
  readonly failure?: string;
}

const seen = (object: KubeObject & { status?: { observedGeneration?: number } }): boolean =>
  (object.status?.observedGeneration ?? 0) >= (object.metadata.generation ?? 0);

function countDeployment({ spec, status, ...rest }: Deployment): Count {
  const desired = spec.replicas ?? 1;
  const updated = status?.updatedReplicas ?? 0;
  const ready = status?.readyReplicas ?? 0;
  const progressing = getCondition(status?.conditions, "Progressing");
  const failed = getCondition(status?.conditions, "ReplicaFailure");
  const failure =
    (failed?.status === "True" ? failed.message : undefined) ??
    (progressing?.reason === "ProgressDeadlineExceeded" ? "it did not get ready in time" : undefined);
  const complete =
    seen({ ...rest, status }) && updated >= desired && ready >= desired && (status?.replicas ?? 0) <= updated;
  return { desired, ready, updated, complete, failure };
}

function countStatefulSet(set: StatefulSet): Count {
  const { spec, status } = set;
  const desired = spec.replicas ?? 1;
  const ready = status?.readyReplicas ?? 0;
  const current = status?.updateRevision !== undefined && status.updateRevision === status.currentRevision;
  const updated = current ? (status?.replicas ?? 0) : (status?.updatedReplicas ?? 0);
  return { desired, ready, updated, complete: seen(set) && ready >= desired && updated >= desired };
}

function countDaemonSet(set: DaemonSet): Count {
  const {
    desiredNumberScheduled: desired = 0,
    numberReady: ready = 0,
    updatedNumberScheduled: updated = 0,
  } = set.status ?? {};
  return { desired, ready, updated, complete: seen(set) && ready >= desired && updated >= desired };
}

function counted(count: Count, problem: Problem | undefined, now: Date): PartStatus {
  const { desired, ready, updated } = count;
  const numbers = { ready, desired, updated };
  if (count.complete) return { state: "ready", ...numbers };
  if (problem && isFailure(problem, now)) return { state: "failing", message: problem.message, ...numbers };
  if (count.failure !== undefined) return { state: "failing", message: problem?.message ?? count.failure, ...numbers };
  return { state: "starting", ...numbers };
}

const isFailure = ({ failsFrom = 0 }: Problem, now: Date): boolean => failsFrom <= now.getTime();

function jobStatus(job: Job, problem: string | undefined): PartStatus {
  if (isTrue(job.status?.conditions, "Complete")) return { state: "done" };
  const failed = getCondition(job.status?.conditions, "Failed");
  if (failed?.status === "True")
    return {
      state: "failing",
      message: problem ?? failed.message ?? failed.reason ?? `see kubectl logs job/${job.metadata.name}`,
    };
  return problem === undefined ? { state: "starting" } : { state: "failing", message: problem };
}

function cronJobStatus(cron: CronJob): PartStatus {
  const message = cron.spec.suspend
    ? `starts with: kubectl create job --from=cronjob/${cron.metadata.name} NAME`
    : `runs at ${cron.spec.schedule}`;
  return { state: "ready", message };
}

/** The failures first: one pod that only needs a moment does not hide another's. */
const worst = (pods: readonly Pod[]): Problem | undefined =>
  pods
    .flatMap((pod) => podProblem(pod) ?? [])
    .sort((a, b) => (a.failsFrom ?? 0) - (b.failsFrom ?? 0))
    .at(0);

/** Milliseconds until what is wrong with one of these pods begins to count as a failure. */
export function failsIn(pods: readonly Pod[], now: Date): number | undefined {
  const times = pods.flatMap((pod) => podProblem(pod)?.failsFrom ?? []).map((time) => time - now.getTime());
  const ahead = times.filter((time) => time > 0);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

/** `live` is what the part's pods come from; undefined: not there yet. */
export function partStatus(live: KubeObject | undefined, pods: readonly Pod[], now: Date): PartStatus {
  if (!live) return { state: "starting" };
  const problem = worst(pods);
  switch (live.kind) {
    case "Deployment":
      return counted(countDeployment(live as Deployment), problem, now);
    case "StatefulSet":
      return counted(countStatefulSet(live as StatefulSet), problem, now);
    case "DaemonSet":
      return counted(countDaemonSet(live as DaemonSet), problem, now);
    case "Job":
      return jobStatus(live as Job, problem && isFailure(problem, now) ? problem.message : undefined);
    case "CronJob":
      return cronJobStatus(live as CronJob);
    default: {
      // CloudNativePG and the like say it with a condition.
      const { conditions } = (live as { status?: { conditions?: { type: string; status: string }[] } }).status ?? {};
      return { state: isTrue(conditions, "Ready") ? "ready" : "starting" };
    }
  }
}
