import { simulation } from "@flotilla/ambient";
import { Events, type KubeObject, newObject, Pods, serviceUnavailable } from "@flotilla/objects";
import { expect, test } from "vitest";
import { EventRecorder } from "./event-recorder.ts";
import type { LogEntry } from "./log.ts";
import { TinyApi } from "./tiny-api.fixture.ts";
import { event } from "./writes.ts";

const pod = (name: string): KubeObject =>
  newObject(Pods, { metadata: { name, namespace: "shop", uid: `uid-${name}` }, spec: { containers: [] } });

function setUp() {
  const api = new TinyApi();
  const world = simulation(1);
  const log: LogEntry[] = [];
  const recorder = () => new EventRecorder({ api, clock: world.clock, log: (entry) => log.push(entry) });
  const events = async () => (await api.list(Events)).items.map(({ message, count }) => `${message} x${count}`).sort();
  return { api, world, log, recorder, events };
}

test("an event says what it is about, by whom and when", async () => {
  const { api, world, recorder } = setUp();
  recorder().record("test", event(pod("a"), "Warning", "Failed", "it broke"));
  await world.settle();
  expect((await api.list(Events)).items[0]).toMatchObject({
    metadata: { namespace: "shop", name: expect.stringMatching(/^a\.[0-9a-f]{16}$/) },
    involvedObject: { kind: "Pod", apiVersion: "v1", name: "a", namespace: "shop", uid: "uid-a" },
    type: "Warning",
    reason: "Failed",
    message: "it broke",
    count: 1,
    source: { component: "test" },
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:00Z",
  });
});

test("repeats are counted in one event", async () => {
  const { api, world, recorder, events } = setUp();
  const recording = recorder();
  for (let n = 0; n < 3; n++) {
    recording.record("test", event(pod("a"), "Normal", "Tried", "again"));
    await world.advance(60_000);
  }
  expect(await events()).toEqual(["again x3"]);
  expect((await api.list(Events)).items[0]).toMatchObject({
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:02:00Z",
  });
});

test("repeats after a restart are counted on", async () => {
  const { world, recorder, events } = setUp();
  for (const recording of [recorder(), recorder()]) {
    recording.record("test", event(pod("a"), "Normal", "Tried", "again"));
    await world.settle();
  }
  expect(await events()).toEqual(["again x2"]);
});

test("more than ten that differ by message only are combined", async () => {
  const { world, recorder, events } = setUp();
  const recording = recorder();
  for (let n = 0; n < 14; n++) recording.record("test", event(pod("a"), "Normal", "Tried", `number ${n}`));
  await world.settle();
  const all = await events();
  expect(all).toHaveLength(10);
  expect(all).toContain("(combined from similar events): number 13 x5");
});

test("one object gets 25 at once, and then one in five minutes", async () => {
  const { api, world, recorder } = setUp();
  const recording = recorder();
  for (let n = 0; n < 40; n++) recording.record("test", event(pod("a"), "Normal", `Reason${n}`, "x"));
  recording.record("test", event(pod("b"), "Normal", "Other", "x"));
  await world.settle();
  expect((await api.list(Events)).items).toHaveLength(26);
  await world.advance(300_000);
  for (let n = 0; n < 5; n++) recording.record("test", event(pod("a"), "Normal", `Later${n}`, "x"));
  await world.settle();
  expect((await api.list(Events)).items).toHaveLength(27);
});

test("an API that is away is waited for, a refusal is logged and dropped", async () => {
  const { api, world, log, recorder, events } = setUp();
  api.beforeWrite = () => {
    if (api.writes.length < 3) throw serviceUnavailable("away");
  };
  const recording = recorder();
  recording.record("test", event(pod("a"), "Normal", "Tried", "x"));
  await world.advance(30_000);
  expect(await events()).toEqual(["x x1"]);
  api.missing.add("events");
  recording.record("test", event(pod("a"), "Normal", "Tried", "y"));
  await world.settle();
  expect(log.map(({ message }) => message)).toEqual(["cannot record event Tried about Pod a"]);
});
