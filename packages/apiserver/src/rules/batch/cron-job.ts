/** CronJobs. Source: kubernetes pkg/apis/batch (v1/defaults.go, validation), pkg/registry/batch/cronjob */
import {
  type CronJob,
  type CronJobSpec,
  type FieldError,
  invalidValue,
  isTimeZone,
  notSupported,
  parseSchedule,
  required,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { nonNegative, oneOf } from "../mistakes.ts";
import { defaultTemplate } from "../pod/defaults.ts";
import { podSpecWarnings } from "../pod/warnings.ts";
import { jobSpecMistakes } from "./job-spec.ts";

/** A Job's name is that of its CronJob and eleven characters of time. */
const longestName = 52;

function scheduleMistakes({ schedule, timeZone }: CronJobSpec, before: CronJobSpec | undefined): FieldError[] {
  const path = "spec.schedule";
  if (!schedule) return [required(path)];
  const mistakes: FieldError[] = [];
  try {
    parseSchedule(schedule);
  } catch (error) {
    mistakes.push(invalidValue(path, schedule, (error as Error).message));
  }
  if (!schedule.includes("TZ")) return mistakes;
  if (!before?.schedule?.includes("TZ"))
    mistakes.push(invalidValue(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  else if (timeZone !== undefined)
    mistakes.push(invalidValue(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  return mistakes;
}

function zoneMistakes(zone: string | undefined): FieldError[] {
  const path = "spec.timeZone";
  if (zone === undefined) return [];
  if (zone === "") return [invalidValue(path, zone, "timeZone must be nil or non-empty string")];
  if (zone.toLowerCase() === "local") {
    const why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    return [invalidValue(path, zone, why)];
  }
  return isTimeZone(zone) ? [] : [invalidValue(path, zone, `unknown time zone ${zone}`)];
}

function specMistakes(spec: CronJobSpec): FieldError[] {
  const job = spec.jobTemplate.spec;
  const mistakes = [
    ...nonNegative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds),
    ...oneOf("spec.concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]),
    ...nonNegative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit),
    ...nonNegative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit),
  ];
  if (!job) return mistakes;
  const path = "spec.jobTemplate.spec";
  mistakes.push(...jobSpecMistakes(path, job));
  if (job.selector) mistakes.push(invalidValue(`${path}.selector`, job.selector, "`selector` will be auto-generated"));
  if (job.manualSelector) mistakes.push(notSupported(`${path}.manualSelector`, true, ["nil", "false"]));
  return mistakes;
}

export const cronJobs: KindRules<CronJob> = {
  defaults({ spec }) {
    fill(spec, {
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    // Of the job's own defaults none but the pod's: the rest is for the job when it is made.
    for (const rule of spec.jobTemplate.spec?.podFailurePolicy?.rules ?? [])
      for (const pattern of rule.onPodConditions ?? []) fill(pattern, { status: "True" });
    if (spec.jobTemplate.spec) defaultTemplate(spec.jobTemplate.spec.template);
  },
  validate: ({ spec }) => specMistakes(spec),
  validateCreate: ({ metadata, spec }) => [
    ...scheduleMistakes(spec, undefined),
    ...zoneMistakes(spec.timeZone),
    ...(metadata.name.length > longestName
      ? [invalidValue("metadata.name", metadata.name, `must be no more than ${longestName} characters`)]
      : []),
  ],
  validateUpdate: ({ spec }, before) => [
    ...scheduleMistakes(spec, before.spec),
    ...(spec.timeZone === before.spec.timeZone ? [] : zoneMistakes(spec.timeZone)),
  ],
  warnings: ({ spec }) => podSpecWarnings("spec.jobTemplate.spec.template.spec", spec.jobTemplate.spec?.template.spec),
};
