import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Behaviour, simulatedRuntime } from "./simulated-runtime.ts";
import { startStaticPods } from "./static-pods.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "static-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fail = (error: Error) => {
  throw error;
};

function setUp(behaviour: Behaviour) {
  const world = simulation(3);
  const { clock } = world;
  const errors: string[] = [];
  const runtime = simulatedRuntime({ ...world, behaviours: () => behaviour });
  const files = [{ path: join(folder, "a/b.json"), content: "{}" }];
  const pods = startStaticPods({
    pods: [
      { name: "api", command: ["node"], files },
      { name: "data", command: ["node"] },
    ],
    runtime,
    clock,
    logsDir: folder,
    onError: (error) => errors.push(error.message),
  });
  return { world, pods, runtime, errors, restarts: () => pods.states().map(({ restartCount }) => restartCount) };
}

test("all run, with their files", async () => {
  const { world, runtime, restarts } = setUp({});
  await world.advance(1000);
  expect((await runtime.list()).length).toBe(2);
  expect(restarts()).toEqual([0, 0]);
  expect(readFileSync(join(folder, "a/b.json"), "utf8")).toBe("{}");
});
test.each(["resolve", "reject"] as const)("one that waits for something is started when it comes: %s", async (how) => {
  const world = simulation(3);
  const runtime = simulatedRuntime({ ...world, behaviours: () => ({}) });
  const { promise, ...settle } = Promise.withResolvers<void>();
  const waits = { name: "later", command: ["node"], after: promise };
  const pods = startStaticPods({
    ...world,
    pods: [waits, { name: "api", command: ["node"] }],
    runtime,
    logsDir: folder,
    onError: fail,
  });
  await world.advance(60_000);
  expect(pods.states().map(({ name }) => name)).toEqual(["api"]);
  settle[how]();
  await world.advance(1000);
  expect(pods.states().map(({ name }) => name)).toEqual(["api", "later"]);
  expect((await runtime.list()).length).toBe(2);
});
test("one that still waits when all are stopped is never started", async () => {
  const world = simulation(3);
  const runtime = simulatedRuntime({ ...world, behaviours: () => ({}) });
  const { promise, resolve } = Promise.withResolvers<void>();
  const waits = { name: "later", command: ["node"], after: promise };
  const pods = startStaticPods({ ...world, pods: [waits], runtime, logsDir: folder, onError: fail });
  await Promise.all([pods.stop(100), world.advance(1000)]);
  resolve();
  await world.advance(1000);
  expect(await runtime.list()).toEqual([]);
});
test("one that ends is started again at once, ever more slowly", async () => {
  const { world, restarts } = setUp({ exits: { after: 10, code: 1 } });
  await world.advance(300);
  expect(restarts()[0]).toBeGreaterThanOrEqual(2);
  await world.advance(9700);
  const soon = restarts()[0] ?? 0;
  await world.advance(20_000);
  expect((restarts()[0] ?? 0) - soon).toBeLessThanOrEqual(4);
});
test("one that ran long is started again at once", async () => {
  const { world, restarts, runtime } = setUp({ exits: { after: 20_000, code: 1 } });
  await world.advance(61_000);
  expect(restarts()).toEqual([3, 3]);
  expect((await runtime.list()).length).toBe(2);
});
test("one that cannot be started is told, and tried again", async () => {
  const { world, errors } = setUp({ startError: "no such program" });
  await world.advance(1000);
  expect(errors.length).toBeGreaterThan(2);
  expect(errors[0]).toBe("static pod api: no such program");
});
test("stop ends all and starts none", async () => {
  const { world, pods, runtime } = setUp({});
  await world.advance(1000);
  const stopped = pods.stop(1000);
  await world.advance(20_000);
  await stopped;
  expect(await runtime.list()).toEqual([]);
});
