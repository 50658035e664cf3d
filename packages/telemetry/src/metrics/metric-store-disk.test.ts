import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeMetrics } from "../otlp/codec.ts";
import { Losses, UnavailableError } from "../sink.ts";
import { MetricStore } from "./metric-store.ts";
import { gauge, metricsOf, point } from "./metrics.fixture.ts";

const disk = vi.hoisted(() => ({ free: 2 ** 30 }));
vi.mock("node:fs", async (original) => ({
  ...(await original<typeof import("node:fs")>()),
  statfsSync: () => ({ bavail: disk.free, bsize: 1 }),
}));

const begin = Date.parse("2026-03-01T00:00:00Z");
const ever = { from: 0, to: Number.MAX_SAFE_INTEGER };
let folder: string;
let store: MetricStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "metrics-disk-"));
  disk.free = 2 ** 30;
});
afterEach(() => {
  disk.free = 2 ** 30;
  store.close();
  rmSync(folder, { recursive: true });
});

function setUp() {
  const simulated = simulation(1, begin);
  const losses = new Losses();
  const open = () => {
    store = MetricStore.open({ folder, clock: simulated.clock, losses, limits: { reserve: 1000 } });
  };
  open();
  const add = () => store.add(encodeMetrics(metricsOf({}, gauge("g", point(simulated.clock.now(), 1)))));
  const times = () => [...store.select([{ name: "__name__", op: "=", value: "g" }], ever)][0]?.times.length ?? 0;
  return { ...simulated, losses, add, times, open };
}

test("a full disk: senders are told to come again, what is there is read, and it goes on by itself", async () => {
  const { advance, add, times, losses } = setUp();
  add();
  await advance(1000);
  disk.free = 10;
  // The journal's buffer takes this one; that it cannot be written shows later.
  add();
  await advance(1000);
  expect(add).toThrow(UnavailableError);
  expect(times()).toBe(2);
  expect(store.stats().fault).toContain("free");
  expect(losses.list()).toEqual([{ signal: "metrics", reason: "disk full", count: 1 }]);
  disk.free = 2 ** 30;
  await advance(2000);
  expect(add()).toEqual({ taken: 1, rejected: 0 });
  expect(store.stats().fault).toBeUndefined();
});

test("what was taken before is kept though its block could not be written, and is written later", async () => {
  const { advance, add, times } = setUp();
  for (let count = 0; count < 110; count++) {
    add();
    await advance(60_000);
  }
  disk.free = 10;
  await advance(30 * 60_000);
  expect(times()).toBe(110);
  expect(readdirSync(folder).filter((name) => name.endsWith(".metrics"))).toEqual([]);
  expect(store.stats().fault).toContain("free");
  disk.free = 2 ** 30;
  await advance(60_000);
  expect(readdirSync(folder).filter((name) => name.endsWith(".metrics"))).toHaveLength(1);
  expect(times()).toBe(110);
  add();
  expect(times()).toBe(111);
});

test("a start on a full disk reads what is there", async () => {
  const { advance, add, times, open } = setUp();
  add();
  await advance(1000);
  store.close();
  disk.free = 10;
  open();
  expect(times()).toBe(1);
  await advance(1000);
  add();
  await advance(1000);
  expect(add).toThrow(UnavailableError);
  expect(times()).toBe(2);
  disk.free = 2 ** 30;
  await advance(2000);
  expect(add()).toEqual({ taken: 1, rejected: 0 });
});
