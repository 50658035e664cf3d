import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { systemClock, systemRandom } from "@flotilla/ambient";
import { afterEach, expect, test } from "vitest";
import { receiving } from "../otlp/receiver.fixture.ts";
import { Losses } from "../sink.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";
import { type Poster, poster } from "./post.ts";

let server: Server;
let post: Poster;
afterEach(() => {
  post?.close();
  server?.closeAllConnections();
  server?.close();
});

async function answering(listener: RequestListener): Promise<URL> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  post = poster(2);
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`);
}
const body = Uint8Array.of(1, 2, 3);
const never = new AbortController().signal;

async function idle(forwarder: Forwarder): Promise<void> {
  while (forwarder.state().queuedRequests > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("sends and is answered, on one connection", async () => {
  const ports = new Set<number | undefined>();
  const url = await answering((request, response) => {
    ports.add(request.socket.remotePort);
    request.on("data", (chunk: Buffer) => response.writeHead(503, { "retry-after": "5" }).end(chunk)).resume();
  });
  const first = await post.post(url, { x: "y" }, body, never);
  expect(first).toEqual({ status: 503, retryAfter: "5", body: Buffer.from(body) });
  await post.post(url, {}, body, never);
  expect(ports.size).toBe(1);
});

test("does not read an answer without end", async () => {
  const url = await answering((_, response) => {
    const more = (): void => {
      while (response.write("x".repeat(10_000)));
      response.once("drain", more);
    };
    more();
  });
  expect((await post.post(url, {}, body, never)).body.length).toBeLessThanOrEqual(65_536);
});

test("is given up when it is told to", async () => {
  const url = await answering(() => {});
  const abort = new AbortController();
  const result = post.post(url, {}, body, abort.signal);
  abort.abort();
  await expect(result).rejects.toThrow("abort");
});

test("is given up amid the answer", async () => {
  const abort = new AbortController();
  const url = await answering((_, response) => {
    response.writeHead(200).write("x");
    setTimeout(() => abort.abort(), 10);
  });
  await expect(post.post(url, {}, body, abort.signal)).rejects.toThrow("abort");
});

test("a connection that cannot be made is an error", async () => {
  const url = await answering(() => {});
  await new Promise((resolve) => server.close(resolve));
  await expect(post.post(url, {}, body, never)).rejects.toThrow("ECONNREFUSED");
});

test("forwards over a network", async () => {
  const got: string[] = [];
  const url = await answering((request, response) => {
    request.on("data", (chunk: Buffer) => got.push(`${request.url} ${gunzipSync(chunk).toString("hex")}`));
    request.on("end", () => response.end());
  });
  const losses = new Losses();
  const forwarder = startForwarder({ endpoint: url.origin, clock: systemClock, random: systemRandom, losses });
  forwarder.send("logs", body);
  await idle(forwarder);
  await forwarder.close();
  expect(got).toEqual(["/v1/logs 010203"]);
  expect(losses.list()).toEqual([]);
});

test("a receiver refuses what its own process sends on", async () => {
  const receiver = await receiving();
  const endpoint = `http://127.0.0.1:${receiver.http.port}`;
  const losses = new Losses();
  const forwarder = startForwarder({ endpoint, clock: systemClock, random: systemRandom, losses });
  forwarder.send("logs", new Uint8Array());
  await idle(forwarder);
  await forwarder.close();
  expect(forwarder.state().refused?.message).toContain("/v1/logs: answered 508: this is what sends on");
  expect(receiver.sink.requests).toEqual([]);
  await receiver.close();
});
