import { connect as netConnect, type Socket } from "node:net";
import { seededRandom, sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, freshPort, gateway, rule, Stage, serviceAddress, tableWith } from "./proxy.fixture.ts";
import { TrafficProxy } from "./proxy.ts";

let stage: Stage;
let port: number;
beforeEach(() => {
  stage = new Stage();
  port = freshPort();
});
afterEach(() => stage.stop());

const pause = (ms: number) => sleep(systemClock, ms);

/** Sends text as it is, and gives all that comes back until the other side ends. */
const raw = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = "";
    const socket: Socket = netConnect(port, serviceAddress, () => void socket.write(text));
    socket.on("data", (chunk) => {
      heard += chunk;
    });
    socket.on("end", () => {
      socket.end();
      resolve(heard);
    });
    socket.on("error", reject);
  });

test("passes method, path, headers and body, and says who asked", async () => {
  const server = await stage.serve("127.126.1.1", async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const {
      host,
      "x-forwarded-for": by,
      "x-forwarded-host": first,
      "x-request-id": id,
      "x-own": own,
    } = request.headers;
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.statusCode = 201;
    response.end(
      JSON.stringify({ method: request.method, url: request.url, host, by, first, id: id?.length, own, body }),
    );
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const answer = await ask(port, "/a?b=1", { method: "PUT", headers: { host: "orders", "x-own": "x" }, body: "hello" });
  expect(answer.status).toBe(201);
  expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  expect(JSON.parse(answer.body)).toEqual({
    method: "PUT",
    url: "/a?b=1",
    host: "orders",
    by: "127.0.0.1",
    first: "orders",
    id: 36,
    own: "x",
    body: "hello",
  });
});

test("tries another endpoint when one refuses, for a POST too, with its body whole", async () => {
  const gone = await stage.serve("127.126.1.1", () => undefined);
  gone.close();
  const server = await stage.serve("127.126.1.2", (request, response) => void request.pipe(response));
  await stage.proxy.apply(tableWith(port, [gone.endpoint, server.endpoint]));
  for (let i = 0; i < 10; i++) expect((await ask(port, "/", { body: `body ${i}` })).body).toBe(`body ${i}`);
});

test("asks again when an endpoint dies before it answers a GET, never a POST", async () => {
  let asked = 0;
  const dies = await stage.serve("127.126.1.1", (request) => {
    asked++;
    request.socket.destroy();
  });
  const server = await stage.serve("127.126.1.2", (_, response) => void response.end("alive"));
  await stage.proxy.apply(tableWith(port, [dies.endpoint, server.endpoint]));
  const gets = await Promise.all(Array.from({ length: 20 }, () => ask(port, "/")));
  expect(gets.map(({ status }) => status)).toEqual(new Array(20).fill(200));
  expect(asked).toBeGreaterThan(0);
  await stage.proxy.apply(tableWith(port, [dies.endpoint]));
  asked = 0;
  const post = await ask(port, "/", { body: "once" });
  expect([post.status, asked]).toEqual([502, 1]);
  expect(post.body).toContain("shop/orders");
});

test("holds a request until an endpoint appears", async () => {
  const server = await stage.serve("127.126.1.1", (_, response) => void response.end("late"));
  await stage.proxy.apply(tableWith(port, []));
  const asking = ask(port, "/");
  await pause(100);
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  expect((await asking).body).toBe("late");
});

test("says which service has nobody to answer, as JSON to whoever wants it", async () => {
  await stage.proxy.apply(tableWith(port, []));
  const answer = await ask(port, "/", { headers: { accept: "application/json" } });
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body)).toMatchObject({ code: 503, message: expect.stringContaining("shop/orders") });
});

test("answers 504 when the route's time is over", async () => {
  const server = await stage.serve("127.126.1.1", () => undefined);
  const listener = gateway(freshPort(), rule({ requestTimeout: 50 }));
  await stage.proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
  const answer = await ask(listener.port, "/");
  expect([answer.status, answer.body]).toEqual([504, "service shop/orders did not answer within 0.05 s\n"]);
});

test("passes trailers, HEAD, 100-continue and chunked bodies", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => {
    if (request.method === "HEAD") return void response.setHeader("content-length", "5").end();
    response.setHeader("trailer", "x-sum");
    request.pipe(response, { end: false });
    request.on("end", () => {
      response.addTrailers({ "x-sum": "7" });
      response.end();
    });
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  expect(await ask(port, "/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  const answer = await ask(port, "/", { body: "pieces", headers: { "transfer-encoding": "chunked" } });
  expect(answer).toMatchObject({ body: "pieces", trailers: { "x-sum": "7" } });
  const text = await raw(
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
  );
  expect(text).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK[\s\S]*ok/);
});

test.each([
  ["malformed", "GET / HTTP/1.1\r\nbad header\r\n\r\n", 400],
  ["with headers too large", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ["to tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405],
  [
    "of two lengths",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
])("refuses a request %s", async (_, text, status) => {
  await stage.proxy.apply(tableWith(port, []));
  expect(await raw(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("answers pipelined requests in order", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void response.end(`[${request.url}]`));
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const text = await raw(
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  expect(text.match(/\[\/\d\]/g)).toEqual(["[/1]", "[/2]", "[/3]"]);
});

test("carries TCP both ways, ends included", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void request.pipe(response));
  await stage.proxy.apply(tableWith(port, [server.endpoint], { protocol: "tcp" }));
  expect((await ask(port, "/", { body: "through" })).body).toBe("through");
});

test("tells which address cannot be had and why, and has it when it is free", async () => {
  const holder = await stage.serve("0.0.0.0", () => undefined, port);
  const server = await stage.serve("127.126.1.1", (_, response) => void response.end("here"));
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  expect(stage.problems[`${serviceAddress}:${port}`]).toMatch(/0\.0\.0\.0:\d+.*\$HOST/);
  holder.close();
  await expect.poll(() => Object.keys(stage.problems).length, { timeout: 5000 }).toBe(0);
  expect((await ask(port, "/")).body).toBe("here");
});

test("an answer that is malformed costs one request, not the process", async () => {
  const server = await stage.serve(
    "127.126.1.1",
    ({ socket }) => void socket.end("HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n"),
  );
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  expect(await ask(port, "/")).toMatchObject({ status: 502, body: expect.stringContaining("shop/orders") });
});

test("a filter that makes an impossible path costs one request, not the process", async () => {
  const server = await stage.serve("127.126.1.1", (_, response) => void response.end("ok"));
  const path = { type: "ReplaceFullPath", replaceFullPath: "/a b" } as const;
  const odd = rule({ filters: [{ type: "URLRewrite", urlRewrite: { path } }] });
  const listener = gateway(freshPort(), odd);
  await stage.proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
  expect((await ask(listener.port, "/")).status).toBe(500);
  expect((await ask(port, "/")).body).toBe("ok");
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
