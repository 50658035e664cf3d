import { isActive, type Job, type JobStatus, Jobs, newObject, ownerReference, type Pod, Pods } from "@flotilla/objects";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jobController } from "./job.ts";
import { trackingFinalizer } from "./job-pods.ts";
import { jobTtlController } from "./job-ttl.ts";
import { calm, later, meta, readiness, template } from "./testing/objects.ts";
import { createdBy, statusOf, summary, writesOf } from "./testing/summary.ts";
import { World } from "./testing/world.ts";

const key = { namespace: "shop", name: "report" };
type Spec = Partial<NonNullable<Job["spec"]>>;
const job = (more: Spec = {}, status?: JobStatus): Job =>
  newObject(Jobs, {
    metadata: meta("report"),
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      template: template("1", { restartPolicy: "Never" }),
      ...more,
    },
    ...(status && { status }),
  });
const pod = (
  name: string,
  phase: "Pending" | "Running" | "Succeeded" | "Failed",
  more: Partial<Pod["metadata"]> = {},
): Pod =>
  newObject(Pods, {
    metadata: meta(name, {
      labels: { app: "web" },
      finalizers: [trackingFinalizer],
      ownerReferences: [ownerReference(job(), Jobs)],
      ...more,
    }),
    spec: { containers: [{ name: "main", image: "web:1" }] },
    status: phase === "Running" ? readiness(true) : { phase },
  });
const exited = (name: string, code: number, finishedAt = "2026-01-01T00:00:00Z"): Pod => ({
  ...pod(name, "Failed"),
  status: {
    phase: "Failed",
    containerStatuses: [
      {
        name: "main",
        image: "",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode: code, finishedAt } },
      },
    ],
  },
});
const index = (i: number) => ({ annotations: { "batch.kubernetes.io/job-completion-index": String(i) } });
const indexed: Spec = { completionMode: "Indexed", completions: 3, parallelism: 2 };
const started: JobStatus = { startTime: "2026-01-01T00:59:00Z" };

const decision = (of: Job, ...pods: Pod[]) => jobController.decide({ job: of, pods }, calm);
const decide = (of: Job, ...pods: Pod[]) => summary(decision(of, ...pods));
const status = (of: Job, ...pods: Pod[]) => statusOf<JobStatus>(decision(of, ...pods));
const conditions = (of: Job, ...pods: Pod[]) =>
  status(of, ...pods).conditions?.map(({ type, reason }) => `${type} ${reason}`);
const made = (of: Job, ...pods: Pod[]) => createdBy<Pod>(decision(of, ...pods));

test("starts a pod", () => expect(decide(job())).toEqual({ creates: 1 }));
test("says when it started", () => expect(status(job()).startTime).toBe("2026-01-01T01:00:00Z"));
test("starts as many as parallelism allows", () =>
  expect(decide(job({ parallelism: 3, completions: 5 }))).toEqual({ creates: 3 }));
test("starts no more than are still needed", () =>
  expect(decide(job({ parallelism: 3, completions: 5 }, { ...started, succeeded: 4 }))).toEqual({ creates: 1 }));
test("deletes what is too much, without counting it", () =>
  expect(decide(job({ parallelism: 1, completions: 5 }), pod("a", "Running"), pod("b", "Pending"))).toEqual({
    patches: ["b"],
    deletes: ["b"],
  }));
test("a pod carries the finalizer and the Job's labels", () =>
  expect(made(job())[0]?.metadata).toMatchObject({
    finalizers: [trackingFinalizer],
    labels: { "job-name": "report", "batch.kubernetes.io/job-name": "report" },
  }));
test("a success is noted before its finalizer goes", () => {
  const done = decision(job({}, started), pod("a", "Succeeded"));
  expect(statusOf<JobStatus>(done).uncountedTerminatedPods).toEqual({ succeeded: ["uid-a"] });
  expect(writesOf(done).map(({ verb }) => verb)).toEqual(["update", "patch"]);
});
test("a noted pod without finalizer becomes a number", () =>
  expect(
    status(
      job({}, { ...started, uncountedTerminatedPods: { succeeded: ["uid-a"] } }),
      pod("a", "Succeeded", { finalizers: [] }),
    ),
  ).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {} }));
test("a noted pod that has gone is counted all the same", () =>
  expect(status(job({}, { ...started, uncountedTerminatedPods: { failed: ["uid-a"] } }))).toMatchObject({ failed: 1 }));
test("a noted pod is not noted twice", () =>
  expect(
    status(job({}, { ...started, uncountedTerminatedPods: { succeeded: ["uid-a"] } }), pod("a", "Succeeded"))
      .uncountedTerminatedPods,
  ).toEqual({ succeeded: ["uid-a"] }));
test("enough successes: first the criteria are met, then it is complete", () => {
  const first = status(job({}, { ...started, succeeded: 1 }));
  expect(first.conditions?.map(({ type }) => type)).toEqual(["SuccessCriteriaMet"]);
  const then = status(job({}, { ...first }));
  expect(then.conditions?.map(({ type }) => type)).toEqual(["SuccessCriteriaMet", "Complete"]);
  expect(then.completionTime).toBe("2026-01-01T01:00:00Z");
});
test("it is not complete while a pod is not counted", () => {
  const met = status(job({}, started), pod("a", "Succeeded"));
  expect(status(job({}, met), pod("a", "Succeeded")).conditions?.map(({ type }) => type)).toEqual([
    "SuccessCriteriaMet",
  ]);
});
test("without completions one success is enough, once the others have ended", () => {
  const queue = job({ parallelism: 2, completions: undefined }, { ...started, succeeded: 1 });
  expect(conditions(queue, pod("a", "Running"))).toBeUndefined();
  expect(conditions(queue)).toEqual(["SuccessCriteriaMet CompletionsReached"]);
});
test("a failed pod is tried again after 10 s", () => {
  const fresh = decision(job({}, started), exited("a", 1, "2026-01-01T00:59:55Z"));
  expect(createdBy(fresh)).toEqual([]);
  expect(fresh.lookAgainIn).toBe(5000);
});
test("the delay doubles", () =>
  expect(
    decision(job({}, started), exited("a", 1, "2026-01-01T00:59:00Z"), exited("b", 1, "2026-01-01T00:59:55Z"))
      .lookAgainIn,
  ).toBe(15_000));
test("after the delay it is tried again", () => expect(made(job({}, started), exited("a", 1)).length).toBe(1));
test("too many failures", () =>
  expect(conditions(job({ backoffLimit: 1 }, { ...started, failed: 2 }))).toEqual([
    "FailureTarget BackoffLimitExceeded",
  ]));
test("failing deletes what runs, then it has failed", () => {
  const failing = job({ backoffLimit: 0 }, { ...started, failed: 1 });
  expect(decide(failing, pod("a", "Running"))).toEqual({ deletes: ["a"] });
  expect(status(job({ backoffLimit: 0 }, status(failing))).conditions?.map(({ type }) => type)).toEqual([
    "FailureTarget",
    "Failed",
  ]);
});
test("longer than its deadline", () =>
  expect(conditions(job({ activeDeadlineSeconds: 30 }, started), pod("a", "Running"))).toEqual([
    "FailureTarget DeadlineExceeded",
  ]));
test("looks again at its deadline", () =>
  expect(decision(job({ activeDeadlineSeconds: 90 }, started), pod("a", "Running")).lookAgainIn).toBe(30_000));
test("suspended: its pods go and do not count", () => {
  const held = decision(job({ suspend: true }, started), pod("a", "Running"));
  expect(summary(held)).toEqual({ patches: ["a"], deletes: ["a"] });
  expect(statusOf<JobStatus>(held).conditions).toMatchObject([{ type: "Suspended", status: "True" }]);
});
test("resumed: its time starts anew", () => {
  const resumed = status(job({}, { ...started, conditions: [{ type: "Suspended", status: "True" }] }));
  expect(resumed).toMatchObject({
    startTime: "2026-01-01T01:00:00Z",
    conditions: [{ type: "Suspended", status: "False", reason: "JobResumed" }],
  });
});
test("indexed: each pod has its own", () => {
  const pods = made(job(indexed));
  expect(pods.map(({ metadata }) => metadata.annotations?.["batch.kubernetes.io/job-completion-index"])).toEqual([
    "0",
    "1",
  ]);
  expect(pods[0]?.spec.hostname).toBe("report-0");
  expect(pods[0]?.spec.containers[0]?.env?.[0]?.name).toBe("JOB_COMPLETION_INDEX");
});
test("indexed: done ones are listed and not made again", () => {
  const half = job(indexed, { ...started, completedIndexes: "0", succeeded: 1 });
  expect(status(half, pod("a", "Succeeded", index(2)))).toMatchObject({ completedIndexes: "0,2", succeeded: 2 });
  expect(made(half, pod("a", "Succeeded", index(2))).map((each) => each.spec.hostname)).toEqual(["report-1"]);
});
test("indexed: a second pod of an index goes", () =>
  expect(decide(job(indexed), pod("a", "Running", index(0)), pod("b", "Running", index(0))).deletes).toEqual(["b"]));
test("policy: an ignored failure does not count", () => {
  const lenient = job(
    { podFailurePolicy: { rules: [{ action: "Ignore", onExitCodes: { operator: "In", values: [42] } }] } },
    started,
  );
  expect(status(lenient, exited("a", 42)).uncountedTerminatedPods).toEqual({});
  expect(status(lenient, exited("a", 1)).uncountedTerminatedPods).toEqual({ failed: ["uid-a"] });
});
test("policy: a fatal failure fails the Job", () =>
  expect(
    conditions(
      job(
        { podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [7] } }] } },
        started,
      ),
      exited("a", 7),
    ),
  ).toEqual(["FailureTarget PodFailurePolicy"]));
test("a deleted Job lets go of its pods", () =>
  expect(
    decide(
      { ...job(), metadata: { ...job().metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } },
      pod("a", "Running"),
    ),
  ).toEqual({ patches: ["a"] }));
test("pods of a Job that has gone are let go", () => {
  const world = new World(pod("a", "Succeeded"));
  world.look(jobController, key);
  expect(world.list(Pods)[0]?.metadata.finalizers).toEqual([]);
});
test("a finished Job changes no more", () => {
  const over = job({}, { ...started, succeeded: 1, conditions: [{ type: "Complete", status: "True" }] });
  expect(decide(over)).toEqual({});
});
test("goes when its time is over", () => {
  const over = job(
    { ttlSecondsAfterFinished: 60 },
    { conditions: [{ type: "Complete", status: "True", lastTransitionTime: "2026-01-01T00:59:30Z" }] },
  );
  expect(jobTtlController.decide(over, calm).lookAgainIn).toBe(30_000);
  expect(summary(jobTtlController.decide(over, { now: new Date("2026-01-01T01:00:30Z"), failures: [] }))).toEqual({
    deletes: ["report"],
  });
});
test("whatever pods do, none is lost in counting, and it ends", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      fc.array(fc.boolean(), { maxLength: 10 }),
      (completions, parallelism, byIndex, fates) => {
        const world = new World({
          ...job({
            completions,
            parallelism,
            backoffLimit: 20,
            ...(byIndex && { completionMode: "Indexed" as const }),
          }),
          metadata: { name: "report", namespace: "shop" },
        });
        world.now = later;
        let failed = 0;
        for (let round = 0; round < 120; round++) {
          const changed = world.look(jobController, key);
          const next = world.list(Pods).find(isActive);
          expect(world.list(Pods).filter(isActive).length).toBeLessThanOrEqual(parallelism);
          if (next) {
            const good = fates.shift() ?? true;
            if (!good) failed++;
            world.edit(Pods, { namespace: "shop", name: next.metadata.name }, (each) => {
              each.status = good ? { phase: "Succeeded" } : exited("x", 1, "2026-01-01T00:00:00Z").status;
            });
          } else if (changed === 0) break;
        }
        expect(world.get(Jobs, key)?.status).toMatchObject({ succeeded: completions, ...(failed > 0 && { failed }) });
        expect(world.get(Jobs, key)?.status?.conditions?.map(({ type }) => type)).toEqual([
          "SuccessCriteriaMet",
          "Complete",
        ]);
        expect(world.list(Pods).flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
        expect(world.failures).toEqual([]);
      },
    ),
    { numRuns: 40 },
  ));
