import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulation, simulation } from "@flotilla/ambient";
import type { Cache } from "@flotilla/client";
import type { Pod } from "@flotilla/objects";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serviceOf, textOf } from "../attributes.ts";
import { LogStore } from "../logs/log-store.ts";
import { Losses } from "../sink.ts";
import type { LogSearch } from "../telemetry.ts";
import { type PodLogs, podLogs } from "./pod-logs.ts";

let root: string;
let world: Simulation;
let opened: Running[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pod-logs-"));
  world = simulation(1);
  opened = [];
});
afterEach(async () => {
  for (const { lines, store } of opened) {
    await lines.stop();
    store.close();
  }
  rmSync(root, { recursive: true, force: true });
});

const checkpoint = () => join(root, "telemetry", "pod-logs.json");
const orders: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "orders-1", namespace: "shop", uid: "u1", labels: { "app.kubernetes.io/name": "orders" } },
  spec: { containers: [{ name: "main" }] },
};

interface Running {
  readonly store: LogStore;
  readonly lines: PodLogs;
}

/** As the telemetry process has it. */
function start(): Running {
  const { clock } = world;
  const losses = new Losses();
  const limits = { age: 1e9, bytes: 1 << 24 };
  const store = LogStore.open({
    folder: join(root, "telemetry", "store"),
    clock,
    losses,
    limits,
    free: () => Number.POSITIVE_INFINITY,
  });
  const lines = podLogs({
    folder: join(root, "logs"),
    checkpoint: checkpoint(),
    nodeName: "n1",
    clock,
    sink: { logs: (request) => store.add(request) },
    losses,
    kept: (search) => store.logs(search),
  });
  const running = { store, lines };
  opened.push(running);
  return running;
}

/** What the runner does when the API tells of these pods. */
async function tell({ lines: { controller, effects } }: Running, ...pods: Pod[]) {
  const cache = { list: () => pods } as unknown as Cache;
  const observed = controller.observe({ name: "pods" }, cache) ?? [];
  const decision = controller.decide(observed, { now: new Date(0), failures: [] });
  for (const { to, do: what } of decision.effects ?? []) await effects[to]?.(what);
}

function write(...lines: string[]) {
  const folder = join(root, "logs", "shop_orders-1_u1", "main");
  mkdirSync(folder, { recursive: true });
  const time = new Date(world.clock.now()).toISOString().replace("Z", "000000Z");
  appendFileSync(join(folder, "0.log"), lines.map((line) => `${time} stdout F ${line}\n`).join(""));
}

const texts = async ({ store }: Running, search: LogSearch = {}) =>
  (await store.logs(search)).map(({ record }) => textOf(record.body));

test("a line is found within a second of being written, by its service", async () => {
  const running = start();
  await tell(running, orders);
  await world.advance(777);
  write("INFO paid");
  await world.advance(1000);
  expect(await texts(running, { services: ["orders"], minSeverity: 9 })).toEqual(["INFO paid"]);
});

test("a pod that becomes known later has its name all the same", async () => {
  const running = start();
  write("first");
  await world.advance(3000);
  await tell(running, orders);
  await world.advance(1000);
  expect((await running.store.logs({})).map(({ resource }) => serviceOf(resource))).toEqual(["orders"]);
});

test("after a kill at any moment every line is there once", async () => {
  for (let moment = 0; moment < 12; moment++) {
    const running = start();
    await tell(running, orders);
    write(`a${moment}`, `b${moment}`);
    await world.advance(moment * 97);
    write(`c${moment}`);
    await world.advance(moment * 53);
    await kill();
  }
  const last = start();
  await tell(last, orders);
  await world.advance(5000);
  const expected = Array.from({ length: 12 }, (_, moment) => [`a${moment}`, `b${moment}`, `c${moment}`]).flat();
  expect((await texts(last)).sort()).toEqual(expected.sort());
});

/** What a killed process leaves: files as they are, neither the journal's last moment nor where it was in the logs. */
async function kill() {
  const kept = join(root, "telemetry");
  const [dead, left] = [opened.pop(), mkdtempSync(join(tmpdir(), "killed-"))];
  cpSync(kept, left, { recursive: true });
  await dead?.lines.stop();
  dead?.store.close();
  rmSync(kept, { recursive: true });
  cpSync(left, kept, { recursive: true });
  rmSync(left, { recursive: true });
}
