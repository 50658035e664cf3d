import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Losses } from "../sink.ts";
import { RootDurations } from "./root-durations.ts";
import type { SpanStore } from "./span-store.ts";
import { type Given, hex, World } from "./spans.fixture.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const limits = { bytes: 300_000, blockSpans: 300 };
type Sent = { traces: number; spans: number; errors: string[]; slow: string[] };

/** Traces of two spans, most of them normal; one of 100 has an error in its child, one of 100 is slow. */
async function send(store: SpanStore, requests: number): Promise<Sent> {
  const { random } = world.simulation;
  const sent: Sent = { traces: 0, spans: 0, errors: [], slow: [] };
  for (let request = 0; request < requests; request++) {
    const roots: Given[] = [];
    const children: Given[] = [];
    for (let index = 0; index < 100; index++) {
      const traceId = Buffer.from(random.bytes(16)).toString("hex");
      const spanId = Buffer.from(random.bytes(8)).toString("hex");
      const number = sent.traces++;
      if (number % 100 === 7) sent.errors.push(traceId);
      if (number % 100 === 50) sent.slow.push(traceId);
      const lasts = number % 100 === 50 ? 500 : 1 + random.next() * 10;
      roots.push({ traceId, spanId, at: request * 10, lasts });
      const status = number % 100 === 7 ? { code: 2 } : undefined;
      children.push({ traceId, parentSpanId: spanId, spanId: hex(number + 1, 16), at: request * 10, status });
    }
    sent.spans += 200;
    store.add(world.request("web", ...roots));
    store.add(world.request("orders", ...children));
    await world.of(store.thinned());
  }
  return sent;
}
const sampled = () => world.losses.list().find(({ reason }) => reason === "sampled")?.count ?? 0;

test("with little volume, all is kept", async () => {
  const store = world.open(limits);
  const { spans } = await send(store, 20);
  expect(store.stats()).toMatchObject({ records: spans, represented: spans });
  expect(world.losses.list()).toEqual(new Losses().list());
});

test("with much, errors and slow traces are kept whole, counts stay right, and the folder stays small", async () => {
  const store = world.open(limits);
  const sent = await send(store, 110);
  const { records: spans, represented, bytesOnDisk } = store.stats();
  expect(bytesOnDisk).toBeLessThan(limits.bytes);
  expect(sampled()).toBeGreaterThan(sent.spans / 20);
  // Nothing was lost but by sampling.
  expect(spans + sampled()).toBe(sent.spans);
  expect(Math.abs(represented - sent.spans)).toBeLessThan(sent.spans * 0.1);

  const errors = await world.of(store.traces({ status: "error", limit: 10_000 }));
  expect(errors.map(({ traceId }) => traceId).sort()).toEqual(sent.errors.sort());
  const slow = await world.of(store.traces({ minDuration: 400, limit: 10_000 }));
  expect(slow.map(({ traceId }) => traceId).sort()).toEqual(sent.slow.sort());
  for (const trace of [...errors, ...slow]) expect(trace).toMatchObject({ spans: 2, services: { web: 1, orders: 1 } });
  expect(errors.every(({ weight }) => weight === undefined)).toBe(true);

  const services = await world.of(store.services());
  expect(services.find(({ service }) => service === "orders")?.errors).toBe(sent.errors.length);
  for (const { spans } of services) expect(Math.abs(spans - sent.traces)).toBeLessThan(sent.traces * 0.1);

  const all = await world.of(store.traces({ limit: 100_000 }));
  // But for those over two segments that are thinned out differently.
  expect(all.filter((trace) => trace.spans === 2).length).toBeGreaterThan(all.length * 0.8);
  const counted = all.reduce((sum, { weight = 1 }) => sum + weight, 0);
  expect(Math.abs(counted - sent.traces)).toBeLessThan(sent.traces * 0.1);
  expect(all.some(({ weight = 1 }) => weight > 1)).toBe(true);
});

test("it is the same after a restart", async () => {
  const store = world.open(limits);
  await send(store, 60);
  const before = store.stats();
  store.close();
  expect(world.open(limits).stats()).toMatchObject({ records: before.records, represented: before.represented });
});

test("where every trace has an error, the oldest go at last, and the folder stays small", async () => {
  const store = world.open({ bytes: 100_000, blockSpans: 500 });
  for (let request = 0; request < 60; request++) {
    const spans = Array.from({ length: 100 }, () => ({
      traceId: Buffer.from(world.simulation.random.bytes(16)).toString("hex"),
      at: request,
      status: { code: 2 },
    }));
    store.add(world.request("web", ...spans));
    await world.of(store.thinned());
    expect(store.stats().bytesOnDisk).toBeLessThan(150_000);
  }
  expect(sampled()).toBe(0);
  expect((await world.of(store.traces({ limit: 1 })))[0]?.start).toBe(world.begin + 59);
});

describe("what is slow", () => {
  const durations = new RootDurations();
  for (let index = 1; index <= 1000; index++) durations.add("a", index * 1e6, 1);
  durations.add("b", 1e6, 100);
  test.each<[string, number, boolean]>([
    ["a", 985e6, false],
    ["a", 1030e6, true],
    ["a", 900e6, false],
    ["b", 1e6, false],
    ["b", 2e6, true],
    ["never seen", 1e12, false],
  ])("%s of %d ns: %s", (operation, duration, slow) => expect(durations.isSlow(operation, duration)).toBe(slow));
  test("ten thousand operations take bounded memory, and the first are still told apart", () => {
    for (let index = 0; index < 10_000; index++) durations.add(`operation ${index}`, 1e6, 1);
    expect(durations.isSlow("b", 2e6)).toBe(true);
  });
});
