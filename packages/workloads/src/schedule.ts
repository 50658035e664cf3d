/**
 * When a CronJob is due: the calendar of its schedule, in its time zone.
 *
 * Source: kubernetes pkg/controller/cronjob/utils.go (mostRecentScheduleTime, nextScheduleTimeDuration). Where clocks are put
 * forward over a due time, the Job runs right after; Kubernetes leaves it out.
 */
import { createRequire } from "node:module";
import { type Calendar, type CronJob, type Field, parseSchedule } from "@flotilla/objects";
import { millis } from "./timestamp.ts";

const require = createRequire(import.meta.url);
/** Loaded at the first CronJob: most clusters have none. */
const croner = (): typeof import("croner") => require("croner");

/** The first due time after a moment, in ms; undefined when there is none any more. */
export type Next = (after: number) => number | undefined;

/** Throws an Error that says what is wrong with the schedule. */
export function nextOf({ spec }: CronJob): Next {
  const schedule = parseSchedule(spec.schedule);
  if ("every" in schedule) return (after) => Math.floor(after / 1000) * 1000 + schedule.every;
  const { Cron } = croner();
  const timezone = spec.timeZone ?? schedule.timeZone ?? "UTC";
  const cron = new Cron(patternOf(schedule), { mode: "5-part", timezone, paused: true });
  return (after) => cron.nextRun(new Date(after))?.getTime();
}

const patternOf = ({ minutes, hours, days, months, weekdays }: Calendar): string => {
  const text = (field: Field) => (field === "*" ? field : field.join(","));
  return [minutes, hours, days, months, weekdays].map(text).join(" ");
};

export interface Due {
  /** The latest due time that has come, in ms. */
  readonly at: number | undefined;
  /** More have been missed than a controller that works would miss. */
  readonly tooManyMissed: boolean;
}

const manyMissed = 100;

/** What of the schedule has come since the last start. Throws where the schedule never comes. */
export function dueAt(cronJob: CronJob, next: Next, now: number, withinDeadline = true): Due {
  const first = next(earliest(cronJob, now, withinDeadline));
  const second = first === undefined ? undefined : next(first);
  if (first === undefined || second === undefined || second - first < 1000)
    throw new Error("time difference between two schedules is less than 1 second");
  if (now < first) return { at: undefined, tooManyMissed: false };
  if (now < second) return { at: first, tooManyMissed: false };
  // Not all that was missed is gone through: the last ones are found from where they should be.
  const apart = second - first;
  const missed = Math.floor((now - first) / apart) + 1;
  let at: number | undefined;
  let each = next(first + (missed - 2) * apart);
  while (each !== undefined && each <= now) {
    at = each;
    each = next(each);
  }
  return { at, tooManyMissed: missed > manyMissed };
}

function earliest({ metadata, spec, status }: CronJob, now: number, withinDeadline: boolean): number {
  const since = millis(status?.lastScheduleTime ?? metadata.creationTimestamp);
  if (!withinDeadline || spec.startingDeadlineSeconds === undefined) return since;
  return Math.max(since, now - spec.startingDeadlineSeconds * 1000);
}

/** Added, so that clocks that differ a little do not make a look come too early. Milliseconds. */
const slack = 100;

/** Milliseconds until the schedule comes next. */
export function dueIn(cronJob: CronJob, next: Next, now: number): number | undefined {
  const { at } = dueAt(cronJob, next, now, false);
  const coming = next(Math.max(at ?? 0, earliest(cronJob, now, false)));
  const after = coming !== undefined && coming <= now ? next(now) : coming;
  return after === undefined ? undefined : after + slack - now;
}

/** RFC 3339 with the zone's offset: what Jobs are annotated with. */
export function timeIn(zone: string, at: number): string {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(at);
  const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  const offset = (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  const local = new Date(at + offset * 60_000).toISOString().slice(0, 19);
  return offset === 0 ? `${local}Z` : `${local}${sign}${hours}:${minutes}`;
}
