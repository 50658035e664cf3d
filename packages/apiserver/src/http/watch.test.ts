import { connect } from "node:net";
import { systemClock } from "@flotilla/ambient";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, configMaps, type TestServer, testServer, watchLines } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const version = async (): Promise<string> => (await server.ask("GET", configMaps)).body.metadata.resourceVersion;

test("tells changes in order", async () => {
  const watch = await watchLines(server, `${configMaps}?watch=1&resourceVersion=${await version()}`);
  await server.ask("POST", configMaps, configMap("a"));
  await server.ask(
    "PATCH",
    `${configMaps}/a`,
    { data: { x: "1" } },
    { "content-type": "application/merge-patch+json" },
  );
  await server.ask("DELETE", `${configMaps}/a`);
  const events = [await watch.next(), await watch.next(), await watch.next()];
  expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
    ["ADDED", "a"],
    ["MODIFIED", "a"],
    ["DELETED", "a"],
  ]);
  watch.close();
});

test("one object, by its path", async () => {
  const watch = await watchLines(server, `${configMaps}/only?watch=true&resourceVersion=${await version()}`);
  await server.ask("POST", configMaps, configMap("another"));
  await server.ask("POST", configMaps, configMap("only"));
  expect((await watch.next()).object.metadata.name).toBe("only");
  watch.close();
});

test("ends after timeoutSeconds", async () => {
  const watch = await watchLines(server, `${configMaps}?watch=1&timeoutSeconds=1&resourceVersion=${await version()}`);
  expect(await watch.next()).toBeUndefined();
});

test("initial events end with a bookmark", async () => {
  await server.ask("POST", configMaps, configMap("initial"));
  const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const watch = await watchLines(server, `${configMaps}?${query}`);
  let event = await watch.next();
  const names: string[] = [];
  for (; event.type === "ADDED"; event = await watch.next()) names.push(event.object.metadata.name);
  expect(names).toContain("initial");
  expect([event.type, event.object.metadata.annotations]).toEqual([
    "BOOKMARK",
    { "k8s.io/initial-events-end": "true" },
  ]);
  watch.close();
});

test.each([
  ["sendInitialEvents=true", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"],
  [
    "resourceVersionMatch=NotOlderThan",
    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
  ],
])("%s alone: 422", async (query, message) => {
  const { code, body } = await server.ask("GET", `${configMaps}?watch=1&${query}`);
  expect([code, body.message]).toEqual([422, expect.stringContaining(message)]);
});

test("a version of the future is told by an ERROR event", async () => {
  const watch = await watchLines(server, `${configMaps}?watch=1&resourceVersion=999999`);
  const { type, object } = await watch.next();
  expect([type, object.kind, object.code, object.reason]).toEqual(["ERROR", "Status", 410, "Expired"]);
  expect(await watch.next()).toBeUndefined();
});

describe("as Table", () => {
  const table = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };

  test("the columns come with the first event only", async () => {
    const watch = await watchLines(server, `${configMaps}?watch=1&resourceVersion=${await version()}`, table);
    await server.ask("POST", configMaps, configMap("t1", { a: "1" }));
    await server.ask("POST", configMaps, configMap("t2"));
    const [first, second] = [await watch.next(), await watch.next()];
    expect(first.object).toMatchObject({ kind: "Table", rows: [{ cells: ["t1", 1, "0s"] }] });
    expect([first.object.columnDefinitions.length, second.object.columnDefinitions]).toEqual([3, undefined]);
    expect(second.object.rows[0].object.metadata.name).toBe("t2");
    watch.close();
  });
  test("a bookmark has no cells", async () => {
    const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const watch = await watchLines(server, `${configMaps}?${query}&fieldSelector=metadata.name=nobody`, table);
    const { type, object } = await watch.next();
    expect([type, object.rows[0].cells, object.metadata.resourceVersion]).toEqual([
      "BOOKMARK",
      [null, null, null],
      expect.stringMatching(/^\d+$/),
    ]);
    watch.close();
  });
});

test("a consumer that does not read is cut off", async () => {
  // Time flies for whoever waits that long.
  const clock = {
    ...systemClock,
    after: (delay: number, run: () => void, options?: { background?: boolean }) =>
      systemClock.after(delay === 10_000 ? 50 : delay, run, options),
  };
  const hasty = await testServer({ clock });
  const socket = connect(Number(new URL(hasty.url).port), "127.0.0.1");
  socket.pause();
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => undefined);
  const created = await hasty.ask("POST", configMaps, configMap("blob"));
  const from = created.body.metadata.resourceVersion;
  socket.write(
    `GET ${configMaps}?watch=1&resourceVersion=${from} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`,
  );
  const blob = "x".repeat(900_000);
  for (let i = 0; i < 24; i++)
    await hasty.ask(
      "PATCH",
      `${configMaps}/blob`,
      { data: { blob: `${i}${blob}` } },
      { "content-type": "application/merge-patch+json" },
    );
  await expect.poll(() => hasty.log.join(), { timeout: 5000 }).toContain("its client does not keep up");
  socket.resume();
  await closed;
  await hasty.close();
});
