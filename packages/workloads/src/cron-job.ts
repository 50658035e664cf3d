/**
 * Makes a Job of each CronJob whenever its schedule comes, and keeps as many finished ones as it says. When that is, is
 * schedule.ts' business.
 *
 * Source: kubernetes pkg/controller/cronjob. Unlike there, the list of active Jobs is taken from the Jobs themselves, and so is
 * the last start: a Job that was made before a crash is never forgotten, nor made twice.
 */
import {
  byOwner,
  type Controller,
  create,
  type Decision,
  type EventNote,
  event,
  type Failure,
  ownedBy,
  remove,
  status,
  type Write,
  watch,
  watchOwned,
} from "@flotilla/client";
import {
  type CronJob,
  type CronJobStatus,
  CronJobs,
  isAlreadyExists,
  isDeleted,
  isTimeZone,
  isTrue,
  type Job,
  Jobs,
  newObject,
  timeOf,
} from "@flotilla/objects";
import { isFinished } from "./job.ts";
import { madeFrom } from "./owner.ts";
import { type Due, dueAt, dueIn, type Next, nextOf, timeIn } from "./schedule.ts";
import { millis } from "./timestamp.ts";

export interface ObservedCronJob {
  readonly cronJob: CronJob;
  readonly jobs: readonly Job[];
}

/** When the schedule wanted the Job; by it the last start is known. */
const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

export const cronJobController: Controller<ObservedCronJob> = {
  name: "cronjob",
  watches: [watch(CronJobs), watchOwned(Jobs, CronJobs, { indexes: [byOwner] })],

  observe(key, cache) {
    const cronJob = cache.get(CronJobs, key);
    return cronJob && { cronJob, jobs: cache.list(Jobs, ownedBy(cronJob)) };
  },

  decide({ cronJob, jobs }, { now, failures }) {
    const after = statusOf(cronJob, jobs);
    const seen = { ...cronJob, status: after };
    const start = isDeleted(cronJob) ? {} : started(seen, jobs, failures, now.getTime());
    const old = isDeleted(cronJob) ? [] : outdated(cronJob, jobs);
    return {
      // The status comes first: what it says must be known before the Jobs that say it go.
      writes: [status(cronJob, after), ...(start.writes ?? []), ...old.map(removed)],
      events: [
        ...failed(cronJob, failures),
        ...news(cronJob, jobs),
        ...(start.events ?? []),
        ...old.map((job) => event(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${job.metadata.name}`)),
      ],
      lookAgainIn: start.lookAgainIn,
    };
  },
};

const removed = (job: Job): Write => remove(job, { propagationPolicy: "Background" });

const nameAt = (cronJob: CronJob, at: number) => `${cronJob.metadata.name}-${Math.floor(at / 60_000)}`;

/** What runs, when the last one was started, when the last one succeeded. */
function statusOf({ status: before }: CronJob, jobs: readonly Job[]): CronJobStatus {
  const active = jobs
    .filter((job) => !isFinished(job))
    .map(({ metadata: { namespace, name, uid, resourceVersion } }) => {
      const known = before?.active?.find((reference) => reference.uid === uid);
      return known ?? { apiVersion: "batch/v1", kind: "Job", namespace, name, uid, resourceVersion };
    });
  const latest = (times: (string | undefined)[]) => {
    const known = times.map(millis).filter((time) => !Number.isNaN(time));
    return known.length > 0 ? timeOf(new Date(Math.max(...known))) : undefined;
  };
  const lastScheduleTime = latest([
    before?.lastScheduleTime,
    ...jobs.map(({ metadata }) => metadata.annotations?.[scheduledAnnotation]),
  ]);
  const lastSuccessfulTime = latest([
    before?.lastSuccessfulTime,
    ...jobs.filter((job) => isTrue(job.status?.conditions, "Complete")).map((job) => job.status?.completionTime),
  ]);
  return {
    ...(active.length > 0 && { active }),
    ...(lastScheduleTime && { lastScheduleTime }),
    ...(lastSuccessfulTime && { lastSuccessfulTime }),
  };
}

/** The next Job if it is due, and when to look again. */
function started(
  cronJob: CronJob,
  jobs: readonly Job[],
  failures: readonly Failure[],
  now: number,
): Pick<Decision, "writes" | "events" | "lookAgainIn"> {
  const { schedule, timeZone, suspend, concurrencyPolicy } = cronJob.spec;
  const warning = (reason: string, message: string) => event(cronJob, "Warning", reason, message);
  if (timeZone !== undefined && !isTimeZone(timeZone))
    return { events: [warning("UnknownTimeZone", `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`)] };
  if (suspend) return {};
  let next: Next;
  let due: Due;
  try {
    next = nextOf(cronJob);
  } catch (error) {
    return { events: [warning("UnparseableSchedule", `unparseable schedule: "${schedule}" : ${messageOf(error)}`)] };
  }
  try {
    due = dueAt(cronJob, next, now);
  } catch (error) {
    return { events: [warning("InvalidSchedule", `invalid schedule: ${schedule} : ${messageOf(error)}`)] };
  }
  const lookAgainIn = dueIn(cronJob, next, now);
  const { at, tooManyMissed } = due;
  if (at === undefined) return { lookAgainIn };
  const events: EventNote[] = tooManyMissed
    ? [
        warning(
          "TooManyMissedTimes",
          "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
        ),
      ]
    : [];
  const name = nameAt(cronJob, at);
  const isMade = jobs.some(({ metadata }) => metadata.name === name);
  if (isMade || millis(cronJob.status?.lastScheduleTime) === at || isTaken(name, failures))
    return { events, lookAgainIn };
  const running = jobs.filter((job) => !isFinished(job));
  if (concurrencyPolicy === "Forbid" && running.length > 0) {
    const why = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return { events: [...events, event(cronJob, "Normal", "JobAlreadyActive", why)], lookAgainIn };
  }
  const replaced = concurrencyPolicy === "Replace" ? running.filter((job) => !isDeleted(job)) : [];
  return {
    writes: [...replaced.map(removed), create(Jobs, jobAt(cronJob, name, at))],
    events: [
      ...events,
      ...replaced.map((job) => event(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${job.metadata.name}`)),
      event(cronJob, "Normal", "SuccessfulCreate", `Created job ${name}`),
    ],
    lookAgainIn,
  };
}

function jobAt(cronJob: CronJob, name: string, at: number): Job {
  const { jobTemplate, timeZone } = cronJob.spec;
  const metadata = madeFrom(cronJob, CronJobs, jobTemplate, name);
  const annotations = { ...metadata.annotations, [scheduledAnnotation]: timeIn(timeZone ?? "UTC", at) };
  return newObject(Jobs, { metadata: { ...metadata, annotations }, spec: jobTemplate.spec ?? { template: {} } });
}

/** Somebody else has a Job of that name: theirs counts as this one. */
const isTaken = (name: string, failures: readonly Failure[]): boolean =>
  failures.some(
    ({ write, error }) => write.verb === "create" && write.object.metadata.name === name && isAlreadyExists(error),
  );

const failed = (cronJob: CronJob, failures: readonly Failure[]): EventNote[] =>
  failures.flatMap(({ write, error }) => {
    if (write.verb === "create" && !isAlreadyExists(error))
      return [event(cronJob, "Warning", "FailedCreate", `Error creating job: ${error.message}`)];
    if (write.verb === "delete") return [event(cronJob, "Warning", "FailedDelete", `Deleted job: ${error.message}`)];
    return [];
  });

/** What has become of the Jobs that were active at the last look. */
const news = (cronJob: CronJob, jobs: readonly Job[]): EventNote[] =>
  (cronJob.status?.active ?? []).flatMap(({ uid, name }) => {
    const job = jobs.find(({ metadata }) => metadata.uid === uid);
    if (!job) return [event(cronJob, "Normal", "MissingJob", `Active job went missing: ${name}`)];
    if (!isFinished(job)) return [];
    const condition = isTrue(job.status?.conditions, "Complete") ? "Complete" : "Failed";
    return [event(cronJob, "Normal", "SawCompletedJob", `Saw completed job: ${name}, condition: ${condition}`)];
  });

/** Finished Jobs beyond the limits, the ones that started first. */
function outdated({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const beyond = (condition: string, limit: number | undefined) => {
    const ended = jobs.filter((job) => isTrue(job.status?.conditions, condition)).sort(earliestFirst);
    return limit === undefined ? [] : ended.slice(0, Math.max(0, ended.length - limit));
  };
  const all = [
    ...beyond("Complete", spec.successfulJobsHistoryLimit),
    ...beyond("Failed", spec.failedJobsHistoryLimit),
  ];
  return all.filter((job) => !isDeleted(job));
}

/** One that never started comes last. */
const earliestFirst = (a: Job, b: Job): number => {
  const startOf = (job: Job) => (job.status?.startTime ? millis(job.status.startTime) : Number.MAX_SAFE_INTEGER);
  return startOf(a) - startOf(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
