/** Deletes finished Jobs `ttlSecondsAfterFinished` after their end. Source: kubernetes pkg/controller/ttlafterfinished. */
import { type Controller, remove, watch } from "@flotilla/client";
import { getCondition, isDeleted, type Job, Jobs } from "@flotilla/objects";
import { isFinished } from "./job.ts";
import { millis } from "./timestamp.ts";

export const jobTtlController: Controller<Job> = {
  name: "ttl-after-finished",
  watches: [watch(Jobs)],

  observe(key, cache) {
    const job = cache.get(Jobs, key);
    return job?.spec?.ttlSecondsAfterFinished !== undefined && isFinished(job) && !isDeleted(job) ? job : undefined;
  },

  decide(job, { now }) {
    const ends = ["Complete", "Failed"].map((type) =>
      millis(getCondition(job.status?.conditions, type)?.lastTransitionTime),
    );
    const end = Math.max(...ends.filter((time) => !Number.isNaN(time)));
    const left = end + (job.spec?.ttlSecondsAfterFinished ?? 0) * 1000 - now.getTime();
    return left > 0 ? { lookAgainIn: left } : { writes: [remove(job, { propagationPolicy: "Foreground" })] };
  },
};
