// HTTP/2 as it passes through a TCP port.
import {
  createServer as createHttp2,
  type Http2Server,
  connect as http2Connect,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freshPort, Stage, serviceAddress, tableWith } from "./proxy.fixture.ts";

let stage: Stage;
let port: number;
beforeEach(() => {
  stage = new Stage();
  port = freshPort();
});
afterEach(() => stage.stop());

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
