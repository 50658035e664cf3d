/**
 * Counts each ended pod of a Job exactly once, though answers get lost and controllers die: its uid is noted in the status, then
 * its finalizer goes, then the note becomes a number.
 *
 * Source: kubernetes pkg/controller/job (trackJobStatusAndRemoveFinalizers).
 */
import { patchMeta, type Write } from "@flotilla/client";
import { isDeleted, type Job, type JobStatus, type Pod } from "@flotilla/objects";
import { formatIndexes, parseIndexes } from "./indexes.ts";
import { hasFailed, hasSucceeded, indexOf, isIndexed, isTracked, trackingFinalizer } from "./job-pods.ts";
import { judge } from "./pod-failure-policy.ts";

/** As many are noted at once, so that the status stays small. */
const maxUncounted = 500;

export interface Count {
  readonly fields: Pick<JobStatus, "succeeded" | "failed" | "completedIndexes" | "uncountedTerminatedPods">;
  /** Numbers and notes together. */
  readonly succeeded: number;
  readonly failed: number;
  readonly doneIndexes: ReadonlySet<number>;
  /** To run after the status has been written. */
  readonly untrack: readonly Write[];
  /** Nothing is left to be counted. */
  readonly settled: boolean;
}

export const untracked = (pod: Pod): Write =>
  patchMeta(pod, { finalizers: pod.metadata.finalizers?.filter((each) => each !== trackingFinalizer) ?? [] });

/** `ending`: the Job has failed, so that what is still there counts as failed once it is on its way out. */
export function countPods(job: Job, pods: readonly Pod[], ending: boolean): Count {
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ""));
  const before = job.status?.uncountedTerminatedPods;
  const keep = (uids: readonly string[] = []) => uids.filter((uid) => tracked.has(uid));
  const succeeded = keep(before?.succeeded);
  const failed = keep(before?.failed);
  let numberSucceeded = (job.status?.succeeded ?? 0) + (before?.succeeded?.length ?? 0) - succeeded.length;
  const numberFailed = (job.status?.failed ?? 0) + (before?.failed?.length ?? 0) - failed.length;
  const done = parseIndexes(job.status?.completedIndexes, job.spec?.completions ?? 0);
  const untrack: Write[] = [];
  let settled = true;

  for (const pod of pods) {
    if (!isTracked(pod)) continue;
    const uid = pod.metadata.uid ?? "";
    const lost = hasFailed(job, pod) || (ending && isDeleted(pod));
    if (!hasSucceeded(pod) && !lost && !isDeleted(job)) continue;
    settled = false;
    const noted = succeeded.includes(uid) || failed.includes(uid);
    if (!noted && succeeded.length + failed.length >= maxUncounted) continue;
    untrack.push(untracked(pod));
    if (noted) continue;
    if (hasSucceeded(pod)) {
      if (!isIndexed(job)) succeeded.push(uid);
      else if (indexOf(pod) >= 0 && indexOf(pod) < (job.spec?.completions ?? 0)) done.add(indexOf(pod));
    } else if (lost && judge(job.spec?.podFailurePolicy, pod).counts) failed.push(uid);
  }
  if (isIndexed(job)) numberSucceeded = done.size;
  const uncounted = {
    ...(succeeded.length > 0 && { succeeded }),
    ...(failed.length > 0 && { failed }),
  };
  return {
    fields: {
      succeeded: numberSucceeded,
      failed: numberFailed,
      ...(isIndexed(job) && done.size > 0 && { completedIndexes: formatIndexes(done) }),
      uncountedTerminatedPods: uncounted,
    },
    succeeded: numberSucceeded + succeeded.length,
    failed: numberFailed + failed.length,
    doneIndexes: done,
    untrack,
    settled: settled && succeeded.length + failed.length === 0,
  };
}
