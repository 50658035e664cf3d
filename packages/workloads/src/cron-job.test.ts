import type { Failure } from "@flotilla/client";
import {
  alreadyExists,
  type CronJob,
  CronJobs,
  forbidden,
  isDeleted,
  type Job,
  Jobs,
  newObject,
  ownerReference,
} from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { cronJobController } from "./cron-job.ts";
import { nextOf, timeIn } from "./schedule.ts";
import { meta, template } from "./testing/objects.ts";
import { createdBy, eventsOf, statusOf, summary } from "./testing/summary.ts";
import { World } from "./testing/world.ts";

type Spec = Partial<CronJob["spec"]>;

/** Made at midnight, every hour at half past. */
const cronJob = (
  more: Spec = {},
  status: CronJob["status"] = {},
  metadata: Partial<CronJob["metadata"]> = {},
): CronJob =>
  newObject(CronJobs, {
    metadata: meta("report", metadata),
    spec: {
      schedule: "30 * * * *",
      concurrencyPolicy: "Allow",
      jobTemplate: { spec: { template: template("1", { restartPolicy: "Never" }) } } as CronJob["spec"]["jobTemplate"],
      ...more,
    },
    status,
  });

const minutesAt = (time: string) => Math.floor(Date.parse(time) / 60_000);
const day = (time: string) => `2026-01-01T${time}:00Z`;

/** Of the CronJob, for that time; it runs unless told how it ended. */
const job = (time: string, ended?: "Complete" | "Failed", more: Partial<Job["metadata"]> = {}): Job => {
  const name = `report-${minutesAt(day(time))}`;
  return newObject(Jobs, {
    metadata: meta(name, {
      ownerReferences: [ownerReference(cronJob(), CronJobs)],
      annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": day(time) },
      ...more,
    }),
    spec: { template: template() },
    status: {
      startTime: day(time),
      ...(ended && { conditions: [{ type: ended, status: "True" }] }),
      ...(ended === "Complete" && { completionTime: day(time) }),
    },
  });
};
const running = (time: string) => ({ namespace: "shop", name: job(time).metadata.name, uid: job(time).metadata.uid });

const at = (time: string, of: CronJob, jobs: Job[] = [], failures: Failure[] = []) =>
  cronJobController.decide({ cronJob: of, jobs }, { now: new Date(day(time)), failures });
const made = (time: string, of: CronJob, ...jobs: Job[]) =>
  createdBy(at(time, of, jobs)).map(({ metadata }) => metadata.name);
const named = (...times: string[]) => times.map((time) => `report-${minutesAt(day(time))}`);

describe("starts", () => {
  test("nothing before its time", () => expect(made("00:29", cronJob())).toEqual([]));
  test("a job when its time has come", () => expect(made("00:30", cronJob())).toEqual(named("00:30")));
  test("the latest of what was missed, once", () => expect(made("05:40", cronJob())).toEqual(named("05:30")));
  test("not again what was started", () =>
    expect(made("00:31", cronJob({}, { lastScheduleTime: day("00:30") }))).toEqual([]));
  test("not again what was made before a crash", () => expect(made("00:31", cronJob(), job("00:30"))).toEqual([]));
  test("not again what has ended and is still there", () =>
    expect(made("00:31", cronJob(), job("00:30", "Complete"))).toEqual([]));
  test("beside one that runs", () => expect(made("01:30", cronJob(), job("00:30"))).toEqual(named("01:30")));
  test("nothing beside one that runs with Forbid", () =>
    expect(made("01:30", cronJob({ concurrencyPolicy: "Forbid" }), job("00:30"))).toEqual([]));
  test("late, once what ran has ended, with Forbid", () =>
    expect(made("01:50", cronJob({ concurrencyPolicy: "Forbid" }), job("00:30", "Failed"))).toEqual(named("01:30")));
  test("in place of what runs with Replace", () =>
    expect(summary(at("01:30", cronJob({ concurrencyPolicy: "Replace" }), [job("00:30")]))).toEqual({
      creates: 1,
      deletes: named("00:30"),
    }));
  test("nothing while suspended", () => expect(made("00:30", cronJob({ suspend: true }))).toEqual([]));
  test("nothing when being deleted", () =>
    expect(made("00:30", cronJob({}, {}, { deletionTimestamp: day("00:20") }))).toEqual([]));
  test("late within the deadline", () =>
    expect(made("00:31", cronJob({ startingDeadlineSeconds: 120 }))).toEqual(named("00:30")));
  test("nothing beyond the deadline", () =>
    expect(made("00:32", cronJob({ startingDeadlineSeconds: 120 }))).toEqual([]));
  test("at an interval from when it was made", () =>
    expect(made("01:00", cronJob({ schedule: "@every 50m" }))).toEqual(named("00:50")));
  test("in its time zone", () => {
    const berlin = cronJob({ schedule: "0 3 * * *", timeZone: "Europe/Berlin" });
    expect([made("01:59", berlin), made("02:00", berlin)]).toEqual([[], named("02:00")]);
  });
  test("a job of the template, owned, told its time in its zone", () => {
    const metadata = { labels: { team: "a" }, annotations: { b: "c" } } as unknown as CronJob["metadata"];
    const jobTemplate = { ...cronJob().spec.jobTemplate, metadata };
    const [found] = createdBy<Job>(
      at("00:30", cronJob({ jobTemplate, timeZone: "Asia/Kolkata", schedule: "0 6 * * *" })),
    );
    expect(found?.metadata).toEqual({
      name: named("00:30")[0],
      namespace: "shop",
      labels: { team: "a" },
      annotations: { b: "c", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T06:00:00+05:30" },
      ownerReferences: [ownerReference(cronJob(), CronJobs)],
    });
    expect(found?.spec).toEqual(jobTemplate.spec);
  });
  test("nothing where the name is taken", () => {
    const [object] = createdBy<Job>(at("00:30", cronJob()));
    const write = { verb: "create", resource: Jobs, object } as Failure["write"];
    const taken = { write, error: alreadyExists(Jobs, named("00:30")[0] ?? ""), count: 1 };
    expect(summary(at("00:30", cronJob(), [], [taken]))).toEqual({});
  });
});

describe("looks again", () => {
  test.each<[string, string, Spec, number | undefined]>([
    ["at the next time", "00:20", {}, 600_100],
    ["at the time after the one that is due", "00:30", {}, 3_600_100],
    ["after what was missed", "05:40", {}, 3_000_100],
    ["at the next time of its zone", "00:00", { schedule: "0 3 * * *", timeZone: "Europe/Berlin" }, 7_200_100],
    ["never while suspended", "00:20", { suspend: true }, undefined],
    ["never for a time that never comes", "00:20", { schedule: "0 0 31 2 *" }, undefined],
    ["never in a zone that is none", "00:20", { timeZone: "Mars/Olympus" }, undefined],
  ])("%s", (_, time, spec, delay) => expect(at(time, cronJob(spec)).lookAgainIn).toBe(delay));
});

describe("tells", () => {
  test.each<[string, string, Spec, Job[], string[]]>([
    ["of a start", "00:30", {}, [], ["SuccessfulCreate"]],
    ["why it does not start", "01:30", { concurrencyPolicy: "Forbid" }, [job("00:30")], ["JobAlreadyActive"]],
    ["of too many missed", "23:59", { schedule: "* * * * *" }, [], ["TooManyMissedTimes", "SuccessfulCreate"]],
    ["of a schedule that never comes", "00:30", { schedule: "0 0 31 2 *" }, [], ["InvalidSchedule"]],
    ["of a schedule that is none", "00:30", { schedule: "soon" }, [], ["UnparseableSchedule"]],
    ["of a zone that is none", "00:30", { timeZone: "Mars/Olympus" }, [], ["UnknownTimeZone"]],
  ])("%s", (_, time, spec, jobs, reasons) => expect(eventsOf(at(time, cronJob(spec), jobs))).toEqual(reasons));
  test("of what has ended and what is gone", () => {
    const of = cronJob({}, { active: [running("00:30"), running("01:30")], lastScheduleTime: day("02:30") });
    expect(at("02:31", of, [job("00:30", "Failed")]).events?.map(({ message }) => message)).toEqual([
      `Saw completed job: ${named("00:30")}, condition: Failed`,
      `Active job went missing: ${named("01:30")}`,
    ]);
  });
  test("what could not be made", () => {
    const write = { verb: "create", resource: Jobs, object: job("00:30") } as unknown as Failure["write"];
    const failure = { write, error: forbidden(Jobs, "report-1", "exceeded quota"), count: 1 };
    expect(at("00:31", cronJob(), [], [failure]).events?.[0]?.message).toBe(
      'Error creating job: jobs.batch "report-1" is forbidden: exceeded quota',
    );
  });
});

describe("reports", () => {
  test("what runs, the last start and the last success", () =>
    expect(statusOf(at("02:31", cronJob(), [job("00:30", "Complete"), job("01:30", "Failed"), job("02:30")]))).toEqual({
      active: [{ apiVersion: "batch/v1", kind: "Job", resourceVersion: "1", ...running("02:30") }],
      lastScheduleTime: day("02:30"),
      lastSuccessfulTime: day("00:30"),
    }));
  test("nothing of a start that was refused", () => expect(statusOf(at("00:30", cronJob()))).toEqual({}));
});

describe("keeps", () => {
  const limits = { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0, suspend: true };
  test("as many finished jobs as it says, the latest ones", () =>
    expect(
      summary(
        at("03:00", cronJob(limits), [job("00:30", "Complete"), job("01:30", "Complete"), job("02:30", "Failed")]),
      ),
    ).toEqual({ deletes: named("00:30", "02:30") }));
  test("what runs", () => expect(summary(at("03:00", cronJob(limits), [job("00:30")]))).toEqual({}));
  test("all without limits", () =>
    expect(summary(at("03:00", cronJob({ suspend: true }), [job("00:30", "Failed"), job("01:30", "Failed")]))).toEqual(
      {},
    ));
});

describe("a schedule", () => {
  const next = (schedule: string, after: string, timeZone?: string) =>
    new Date(nextOf(cronJob({ schedule, timeZone }))(Date.parse(after)) ?? Number.NaN).toISOString();
  test("of a day and a weekday comes on either", () =>
    expect(next("0 0 13 * 5", "2026-02-28T00:00:00Z")).toBe("2026-03-06T00:00:00.000Z"));
  test("of any day and a weekday comes on that", () =>
    expect(next("0 0 */1 * 5", "2026-02-28T00:00:00Z")).toBe("2026-03-06T00:00:00.000Z"));
  test("from a minute on", () => expect(next("5/20 * * * *", "2026-01-01T00:06:00Z")).toBe("2026-01-01T00:25:00.000Z"));
  test("comes once where clocks are put back", () =>
    expect(next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin")).toBe("2026-10-26T01:30:00.000Z"));
  test("is told with the offset of its zone", () =>
    expect(["UTC", "Europe/Berlin", "America/New_York"].map((zone) => timeIn(zone, Date.parse(day("03:00"))))).toEqual([
      "2026-01-01T03:00:00Z",
      "2026-01-01T04:00:00+01:00",
      "2025-12-31T22:00:00-05:00",
    ]));
});

test("one job an hour, through a day of crashes", () => {
  const world = new World(cronJob({ successfulJobsHistoryLimit: 3 }, {}, { creationTimestamp: day("00:00") }));
  const key = { namespace: "shop", name: "report" };
  const seen = new Set<string>();
  for (let minute = 0; minute < 24 * 60; minute++) {
    world.now = new Date(Date.parse(day("00:00")) + minute * 60_000);
    world.look(cronJobController, key);
    for (const each of world.list(Jobs)) {
      seen.add(each.metadata.name);
      if (!isDeleted(each) && !each.status?.conditions) {
        const ended = {
          conditions: [{ type: "Complete", status: "True" as const }],
          completionTime: world.now.toISOString(),
        };
        world.apply({
          writes: [
            { verb: "update", resource: Jobs, subresource: "status", object: { ...each, status: ended } as Job },
          ],
        });
      }
    }
  }
  expect(seen.size).toBe(24);
  expect(world.list(Jobs).length).toBeLessThanOrEqual(4);
});
