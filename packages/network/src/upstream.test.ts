import { sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, type cluster, freshPort, Stage, tableWith } from "./proxy.fixture.ts";
import type { Table } from "./table.ts";

let stage: Stage;
let port: number;
beforeEach(() => {
  stage = new Stage();
  port = freshPort();
});
afterEach(() => stage.stop());

const pause = (ms: number) => sleep(systemClock, ms);

/** The table with other words about its only cluster. */
const withCluster = (table: Table, words: object): Table => ({
  ...table,
  clusters: { orders: { ...(table.clusters.orders as object), ...words } as ReturnType<typeof cluster> },
});

const named = (name: string) => stage.serve(name, (_, response) => void response.end(name));

const answers = async (count: number) =>
  new Set(await Promise.all(Array.from({ length: count }, async () => (await ask(port, "/")).body)));

test("a client stays with its endpoint while it may, and goes elsewhere when that is gone", async () => {
  const servers = [await named("127.126.1.1"), await named("127.126.1.2"), await named("127.126.1.3")];
  const all = tableWith(
    port,
    servers.map(({ endpoint }) => endpoint),
  );
  await stage.proxy.apply(all);
  expect((await answers(40)).size).toBe(3);
  await stage.proxy.apply(withCluster(all, { affinity: 10_000 }));
  const first = await answers(1);
  expect(await answers(20)).toEqual(first);
  const left = servers.map(({ endpoint }) => endpoint).filter(({ address }) => !first.has(address));
  await stage.proxy.apply(withCluster(tableWith(port, left), { affinity: 10_000 }));
  const second = await answers(20);
  expect([second.size, [...second].some((each) => first.has(each))]).toEqual([1, false]);
});

test("affinity ends after its time without a request", async () => {
  const servers = await Promise.all([1, 2, 3, 4].map((each) => named(`127.126.1.${each}`)));
  const endpoints = servers.map(({ endpoint }) => endpoint);
  await stage.proxy.apply(withCluster(tableWith(port, endpoints), { affinity: 20 }));
  const seen = new Set<string>();
  for (let i = 0; i < 30 && seen.size < 2; i++) {
    for (const each of await answers(1)) seen.add(each);
    await pause(30);
  }
  expect(seen.size).toBeGreaterThan(1);
});

test("a name outside is looked up, for HTTP and for TCP", async () => {
  const server = await stage.serve("127.0.0.1", (_, response) => void response.end("outside"));
  const outside = { ...server.endpoint, address: "localhost" };
  for (const protocol of ["http", "tcp"] as const) {
    await stage.proxy.apply(tableWith(port, [outside], { protocol }));
    expect((await ask(port, "/")).body).toBe("outside");
  }
});

test("a name that nobody knows is a 503 that says so", async () => {
  await stage.proxy.apply(tableWith(port, [{ address: "nobody.invalid", port: 80, state: "ready" }]));
  const answer = await ask(port, "/");
  expect([answer.status, answer.body]).toEqual([503, expect.stringContaining("nobody.invalid")]);
});
