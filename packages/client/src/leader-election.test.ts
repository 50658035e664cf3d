import { simulation } from "@flotilla/ambient";
import { Leases, serviceUnavailable } from "@flotilla/objects";
import { expect, test } from "vitest";
import type { Api } from "./api.ts";
import { leaderElect } from "./leader-election.ts";
import { TinyApi } from "./tiny-api.fixture.ts";

function setUp() {
  const api = new TinyApi();
  const world = simulation(3);
  const leaders: string[] = [];
  const join = (identity: string, over: Pick<Api, "get" | "write"> = api) =>
    leaderElect({
      api: over,
      clock: world.clock,
      random: world.random,
      log: () => undefined,
      namespace: "kube-system",
      name: "test",
      identity,
      async lead() {
        leaders.push(identity);
      },
      async follow() {
        leaders.splice(leaders.indexOf(identity), 1);
      },
    });
  const lease = () => api.get(Leases, { namespace: "kube-system", name: "test" });
  return { api, world, leaders, join, lease };
}

test("one of two leads, and goes on leading", async () => {
  const { world, leaders, join, lease } = setUp();
  join("a");
  join("b");
  await world.advance(120_000);
  expect(leaders).toHaveLength(1);
  expect((await lease()).spec).toMatchObject({
    holderIdentity: leaders[0],
    leaseDurationSeconds: 15,
    leaseTransitions: 0,
  });
});

test("one that stops gives the lease up, and the other leads at its next try", async () => {
  const { world, leaders, join, lease } = setUp();
  const a = join("a");
  await world.advance(5000);
  join("b");
  await world.advance(5000);
  expect(leaders).toEqual(["a"]);
  await Promise.all([a.stop(), world.advance(1)]);
  await world.advance(5000);
  expect(leaders).toEqual(["b"]);
  expect((await lease()).spec.leaseTransitions).toBe(1);
});

test.each(["refuses", "hangs"])("a leader whose API %s steps down before another one leads", async (fault) => {
  const { api, world, leaders, join } = setUp();
  let away = false;
  const faulty: Pick<Api, "get" | "write"> = {
    get: (resource, key) => (away ? failing() : api.get(resource, key)),
    write: (write) => (away ? failing() : api.write(write)),
  };
  const failing = () =>
    fault === "hangs" ? new Promise<never>(() => undefined) : Promise.reject(serviceUnavailable("away"));
  join("a", faulty);
  await world.advance(5000);
  join("b");
  await world.advance(10_000);
  away = true;
  let most = 0;
  let least = 2;
  for (let second = 0; second < 60; second++) {
    await world.advance(1000);
    most = Math.max(most, leaders.length);
    least = Math.min(least, leaders.length);
  }
  expect(leaders).toEqual(["b"]);
  expect([least, most]).toEqual([0, 1]);
});
