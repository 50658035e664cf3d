import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { systemClock } from "@flotilla/ambient";
import { afterEach, expect, test } from "vitest";
import { httpFetch } from "./fetch.ts";

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
});

async function serve(answer: RequestListener): Promise<string> {
  const listening = createServer(answer);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/metrics`;
}

const fetch = (url: string, more: { timeout?: number; maxBytes?: number; token?: string } = {}) =>
  httpFetch(systemClock)({ url, timeout: 5000, maxBytes: 1000, ...more });

test("asks for what we read", async () => {
  const url = await serve(({ headers }, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(
      [headers.accept?.split(";")[0], headers.authorization, headers["x-prometheus-scrape-timeout-seconds"]].join(),
    );
  });
  expect(await fetch(url, { token: "t" })).toEqual({
    text: "application/openmetrics-text,Bearer t,5",
    contentType: "text/plain; version=0.0.4",
  });
});

test("decompresses", async () => {
  const url = await serve((_, response) => {
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync("a 1\n"));
  });
  expect((await fetch(url)).text).toBe("a 1\n");
});

test.each<[string, RequestListener, string]>([
  ["an answer that is none", (_, response) => response.writeHead(404).end(), "the answer is 404 Not Found"],
  ["too much", (_, response) => response.end("x".repeat(1001)), "the answer has more than 1000 bytes"],
  [
    "too much, compressed",
    (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(100_000))),
    "the answer has more than 1000 bytes",
  ],
  [
    "what is not compressed",
    (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("a 1\n"),
    "incorrect header check",
  ],
  ["bytes that are no text", (_, response) => response.end(Buffer.from([0xff, 0xfe])), "the answer is not UTF-8"],
])("refuses %s", async (_, answer, message) => {
  const url = await serve(answer);
  await expect(fetch(url)).rejects.toThrow(message);
});

test.each<[string, RequestListener]>([
  ["never begins", () => {}],
  ["never ends", (_, response) => void response.write("a 1\n")],
])("an answer that %s is given up", async (_, answer) => {
  const url = await serve(answer);
  await expect(fetch(url, { timeout: 100 })).rejects.toThrow("no whole answer within 0.1 s");
});

test("nobody there", async () => {
  await expect(fetch("http://127.0.0.1:1/metrics")).rejects.toThrow("ECONNREFUSED");
});
