// Traffic while things change: endpoints that roll, servers that die, clients that go, streams that stay.
import { createHash } from "node:crypto";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect as netConnect } from "node:net";
import { sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ask, freshPort, gateway, rule, Stage, serviceAddress, tableWith } from "./proxy.fixture.ts";
import type { TableEndpoint } from "./table.ts";

let stage: Stage;
let port: number;
beforeEach(() => {
  stage = new Stage();
  port = freshPort();
});
afterEach(() => stage.stop());

const pause = (ms: number) => sleep(systemClock, ms);

/** Asks over kept connections, reads and posts mixed, from several clients, until told to stop. */
function load(clients: number) {
  const agent = new Agent({ keepAlive: true });
  const failed: string[] = [];
  let answered = 0;
  let going = true;
  const one = (method: string) =>
    new Promise<void>((resolve) => {
      const fail = (error: Error) => {
        failed.push(`${method} ${error.message}`);
        resolve();
      };
      const asked = httpRequest({ host: serviceAddress, port, method, agent }, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => {
          if (response.statusCode === 200) answered++;
          else failed.push(`${method} ${response.statusCode} ${text}`);
          resolve();
        });
        response.on("error", fail);
      });
      asked.on("error", fail);
      asked.end(method === "POST" ? "body" : undefined);
    });
  const underWay = new Map<number, Promise<void>>();
  const client = async (index: number) => {
    for (let i = index; going; i++) {
      const asked = one(i % 2 === 0 ? "GET" : "POST");
      underWay.set(index, asked);
      await asked;
    }
  };
  const all = Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  return {
    failed,
    answered: () => answered,
    /** Resolves when every request that is under way now has been answered. */
    settled: () => Promise.all([...underWay.values()]),
    async stop() {
      going = false;
      await all;
      agent.destroy();
    },
  };
}

test("loses no request, read or post, while every endpoint is replaced again and again", async () => {
  const start = (index: number) =>
    stage.serve(`127.126.1.${index}`, (request, response) => {
      request.resume().on("end", async () => {
        await pause(index % 5);
        response.end("done");
      });
    });
  let old = [await start(1), await start(2)];
  await stage.proxy.apply(
    tableWith(
      port,
      old.map(({ endpoint }) => endpoint),
    ),
  );
  const traffic = load(16);
  for (let round = 1; round <= 6; round++) {
    const fresh = [await start(2 * round + 1), await start(2 * round + 2)];
    const draining: TableEndpoint[] = old.map(({ endpoint }) => ({ ...endpoint, state: "draining" }));
    await stage.proxy.apply(tableWith(port, [...fresh.map(({ endpoint }) => endpoint), ...draining]));
    // What preStop's sleep is for: requests under way end and their connections are closed, before the server is told to end.
    await traffic.settled();
    for (const server of old) {
      await expect.poll(() => connections(server), { timeout: 10_000 }).toBe(0);
      server.close();
    }
    await stage.proxy.apply(
      tableWith(
        port,
        fresh.map(({ endpoint }) => endpoint),
      ),
    );
    old = fresh;
    await pause(50);
  }
  await traffic.stop();
  expect(traffic.failed).toEqual([]);
  expect(traffic.answered()).toBeGreaterThan(100);
});

test("loses no idempotent request when an endpoint is killed amid requests", async () => {
  const serve = (address: string) =>
    stage.serve(address, (request, response) => {
      request.resume().on("end", async () => {
        await pause(5);
        response.end("done");
      });
    });
  const [killed, stays] = [await serve("127.126.1.1"), await serve("127.126.1.2")];
  await stage.proxy.apply(tableWith(port, [killed.endpoint, stays.endpoint]));
  const traffic = load(16);
  await pause(100);
  killed.close();
  killed.closeAllConnections();
  await pause(200);
  await traffic.stop();
  expect(traffic.failed.filter((each) => !each.startsWith("POST"))).toEqual([]);
});

test("a POST takes no connection that has been idle for long; a GET does", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void request.pipe(response));
  let made = 0;
  server.on("connection", () => made++);
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  await ask(port, "/", { body: "a" });
  await pause(1100);
  await ask(port, "/");
  expect(made).toBe(1);
  await pause(1100);
  await ask(port, "/", { body: "a" });
  expect(made).toBe(2);
});

test("closes idle connections at once when an endpoint is no more ready, and lets requests under way end", async () => {
  let release = () => {};
  const server = await stage.serve("127.126.1.1", (request, response) => {
    if (request.url === "/slow") release = () => void response.end("slow");
    else response.end("fast");
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const slow = ask(port, "/slow");
  await ask(port, "/");
  await expect.poll(() => connections(server)).toBe(2);
  await stage.proxy.apply(tableWith(port, [{ ...server.endpoint, state: "draining" }]));
  await expect.poll(() => connections(server)).toBe(1);
  release();
  expect((await slow).body).toBe("slow");
  await expect.poll(() => connections(server)).toBe(0);
});

const connections = (server: { getConnections(done: (error: Error | null, count: number) => void): void }) =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

test("WebSockets pass, at the Service and at the gateway", async () => {
  const server = await stage.serve("127.126.1.1", (_, response) => void response.writeHead(426).end("no"));
  const sockets = new WebSocketServer({ server, path: "/ws" });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`echo ${data}`)));
  const listener = gateway(freshPort(), rule({ requestTimeout: 100 }));
  await stage.proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
  for (const at of [port, listener.port]) {
    const socket = new WebSocket(`ws://${serviceAddress}:${at}/ws`);
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    await pause(150);
    const heard = new Promise((resolve) => socket.on("message", (data) => resolve(String(data))));
    socket.send("hi");
    expect(await heard).toBe("echo hi");
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.close();
    await closed;
  }
  const refused = await ask(port, "/other", { headers: { connection: "Upgrade", upgrade: "websocket" } });
  expect([refused.status, refused.headers.connection]).toEqual([400, "close"]);
  sockets.close();
});

test("events of a stream arrive one by one, past the route's time-out, and the headers before the first", async () => {
  let send = (_: string) => {};
  const server = await stage.serve("127.126.1.1", (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    send = (text) => void response.write(text);
  });
  const listener = gateway(freshPort(), rule({ requestTimeout: 100 }));
  await stage.proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({ host: serviceAddress, port: listener.port }, resolve).on("error", reject).end();
  });
  expect(response.headers["content-type"]).toBe("text/event-stream");
  const events = response[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) {
    await pause(60);
    send(`data: ${i}\n\n`);
    expect(String((await events.next()).value)).toBe(`data: ${i}\n\n`);
  }
  response.destroy();
});

const megabytes = 50;

test("50 MB go in and out whole, however slowly the client reads", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void request.pipe(response));
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const piece = Buffer.alloc(1024 * 1024, "x");
  const sent = createHash("sha256");
  const got = createHash("sha256");
  await new Promise<void>((resolve, reject) => {
    const asked = httpRequest({ host: serviceAddress, port, method: "POST" }, async (response) => {
      let pieces = 0;
      for await (const chunk of response) {
        got.update(chunk);
        if (++pieces % 100 === 0) await pause(5);
      }
      resolve();
    });
    asked.on("error", reject);
    const write = async () => {
      for (let i = 0; i < megabytes; i++) {
        piece.writeUInt32LE(i);
        sent.update(piece);
        if (!asked.write(Buffer.from(piece))) await new Promise((drained) => asked.once("drain", drained));
      }
      asked.end();
    };
    void write();
  });
  expect(got.digest("hex")).toBe(sent.digest("hex"));
});

test("a client that goes ends the request at the endpoint, and nothing is left of it", async () => {
  let gone = 0;
  const server = await stage.serve("127.126.1.1", (request, response) => {
    if (request.url === "/begun") response.write("some");
    response.on("close", () => gone++);
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  for (const path of ["/", "/begun"]) {
    const clients = Array.from({ length: 10 }, () => {
      const socket = netConnect(port, serviceAddress);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return socket;
    });
    await expect.poll(() => connections(server)).toBe(10);
    for (const socket of clients) socket.destroy();
    await expect.poll(() => connections(server)).toBe(0);
  }
  expect(gone).toBe(20);
});

test("a server that breaks off in the middle shows to the client as a broken answer, not as a short one", async () => {
  const server = await stage.serve("127.126.1.1", (_, response) => {
    response.write("half");
    setTimeout(() => response.destroy(), 20);
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  await expect(ask(port, "/")).rejects.toThrow();
});
