// What is asked for less often: affinity, names outside, copies, what is told of each request, HTTP/2, IPv6, and the end.
import {
  createServer as createHttp2,
  type Http2Server,
  connect as http2Connect,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect as netConnect } from "node:net";
import { seededRandom, sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AccessEntry } from "./exchange.ts";
import { ask, cluster, freshPort, gateway, rule, Stage, serviceAddress, tableWith } from "./proxy.fixture.ts";
import { TrafficProxy } from "./proxy.ts";
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

test("a copy goes to the mirror with its body, and what becomes of it harms nobody", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void request.pipe(response));
  const copies: string[] = [];
  const mirror = await stage.serve("127.126.1.2", (request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      copies.push(`${request.method} ${request.url} ${body}`);
      if (copies.length === 2) request.socket.destroy();
      else response.writeHead(500).end("wrong");
    });
  });
  const listener = gateway(
    freshPort(),
    rule({
      mirrors: [
        { cluster: "copies", share: 1 },
        { cluster: "gone", share: 1 },
      ],
    }),
  );
  const table = tableWith(port, [server.endpoint], { gateways: [listener] });
  await stage.proxy.apply({ ...table, clusters: { ...table.clusters, copies: cluster([mirror.endpoint]) } });
  for (const body of ["one", "two", "x".repeat(300_000)])
    expect((await ask(listener.port, "/p?q", { body })).body).toBe(body);
  expect((await ask(listener.port, "/g")).status).toBe(200);
  await expect.poll(() => copies.length).toBe(4);
  expect(copies.map((each) => each.slice(0, 20))).toEqual([
    "POST /p?q one",
    "POST /p?q two",
    `POST /p?q ${"x".repeat(10)}`,
    "GET /g ",
  ]);
  expect(copies[2]?.length).toBe("POST /p?q ".length + 300_000);
});

test("a mirror that never answers does not keep the client waiting", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void request.pipe(response));
  const silent = await stage.serve("127.126.1.2", () => undefined);
  const listener = gateway(freshPort(), rule({ mirrors: [{ cluster: "copies", share: 1 }] }));
  const table = tableWith(port, [server.endpoint], { gateways: [listener] });
  await stage.proxy.apply({ ...table, clusters: { ...table.clusters, copies: cluster([silent.endpoint]) } });
  const big = "x".repeat(3_000_000);
  expect((await ask(listener.port, "/", { body: big })).body.length).toBe(big.length);
});

test("each request is told once: answered, refused, failed, left by its client", async () => {
  const entries: string[] = [];
  const proxy = new TrafficProxy({
    clock: systemClock,
    random: seededRandom(1),
    gatewayAddresses: [serviceAddress],
    onProblems: () => undefined,
    onAccess: ({ method, path, status, service, route, milliseconds }: AccessEntry) => {
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      entries.push(`${method} ${path} ${status ?? "left"} ${service || "-"} ${route || "-"}`);
    },
  });
  try {
    const server = await stage.serve("127.126.1.1", ({ url }, response) => {
      if (url !== "/slow") response.writeHead(url === "/bad" ? 500 : 200).end();
    });
    const strange = {
      type: "URLRewrite",
      urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/ " } },
    } as const;
    const listener = gateway(
      freshPort(),
      rule({ matches: [{ path: { type: "PathPrefix", value: "/shop" } }] }),
      rule({ matches: [{ path: { type: "Exact", value: "/strange" } }], filters: [strange] }),
    );
    await proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
    await ask(port, "/?a=1");
    await ask(port, "/bad", { body: "x" });
    await ask(listener.port, "/shop");
    await ask(listener.port, "/nowhere");
    await ask(listener.port, "/strange");
    await ask(port, "/coded", { body: "x", headers: { "transfer-encoding": "gzip, chunked" } });
    const socket = netConnect(port, serviceAddress, () => void socket.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"));
    await pause(50);
    socket.destroy();
    const expected = [
      "GET /?a=1 200 shop/orders -",
      "POST /bad 500 shop/orders -",
      "GET /shop 200 shop/orders shop/shop",
      "GET /nowhere 404 - -",
      "GET /strange 500 shop/orders shop/shop",
      "POST /coded 501 - -",
      "GET /slow left shop/orders -",
    ];
    await expect.poll(() => entries).toEqual(expected);
    expect(proxy.stats().reduce((sum, { requests }) => sum + requests, 0)).toBe(expected.length);
  } finally {
    await proxy.stop();
  }
});

async function http2Server(address: string): Promise<Http2Server & { port: number }> {
  const server = createHttp2();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(address);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

test("HTTP/2 passes through a TCP port: streams side by side, trailers, each connection to one endpoint", async () => {
  const servers = [await http2Server("127.126.1.1"), await http2Server("127.126.1.2")];
  const endpoints = servers.map((server, i) => ({
    address: `127.126.1.${i + 1}`,
    port: server.port,
    state: "ready" as const,
  }));
  await stage.proxy.apply(tableWith(port, endpoints, { protocol: "tcp" }));
  const ofConnection = async () => {
    const session = http2Connect(`http://${serviceAddress}:${port}`);
    const streams = Array.from({ length: 10 }, async () => {
      const stream = session.request({ ":path": "/shop.Orders/Get", ":method": "POST" });
      const trailers = new Promise((resolve) => stream.on("trailers", resolve));
      stream.end("message");
      let body = "";
      for await (const chunk of stream) body += chunk;
      expect(await trailers).toMatchObject({ "grpc-status": "0" });
      return body;
    });
    const bodies = new Set(await Promise.all(streams));
    session.close();
    expect(bodies.size).toBe(1);
    return [...bodies][0] as string;
  };
  const reached = await Promise.all(Array.from({ length: 8 }, ofConnection));
  expect(new Set(reached)).toEqual(new Set(["127.126.1.1", "127.126.1.2"]));
  for (const server of servers) server.close();
});

test("the gateway answers at ::1, too", async () => {
  const proxy = new TrafficProxy({
    clock: systemClock,
    random: seededRandom(1),
    gatewayAddresses: ["127.0.0.1", "::1"],
    onProblems: (problems) => expect(problems).toEqual({}),
  });
  try {
    const server = await stage.serve(
      "127.126.1.1",
      ({ headers }, response) => void response.end(`${headers["x-forwarded-for"]}`),
    );
    const listener = gateway(freshPort(), rule());
    await proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
    for (const [host, by] of [
      ["[::1]", "::1"],
      ["127.0.0.1", "127.0.0.1"],
    ]) {
      const response = await fetch(`http://${host}:${listener.port}/`);
      expect(await response.text()).toBe(by);
    }
  } finally {
    await proxy.stop();
  }
});

test("a stop lets requests under way end, refuses new connections, and cuts what stays", async () => {
  const server = await stage.serve("127.126.1.1", async (_, response) => {
    await pause(300);
    response.end("slow");
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const slow = ask(port, "/");
  const idle = netConnect(port, serviceAddress);
  const closed = new Promise((resolve) => idle.on("close", resolve));
  await pause(100);
  const begun = performance.now();
  const stopped = stage.proxy.stop();
  await expect(ask(port, "/")).rejects.toThrow(/ECONNREFUSED/);
  expect((await slow).body).toBe("slow");
  // One that has never asked anything has nothing under way.
  await closed;
  await stopped;
  expect(performance.now() - begun).toBeLessThan(2500);
});

test("a stop cuts a stream that does not end, after a while", async () => {
  const server = await stage.serve("127.126.1.1", (_, response) => void response.write("begun"));
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const asking = ask(port, "/");
  const failed = expect(asking).rejects.toThrow();
  await pause(50);
  await stage.proxy.stop();
  await failed;
});
