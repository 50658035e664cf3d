import { simulation } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { listenAgain } from "./listen-again.ts";

const taken = () => Promise.reject(Object.assign(new Error("listen"), { code: "EADDRINUSE" }));

async function listening(...attempts: (() => Promise<{ close(): Promise<void> }>)[]) {
  const world = simulation(1);
  const told: unknown[] = [];
  const said = { what: "OTLP", port: 4318, clock: world.clock, onError: (error: unknown) => told.push(error) };
  let count = 0;
  const server = await listenAgain(said, () => (attempts[count++] as (typeof attempts)[number])());
  return { world, told, server, attempts: () => count };
}

test("a port that is taken is listened on once it is free", async () => {
  const closed: string[] = [];
  const server = { close: async () => void closed.push("server") };
  const it = await listening(taken, taken, async () => server);
  expect(it.server.fault).toBe("OTLP: another process has port 4318");
  await it.world.advance(2000);
  expect(it.server.fault).toBeDefined();
  await it.world.advance(2000);
  expect(it.server.fault).toBeUndefined();
  await it.world.advance(60_000);
  expect(it.attempts()).toBe(3);
  await it.server.close();
  expect(closed).toEqual(["server"]);
});

test("nothing is tried once it is closed", async () => {
  const it = await listening(taken);
  await it.server.close();
  await it.world.advance(60_000);
  expect([it.attempts(), it.told]).toEqual([1, []]);
});

test("any other error is one", async () => {
  const broken = () => Promise.reject(new Error("broken"));
  await expect(listening(broken)).rejects.toThrow("broken");
  const it = await listening(taken, broken);
  await it.world.advance(2000);
  expect(it.told).toEqual([new Error("broken")]);
});
