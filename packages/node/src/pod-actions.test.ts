import { describe, expect, test } from "vitest";
import type { LocalContainer } from "./local-pod.ts";
import { nextToEnd, podActions } from "./pod-actions.ts";
import { exited, localOf, now, podOf, running, withContainer } from "./pods.fixtures.ts";

const summary = (pod: ReturnType<typeof podOf>, containers: Readonly<Record<string, LocalContainer>> = {}) => {
  const actions = podActions(pod, localOf(pod, containers), now);
  return {
    ...(actions.starts.length > 0 ? { starts: actions.starts.map(({ name }) => name) } : {}),
    ...(actions.stops.length > 0 ? { stops: actions.stops.map(({ name }) => name) } : {}),
    ...(actions.waiting.size > 0 ? { waits: [...actions.waiting.values()].map(({ reason }) => reason) } : {}),
    ...(actions.outcome ? { outcome: actions.outcome } : {}),
  };
};
const initContainers = [
  { name: "one", image: "i" },
  { name: "two", image: "i" },
];
const sidecar = [{ name: "side", image: "i", restartPolicy: "Always" }];

test("starts what has never run", () => expect(summary(podOf())).toEqual({ starts: ["main"] }));
test("leaves alone what runs", () => expect(summary(podOf(), { main: running() })).toEqual({}));
test("does not start twice", () =>
  expect(summary(podOf(), { main: running({ state: { is: "starting" } }) })).toEqual({}));
test("ends what is unhealthy", () =>
  expect(summary(podOf(), { main: running({ unhealthy: "failed liveness probe" }) })).toEqual({ stops: ["main"] }));
test("ends it once", () =>
  expect(
    summary(podOf(), {
      main: running({ unhealthy: "x", state: { is: "running", id: "r", startedAt: 0, stopping: { graceMs: 1 } } }),
    }),
  ).toEqual({}));

describe("restart policy", () => {
  const cases = [
    ["Always", 0, { starts: ["main"] }],
    ["Always", 1, { starts: ["main"] }],
    ["OnFailure", 0, { outcome: "Succeeded" }],
    ["OnFailure", 1, { starts: ["main"] }],
    ["Never", 0, { outcome: "Succeeded" }],
    ["Never", 1, { outcome: "Failed" }],
  ] as const;
  test.each(cases)("%s after exit code %i", (restartPolicy, code, expected) =>
    expect(summary(podOf({ restartPolicy }), { main: exited(code) })).toEqual(expected),
  );
  test("one that failed among several fails the pod when all have ended", () => {
    const containers = [
      { name: "a", image: "i" },
      { name: "b", image: "i" },
    ];
    const pod = podOf({ restartPolicy: "Never", containers });
    expect(summary(pod, { a: exited(1), b: running() })).toEqual({});
    expect(summary(pod, { a: exited(1), b: exited(0) })).toEqual({ outcome: "Failed" });
  });
});

describe("back-off", () => {
  const failed = (secondsAgo: number, delay: number, decided = 60) =>
    exited(1, secondsAgo, { backOff: { delay: delay * 1000, at: now - decided * 1000 } });
  test("waits", () => expect(summary(podOf(), { main: failed(9, 10) })).toEqual({ waits: ["CrashLoopBackOff"] }));
  test("and no longer", () => expect(summary(podOf(), { main: failed(10, 10) })).toEqual({ starts: ["main"] }));
  test("doubles", () =>
    expect(podActions(podOf(), localOf(podOf(), { main: failed(20, 20) }), now).starts[0]?.backOff?.delay).toBe(
      40_000,
    ));
  test("up to five minutes", () =>
    expect(podActions(podOf(), localOf(podOf(), { main: failed(400, 300, 590) }), now).starts[0]?.backOff?.delay).toBe(
      300_000,
    ));
  test("is forgotten after ten minutes", () =>
    expect(podActions(podOf(), localOf(podOf(), { main: failed(1, 300, 601) }), now).starts[0]?.backOff?.delay).toBe(
      10_000,
    ));
  test("says how long, as kubectl shows it", () =>
    expect(podActions(podOf(), localOf(podOf(), { main: failed(1, 160) }), now).waiting.get("main")?.message).toBe(
      "back-off 2m40s restarting failed container=main pod=a_default(u)",
    ));
  test("looks again when it is over", () =>
    expect(podActions(podOf(), localOf(podOf(), { main: failed(4, 10) }), now).lookAgainIn).toBe(6000));
});

describe("init containers", () => {
  const pod = podOf({ initContainers });
  test("run first", () => expect(summary(pod)).toEqual({ starts: ["one"] }));
  test("one after the other", () => expect(summary(pod, { one: exited(0) })).toEqual({ starts: ["two"] }));
  test("hold the others back", () => expect(summary(pod, { one: exited(0), two: running() })).toEqual({}));
  test("then the others start", () =>
    expect(summary(pod, { one: exited(0), two: exited(0) })).toEqual({ starts: ["main"] }));
  test("are tried again", () => expect(summary(pod, { one: exited(1) })).toEqual({ starts: ["one"] }));
  test("fail a pod that never restarts", () =>
    expect(summary(podOf({ initContainers, restartPolicy: "Never" }), { one: exited(1) })).toEqual({
      outcome: "Failed",
    }));
});

describe("sidecars", () => {
  const pod = podOf({ initContainers: sidecar, restartPolicy: "Never" });
  test("start first", () => expect(summary(pod)).toEqual({ starts: ["side"] }));
  test("must have started", () => expect(summary(pod, { side: running({ started: false }) })).toEqual({}));
  test("then the others start", () => expect(summary(pod, { side: running() })).toEqual({ starts: ["main"] }));
  test("are restarted beside what runs", () =>
    expect(summary(pod, { side: exited(1), main: running() })).toEqual({ starts: ["side"] }));
  test("end when the work is done", () =>
    expect(summary(pod, { side: running(), main: exited(0) })).toEqual({ stops: ["side"], outcome: "Succeeded" }));
});

describe("what cannot be created", () => {
  const failure = { reason: "ErrImagePull", message: "m", at: now - 1000, count: 1 };
  test("waits before it is tried again", () =>
    expect(summary(podOf(), { main: { ...running(), state: { is: "idle" }, failure } })).toEqual({
      waits: ["ErrImagePull"],
    }));
  test("waits longer, and is called so, the second time", () =>
    expect(
      summary(podOf(), { main: { ...running(), state: { is: "idle" }, failure: { ...failure, count: 2 } } }),
    ).toEqual({
      waits: ["ImagePullBackOff"],
    }));
  test("is tried again", () =>
    expect(
      summary(podOf(), { main: { ...running(), state: { is: "idle" }, failure: { ...failure, at: now - 10_000 } } }),
    ).toEqual({
      starts: ["main"],
      waits: ["ErrImagePull"],
    }));
});

test("when a pod ends, sidecars end last, in reverse order", () => {
  const pod = podOf({
    initContainers: [
      { name: "s1", image: "i", restartPolicy: "Always" },
      { name: "s2", image: "i", restartPolicy: "Always" },
    ],
  });
  const order: (readonly string[])[] = [];
  const known: Record<string, LocalContainer> = { main: running(), s1: running(), s2: running() };
  for (;;) {
    const names = nextToEnd(pod, localOf(pod, known));
    if (names.length === 0) break;
    order.push(names);
    for (const name of names) known[name] = exited(0);
  }
  expect(order).toEqual([["main"], ["s2"], ["s1"]]);
});
test("a container with a name of its own", () =>
  expect(summary(withContainer({ name: "x" }))).toEqual({ starts: ["x"] }));
