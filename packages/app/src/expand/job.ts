/** Jobs: by schedule, on request (a suspended CronJob, to be started with kubectl create job --from), before and after a release. */
import { CronJobs, type JobSpec, Jobs, type KubeObject, newObject } from "@flotilla/objects";
import { seconds } from "../model/formats.ts";
import type { Job } from "../model/parts.ts";
import type { Program } from "../model/service.ts";
import { type Expansion, hashOf, imageOf, type Part, versionedMetadata } from "./context.ts";
import { identityOf } from "./identity.ts";
import { networkPolicyOfJob } from "./network-policy.ts";
import { podTemplate } from "./pod-template.ts";

export const runOf = (job: Job): NonNullable<Job["run"]> => job.run ?? (job.schedule ? "schedule" : "manual");

export interface ExpandedJob {
  readonly objects: KubeObject[];
  /** The Job of this version, where it belongs to a release. */
  readonly job: KubeObject | undefined;
}

export function job(expansion: Expansion, name: string, job: Job): ExpandedJob {
  const program = job as Program;
  const part: Part = { name, component: "job", version: imageOf(expansion, name, program).short };
  const { template, reads } = podTemplate(expansion, part, program, "Job");
  const spec: JobSpec = {
    backoffLimit: job.backoffLimit ?? 3,
    activeDeadlineSeconds: seconds(job.deadline ?? "1h"),
    template,
  };
  const objects = [...identityOf(expansion, part, program), ...reads, networkPolicyOfJob(expansion, part, program)];
  const run = runOf(job);
  if (run === "beforeRelease" || run === "afterRelease") {
    // A Job's template never changes, so each release has a Job of its own name.
    const release = hashOf({ template, versions: expansion.versions, patches: [job.patches, expansion.app.patches] });
    const released = newObject(Jobs, { metadata: versionedMetadata(expansion, part, `${name}-${release}`), spec });
    return { objects, job: released };
  }
  const cron = newObject(CronJobs, {
    metadata: versionedMetadata(expansion, part),
    spec: {
      // Required by the API; a suspended one never comes to it.
      schedule: job.schedule ?? "0 0 1 1 *",
      timeZone: job.timeZone ?? "UTC",
      concurrencyPolicy: job.concurrencyPolicy ?? "Forbid",
      ...(run === "manual" && { suspend: true }),
      jobTemplate: { spec },
    },
  });
  return { objects: [...objects, cron], job: undefined };
}
