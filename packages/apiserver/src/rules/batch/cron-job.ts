/** CronJobs. Source: kubernetes pkg/apis/batch (v1/defaults.go, validation), pkg/registry/batch/cronjob */
import type { CronJob } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { defaultTemplate } from "../pod/defaults.ts";

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
};
