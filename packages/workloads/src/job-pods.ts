/** The pods of a Job: what each counts as, and what a new one looks like. */
import { hasLabels, isDeleted, type Job, Jobs, newObject, type Pod, type PodSpec, Pods } from "@flotilla/objects";
import { freeNames } from "./name-hash.ts";
import { madeFrom } from "./owner.ts";
import { millis } from "./timestamp.ts";

/** Keeps a pod until its Job has counted it. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
const indexKey = "batch.kubernetes.io/job-completion-index";

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(trackingFinalizer) ?? false;
export const isIndexed = (job: Job): boolean => job.spec?.completionMode === "Indexed";
export const hasSucceeded = (pod: Pod): boolean => pod.status?.phase === "Succeeded";

/** A pod on its way out has failed too, unless the Job replaces only those that ended as failed. */
export const hasFailed = (job: Job, pod: Pod): boolean =>
  pod.status?.phase === "Failed" ||
  (job.spec?.podReplacementPolicy !== "Failed" && !job.spec?.podFailurePolicy && isDeleted(pod) && !hasSucceeded(pod));

/** -1: none. */
export const indexOf = (pod: Pod): number => {
  const text = pod.metadata.annotations?.[indexKey];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1;
};

/** When its last container ended, in ms. */
export function finishedAt(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) => millis(state?.terminated?.finishedAt));
  const known = ends.filter((time) => !Number.isNaN(time));
  if (known.length > 0) return Math.max(...known);
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return millis(pod.metadata.deletionTimestamp ?? ready?.lastTransitionTime ?? pod.metadata.creationTimestamp);
}

const backoffBase = 10_000;
const backoffMax = 600_000;

/** Milliseconds until the next pod may be made: 10 s after the first failure since a success, doubling up to 10 min. */
export function backoff(job: Job, pods: readonly Pod[], now: Date): number {
  const lastSuccess = Math.max(0, ...pods.filter(hasSucceeded).map(finishedAt));
  const failures = pods
    .filter((pod) => hasFailed(job, pod))
    .map(finishedAt)
    .filter((time) => time > lastSuccess);
  if (failures.length === 0) return 0;
  const delay = Math.min(backoffMax, backoffBase * 2 ** Math.min(failures.length - 1, 10));
  return Math.max(0, Math.max(...failures) + delay - now.getTime());
}

/** The labels that the API gives to Jobs' pods; where it has not, the controller does. */
const jobLabels = (job: Job): Record<string, string> => ({
  "batch.kubernetes.io/controller-uid": job.metadata.uid ?? "",
  "batch.kubernetes.io/job-name": job.metadata.name,
  "controller-uid": job.metadata.uid ?? "",
  "job-name": job.metadata.name,
});

/** `indexes`: one pod for each; else `count` pods. */
export function jobPods(job: Job, existing: readonly Pod[], want: number | readonly number[]): Pod[] {
  const taken = new Set(existing.map(({ metadata }) => metadata.name));
  const uid = job.metadata.uid ?? "";
  if (typeof want === "number")
    return freeNames({ name: job.metadata.name, uid }, taken, want).map((name) => jobPod(job, name));
  return want.flatMap((index) =>
    freeNames({ name: `${job.metadata.name}-${index}`, uid }, taken, 1).map((name) => jobPod(job, name, index)),
  );
}

function jobPod(job: Job, name: string, index?: number): Pod {
  const template = job.spec?.template ?? {};
  const metadata = madeFrom(job, Jobs, template, name);
  const labels = hasLabels(metadata.labels, jobLabels(job))
    ? metadata.labels
    : { ...metadata.labels, ...jobLabels(job) };
  const finalizers = [...new Set([...(metadata.finalizers ?? []), trackingFinalizer])];
  const spec = template.spec ?? { containers: [] };
  if (index === undefined)
    return newObject(Pods, {
      metadata: { ...metadata, generateName: `${job.metadata.name}-`, labels, finalizers },
      spec,
    });
  return newObject(Pods, {
    metadata: {
      ...metadata,
      generateName: `${job.metadata.name}-${index}-`,
      labels: { ...labels, [indexKey]: String(index) },
      annotations: { ...metadata.annotations, [indexKey]: String(index) },
      finalizers,
    },
    spec: { ...withIndex(spec), hostname: `${job.metadata.name}-${index}` },
  });
}

const indexVariable = {
  name: "JOB_COMPLETION_INDEX",
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } },
};

function withIndex(spec: PodSpec): PodSpec {
  const add = <C extends { env?: PodSpec["containers"][number]["env"] }>(container: C): C =>
    container.env?.some(({ name }) => name === indexVariable.name)
      ? container
      : { ...container, env: [...(container.env ?? []), indexVariable] };
  return {
    ...spec,
    containers: spec.containers.map(add),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(add) }),
  };
}
