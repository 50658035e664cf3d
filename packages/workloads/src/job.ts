/**
 * Runs each Job's pods to completion: as many at once as parallelism allows, until enough have succeeded or too many failed.
 *
 * Source: kubernetes pkg/controller/job. Not here: backoffLimitPerIndex and successPolicy.
 */
import {
  byOwner,
  type Controller,
  create,
  type Decision,
  type EventNote,
  ownedBy,
  remove,
  status,
  together,
  type Write,
  watch,
  watchMatching,
} from "@flotilla/client";
import {
  controllerOf,
  getCondition,
  isActive,
  isDeleted,
  isReady,
  isTrue,
  type Job,
  type JobCondition,
  type JobStatus,
  Jobs,
  type Pod,
  Pods,
  timeOf,
} from "@flotilla/objects";
import { compact } from "./canonical.ts";
import { failureEvents, podEvents } from "./failure.ts";
import { type Count, countPods, untracked } from "./job-count.ts";
import { backoff, hasFailed, indexOf, isIndexed, isTracked, jobPods } from "./job-pods.ts";
import { judge } from "./pod-failure-policy.ts";
import { surplus } from "./pod-rank.ts";
import { restarts } from "./pod-state.ts";
import { millis, soonest } from "./timestamp.ts";

export interface ObservedJob {
  /** Undefined: it is gone, and has left pods behind that wait to be counted. */
  readonly job: Job | undefined;
  readonly pods: readonly Pod[];
}

/** No look makes or deletes more pods than this. */
const burst = 500;

export const jobController: Controller<ObservedJob> = {
  name: "job",
  watches: [watch(Jobs), watchMatching(Pods, Jobs, { indexes: [byOwner] })],

  observe(key, cache) {
    const job = cache.get(Jobs, key);
    if (job)
      return job.spec?.managedBy && job.spec.managedBy !== "kubernetes.io/job-controller"
        ? undefined
        : { job, pods: cache.list(Pods, ownedBy(job)) };
    const left = (pod: Pod) =>
      isTracked(pod) && controllerOf(pod)?.kind === Jobs.kind && controllerOf(pod)?.name === key.name;
    const pods = cache.list(Pods, { namespace: key.namespace, where: left });
    return pods.length > 0 ? { job, pods } : undefined;
  },

  decide({ job, pods }, { now, failures }) {
    if (!job) return { writes: [together(pods.map(untracked))] };
    const tracked = pods.filter(isTracked);
    // Once finished, nothing changes any more; what was not let go then is let go now.
    if (isFinished(job)) return { writes: [together(tracked.filter((pod) => !isActive(pod)).map(untracked))] };
    const target = targetOf(job, pods, now);
    const count = countPods(job, pods, target?.type === "FailureTarget");
    const end = target ?? backoffEnd(job, pods, count, now) ?? successOf(job, pods, count, now);
    const plan = end ? ending(pods) : isDeleted(job) ? {} : managed(job, pods, count, now);
    const after = statusOf(job, pods, count, end, now);
    return {
      writes: [status(job, after), together(count.untrack), ...(plan.writes ?? [])],
      events: [...failureEvents(job, failures), ...(plan.events ?? []), ...news(job, after)],
      lookAgainIn: soonest([plan.lookAgainIn, end ? undefined : deadlineIn(job, now)]),
    };
  },
};

const parallelismOf = (job: Job) => job.spec?.parallelism ?? 1;

export const isFinished = (job: Job): boolean =>
  isTrue(job.status?.conditions, "Complete") || isTrue(job.status?.conditions, "Failed");

const condition = (type: string, reason: string, message: string, now: Date, is = "True"): JobCondition => ({
  type,
  status: is as JobCondition["status"],
  lastProbeTime: timeOf(now),
  lastTransitionTime: timeOf(now),
  reason,
  message,
});

/** The end that was decided at an earlier look, or that a failed pod brings at once. */
function targetOf(job: Job, pods: readonly Pod[], now: Date): JobCondition | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"])
    if (isTrue(job.status?.conditions, type)) return getCondition(job.status?.conditions, type);
  for (const pod of job.spec?.podFailurePolicy ? pods : []) {
    const { failsJob } = hasFailed(job, pod) ? judge(job.spec?.podFailurePolicy, pod) : { failsJob: undefined };
    if (failsJob) return condition("FailureTarget", "PodFailurePolicy", failsJob, now);
  }
  return undefined;
}

function backoffEnd(job: Job, pods: readonly Pod[], count: Count, now: Date): JobCondition | undefined {
  const limit = job.spec?.backoffLimit ?? 6;
  const again =
    job.spec?.template.spec?.restartPolicy === "OnFailure"
      ? pods.filter(isActive).reduce((all, pod) => all + restarts(pod), 0)
      : 0;
  if (count.failed > limit || (again > 0 && again >= limit))
    return condition("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit", now);
  const left = deadlineIn(job, now);
  if (left !== undefined && left <= 0)
    return condition("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline", now);
  return undefined;
}

function deadlineIn(job: Job, now: Date): number | undefined {
  const { activeDeadlineSeconds, suspend } = job.spec ?? {};
  if (activeDeadlineSeconds === undefined || suspend || !job.status?.startTime) return undefined;
  return millis(job.status.startTime) + activeDeadlineSeconds * 1000 - now.getTime();
}

/** Without a number of completions, one success is enough, and the others may finish. */
function successOf(job: Job, pods: readonly Pod[], count: Count, now: Date): JobCondition | undefined {
  const enough = job.spec?.completions === undefined ? count.succeeded > 0 : count.succeeded >= job.spec.completions;
  if (!enough || pods.some(isActive)) return undefined;
  return condition("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods", now);
}

interface Plan {
  readonly writes?: Decision["writes"];
  readonly events?: readonly EventNote[];
  readonly lookAgainIn?: number;
}

const ending = (pods: readonly Pod[]): Plan => ({
  writes: [together(pods.filter(isActive).map((pod) => remove(pod)))],
});

/** Makes what is missing and deletes what is too much; never both at one look. */
function managed(job: Job, pods: readonly Pod[], count: Count, now: Date): Plan {
  const active = pods.filter(isActive);
  const wanted = wantedActive(job, active.length, count);
  const duplicates = isIndexed(job) ? repeated(active, count) : [];
  const others = active.filter((pod) => !duplicates.includes(pod));
  const tooMany = [...duplicates, ...surplus(others, others.length - wanted, now)].slice(0, burst);
  if (tooMany.length > 0) {
    // Not a failure: they go without being counted. The delete follows a change of ours, so only the uid must be the same.
    const drop = (pod: Pod): Write[] => [
      ...(isTracked(pod) ? [untracked(pod)] : []),
      remove(pod, { preconditions: { uid: pod.metadata.uid } }),
    ];
    return { writes: tooMany.flatMap(drop), events: podEvents(job, [], tooMany) };
  }
  const terminating =
    job.spec?.podReplacementPolicy === "Failed" || job.spec?.podFailurePolicy
      ? pods.filter((pod) => isDeleted(pod) && pod.status?.phase !== "Failed" && pod.status?.phase !== "Succeeded")
          .length
      : 0;
  const missing = Math.min(burst, wanted - active.length - terminating);
  if (missing <= 0) return {};
  const wait = backoff(job, pods, now);
  if (wait > 0) return { lookAgainIn: wait };
  const made = jobPods(job, pods, isIndexed(job) ? nextIndexes(job, active, count, missing) : missing);
  return { writes: [together(made.map((pod) => create(Pods, pod)))], events: podEvents(job, made, []) };
}

function wantedActive(job: Job, active: number, count: Count): number {
  if (job.spec?.suspend) return 0;
  if (job.spec?.completions === undefined)
    return count.succeeded > 0 ? Math.min(active, parallelismOf(job)) : parallelismOf(job);
  return Math.max(0, Math.min(job.spec.completions - count.succeeded, parallelismOf(job)));
}

/** Pods of an index that is done or that another pod has. */
function repeated(active: readonly Pod[], { doneIndexes }: Count): Pod[] {
  const seen = new Set(doneIndexes);
  return active.filter((pod) => seen.has(indexOf(pod)) || !seen.add(indexOf(pod)));
}

function nextIndexes(job: Job, active: readonly Pod[], { doneIndexes }: Count, count: number): number[] {
  const busy = new Set(active.map(indexOf));
  const next: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && next.length < count; index++)
    if (!busy.has(index) && !doneIndexes.has(index)) next.push(index);
  return next;
}

function statusOf(job: Job, pods: readonly Pod[], count: Count, end: JobCondition | undefined, now: Date): JobStatus {
  const active = pods.filter(isActive);
  const terminating = pods.filter(
    (pod) => isDeleted(pod) && pod.status?.phase !== "Failed" && pod.status?.phase !== "Succeeded",
  );
  const before = job.status?.conditions ?? [];
  const { conditions, resumed } = end ? { conditions: before, resumed: false } : suspension(job, before, now);
  const known = end && isTrue(before, end.type);
  const over = known && count.settled && active.length === 0 && terminating.length === 0;
  const last = over && end && finalOf(end, now);
  const { uncountedTerminatedPods, ...numbers } = count.fields;
  const startTime = resumed || (!job.status?.startTime && !job.spec?.suspend) ? timeOf(now) : job.status?.startTime;
  const all = [...conditions, ...(end && !known ? [end] : []), ...(last ? [last] : [])];
  return compact<JobStatus>(
    {
      ...numbers,
      ...(job.status?.failedIndexes !== undefined && { failedIndexes: job.status.failedIndexes }),
      startTime,
      active: active.length,
      ready: active.filter(isReady).length,
      terminating: terminating.length,
      uncountedTerminatedPods,
      ...(all.length > 0 && { conditions: all }),
      ...(last && last.type === "Complete" && { completionTime: timeOf(now) }),
    },
    "ready",
    "terminating",
  );
}

/** The condition that follows its herald once everything has been counted; the API refuses it without. */
const finalOf = ({ type, reason, message }: JobCondition, now: Date) =>
  condition(type === "SuccessCriteriaMet" ? "Complete" : "Failed", reason ?? "", message ?? "", now);

function suspension(job: Job, conditions: JobCondition[], now: Date): { conditions: JobCondition[]; resumed: boolean } {
  const was = isTrue(conditions, "Suspended");
  const is = job.spec?.suspend === true;
  if (was === is) return { conditions, resumed: false };
  const next = is
    ? condition("Suspended", "JobSuspended", "Job suspended", now)
    : condition("Suspended", "JobResumed", "Job resumed", now, "False");
  return { conditions: [...conditions.filter(({ type }) => type !== "Suspended"), next], resumed: !is };
}

/** Each new condition is worth an event. */
function news(job: Job, after: JobStatus): EventNote[] {
  const fresh = (type: string) => {
    const now = getCondition(after.conditions, type);
    return now && now.status !== getCondition(job.status?.conditions, type)?.status ? now : undefined;
  };
  const note = (type: "Normal" | "Warning", reason: string, message: string): EventNote => ({
    about: job,
    type,
    reason,
    message,
  });
  const failed = fresh("FailureTarget");
  const suspended = fresh("Suspended");
  return [
    ...(failed ? [note("Warning", failed.reason ?? "", failed.message ?? "")] : []),
    ...(fresh("Complete") ? [note("Normal", "Completed", "Job completed")] : []),
    ...(suspended
      ? [note("Normal", suspended.status === "True" ? "Suspended" : "Resumed", suspended.message ?? "")]
      : []),
  ];
}
