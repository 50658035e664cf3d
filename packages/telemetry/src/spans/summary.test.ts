import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TraceSummary } from "../telemetry.ts";
import { type Given, hex, World } from "./spans.fixture.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const traceId = hex(77, 32);
const root = hex(1, 16);

/** What is told of a trace whose spans come in this order. */
async function summaryOf(...spans: readonly (readonly [service: string, name: string, at: number, parent?: string])[]) {
  const store = world.open();
  for (const [service, name, at, parentSpanId] of spans) {
    const given: Given = { traceId, name, at, ...(parentSpanId ? { parentSpanId } : { spanId: root }) };
    store.add(world.request(service, given));
  }
  const [found] = await world.of(store.traces({}));
  return found as TraceSummary;
}

describe("what a trace entered by", () => {
  test("is the earliest span behind the gateway", async () =>
    expect(
      await summaryOf(
        ["orders", "POST /orders", 9, root],
        ["web", "POST /api/orders", 2, root],
        ["data-plane", "POST orders", 1, root],
        ["gateway", "POST /", 0],
      ),
    ).toMatchObject({
      service: "gateway",
      operation: "POST /",
      entry: { service: "web", operation: "POST /api/orders" },
    }));
  test("is nothing else where a service began it", async () =>
    expect(
      await summaryOf(["web", "tick", 0], ["data-plane", "GET b", 1, root], ["b", "GET", 2, root]),
    ).not.toHaveProperty("entry"));
  test("is nothing where the gateway answered", async () =>
    expect(await summaryOf(["gateway", "GET /", 0])).not.toHaveProperty("entry"));
});

test("services are in the order in which they begin to take part, whatever order they come in", async () => {
  const { services } = await summaryOf(["c", "x", 5, root], ["b", "x", 3, root], ["c", "y", 2, root], ["a", "x", 0]);
  expect(Object.entries(services)).toEqual([
    ["a", 1],
    ["c", 2],
    ["b", 1],
  ]);
});
