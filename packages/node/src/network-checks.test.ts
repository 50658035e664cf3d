import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { simulation, systemClock } from "@flotilla/ambient";
import type { Container } from "@flotilla/objects";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Action } from "./checks.ts";
import { networkChecks, portOf } from "./network-checks.ts";
import { simulatedRuntime } from "./simulated-runtime.ts";

const checks = networkChecks(simulatedRuntime(simulation(1)), systemClock);
const container = (port: number): Container => ({
  name: "main",
  image: "i",
  ports: [{ name: "web", containerPort: port }],
});
const check = (action: Action, port: number, timeoutMs = 1000) =>
  checks.check(action, { id: "x", podIP: "127.0.0.1", container: container(port) }, timeoutMs);

describe("http and tcp", () => {
  let server: Server;
  let port: number;
  const seen: (string | undefined)[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.headers.host} ${request.headers["user-agent"]} ${request.headers.extra}`);
      if (request.url !== "/silent") response.writeHead(Number(request.url?.slice(1))).end("words");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    [200, true, "ok"],
    [302, true, "ok"],
    [399, true, "ok"],
    [400, false, "HTTP probe failed with statuscode: 400"],
    [503, false, "HTTP probe failed with statuscode: 503"],
  ])("HTTP %i", async (code, ok, message) =>
    expect(await check({ httpGet: { port: "web", path: `/${code}` } }, port)).toEqual({ ok, message }),
  );
  test("its headers, with Host as it is asked for", async () => {
    const httpHeaders = [
      { name: "Host", value: "shop" },
      { name: "Extra", value: "yes" },
    ];
    await check({ httpGet: { port, path: "/200", httpHeaders } }, port);
    expect(seen.at(-1)).toBe("shop kube-probe/1.34 yes");
  });
  test("who never answers runs into the time-out", async () =>
    expect(await check({ httpGet: { port, path: "/silent" } }, port, 50)).toEqual({
      ok: false,
      message: "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
    }));
  test("a port nobody listens on", async () => {
    expect(await check({ httpGet: { port: 1, path: "/x" } }, port)).toEqual({
      ok: false,
      message: 'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
    });
    expect(await check({ tcpSocket: { port: 1 } }, port)).toEqual({
      ok: false,
      message: "dial tcp 127.0.0.1:1: connect: connection refused",
    });
  });
  test("a port that listens", async () =>
    expect(await check({ tcpSocket: { port: "web" } }, port)).toEqual({ ok: true, message: "ok" }));
  test("a port by a name that there is not", () =>
    expect(() => portOf("none", container(1))).toThrow(`couldn't find port: "none" in container main`));
  test("HTTPS, where HTTP is spoken", async () =>
    expect((await check({ httpGet: { port, path: "/200", scheme: "HTTPS" } }, port)).ok).toBe(false));
});

describe("gRPC", () => {
  let server: Http2Server;
  let port: number;
  const asked: Buffer[] = [];
  /** By the number of the answer's state; undefined: no such service. */
  let state: number | undefined = 1;
  beforeAll(async () => {
    server = createHttp2Server();
    server.on("stream", (stream: ServerHttp2Stream, headers) => {
      const pieces: Buffer[] = [];
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => {
        asked.push(Buffer.concat([Buffer.from(`${headers[":path"]} `), ...pieces]));
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": state === undefined ? "5" : "0" }));
        stream.end(state === undefined ? undefined : Buffer.from([0, 0, 0, 0, 2, 0x08, state]));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server.close());

  test.each([
    [1, true, "ok"],
    [2, false, 'service unhealthy (responded with "NOT_SERVING")'],
    [undefined, false, 'service unhealthy (responded with "UNKNOWN")'],
  ])("a service in state %s", async (now, ok, message) => {
    state = now;
    expect(await check({ grpc: { port } }, port)).toEqual({ ok, message });
  });
  test("asks for the service by name, however long", async () => {
    const service = "s".repeat(200);
    await check({ grpc: { port, service } }, port);
    expect(asked.at(-1)).toEqual(
      Buffer.concat([
        Buffer.from("/grpc.health.v1.Health/Check "),
        Buffer.from([0, 0, 0, 0, 203, 0x0a, 0xc8, 0x01]),
        Buffer.from(service),
      ]),
    );
  });
  test("a port nobody listens on", async () =>
    expect((await check({ grpc: { port: 1 } }, port)).message).toContain(
      'timeout: failed to connect service "127.0.0.1:1"',
    ));
});

test("a probe of no kind", async () =>
  expect(await check({}, 1)).toEqual({ ok: false, message: "missing probe handler" }));
