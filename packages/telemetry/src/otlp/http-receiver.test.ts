import { request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MalformedError, UnavailableError } from "../sink.ts";
import { decode, decodeTraces, encodeLogs, encodeTraces } from "./codec.ts";
import { type Receiving, receiving } from "./receiver.fixture.ts";
import { messageNamed } from "./schema.ts";

let receiver: Receiving;
beforeEach(async () => {
  receiver = await receiving();
});
afterEach(() => receiver.close());

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

interface Sent {
  path?: string;
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: Uint8Array | string;
}

function send({ path = "/v1/traces", method = "POST", headers = {}, body = "" }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: "127.0.0.1",
      port: receiver.http.port,
      path,
      method,
      headers: { "content-type": "application/x-protobuf", ...headers },
    });
    request.on("error", reject).on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.end(body);
  });
}

const data = {
  resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "ab".repeat(16), spanId: "cd".repeat(8), name: "é" }] }] }],
};
const protobuf = encodeTraces(data);
const json = JSON.stringify(data);
const asJson = { "content-type": "application/json" };
const lost = () => receiver.losses.list().map(({ signal, reason, count }) => `${signal} ${reason} ${count}`);

const taken: Record<string, Sent> = {
  protobuf: { body: protobuf },
  "protobuf, gzip": { headers: { "content-encoding": "gzip" }, body: gzipSync(protobuf) },
  "protobuf, deflate": { headers: { "content-encoding": "deflate" }, body: deflateSync(protobuf) },
  "protobuf, zstd": { headers: { "content-encoding": "zstd" }, body: zstdCompressSync(protobuf) },
  JSON: { headers: asJson, body: json },
  "JSON, gzip": { headers: { ...asJson, "content-encoding": "GZIP" }, body: gzipSync(json) },
  "JSON with its character set": { headers: { "content-type": "application/json; charset=utf-8" }, body: json },
  "a body without its length": { headers: { "transfer-encoding": "chunked" }, body: protobuf },
  "a path with a question": { path: "/v1/traces?x=1", body: protobuf },
  "addressed as localhost": { headers: { host: "localhost:4318" }, body: protobuf },
  "addressed as a name below localhost": { headers: { host: "otlp.localhost" }, body: protobuf },
  "addressed by IPv6": { headers: { host: "[::1]:4318" }, body: protobuf },
};
for (const [name, sent] of Object.entries(taken))
  test(`takes ${name}`, async () => {
    const answer = await send(sent);
    const type = sent.headers?.["content-type"]?.toString().startsWith("application/json") ? "json" : "x-protobuf";
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": `application/${type}` } });
    expect(answer.body.toString()).toBe(type === "json" ? "{}" : "");
    expect(receiver.sink.requests.map(({ request }) => decodeTraces(request))).toEqual([data]);
    expect(receiver.intake.inFlight).toBe(0);
  });

test("each path is a signal", async () => {
  for (const path of ["/v1/logs", "/v1/metrics", "/v1/traces"]) expect((await send({ path })).status).toBe(200);
  expect(receiver.sink.requests.map(({ signal }) => signal)).toEqual(["logs", "metrics", "traces"]);
});

const web = { headers: { origin: "http://localhost:3000" }, body: protobuf };
const refused: Record<string, [Sent, status: number, code: number, message: string]> = {
  "malformed protobuf": [{ body: "\xff" }, 400, 3, "cut off"],
  "malformed JSON": [{ headers: asJson, body: "{" }, 400, 3, "not JSON"],
  "JSON that is not OTLP": [
    { headers: asJson, body: '{"resourceSpans":[5]}' },
    400,
    3,
    "resourceSpans[0]: expected an object",
  ],
  "JSON that is not UTF-8": [{ headers: asJson, body: Buffer.from('{"a":"\xff"}', "latin1") }, 400, 3, "not UTF-8"],
  "what is not gzip": [{ headers: { "content-encoding": "gzip" }, body: protobuf }, 400, 3, "not gzip"],
  "half of a gzip": [
    { headers: { "content-encoding": "gzip" }, body: gzipSync(protobuf).subarray(0, 30) },
    400,
    3,
    "not gzip",
  ],
  "an unknown compression": [
    { headers: { "content-encoding": "br" }, body: protobuf },
    415,
    3,
    "compression br is not one of",
  ],
  "a compression of objects' own": [
    { headers: { "content-encoding": "constructor" } },
    415,
    3,
    "compression constructor",
  ],
  "another content type": [{ headers: { "content-type": "text/plain" }, body: json }, 415, 3, "content-type"],
  "no content type": [{ headers: { "content-type": "" }, body: json }, 415, 3, "content-type"],
  "another method": [{ method: "GET" }, 405, 12, "use POST"],
  "a browser's question before it sends": [{ method: "OPTIONS" }, 405, 12, "use POST"],
  "another path": [{ path: "/v1/profiles" }, 404, 5, "no such path"],
  "a path of objects' own": [{ path: "/constructor" }, 404, 5, "no such path"],
  "a web page": [web, 403, 7, "web pages"],
  "a web page that cannot say from where": [{ headers: { origin: "null" } }, 403, 7, "web pages"],
  "a name that somebody pointed here": [{ headers: { host: "attacker.example:4318" } }, 403, 7, "localhost"],
  "a name that looks like an address": [{ headers: { host: "127.0.0.1.attacker.example" } }, 403, 7, "localhost"],
  "a name that looks like localhost": [{ headers: { host: "notlocalhost" } }, 403, 7, "localhost"],
};
for (const [name, [sent, status, code, message]] of Object.entries(refused))
  test(`refuses ${name}`, async () => {
    receiver.sink.answer = (_, request) => {
      decodeTraces(request);
      return { taken: 0, rejected: 0 };
    };
    const answer = await send(sent);
    expect(answer.status).toBe(status);
    const isProtobuf = answer.headers["content-type"] === "application/x-protobuf";
    const body = (
      isProtobuf ? decode(messageNamed("RpcStatus"), answer.body) : JSON.parse(answer.body.toString())
    ) as object;
    expect(body).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(receiver.sink.requests).toEqual([]);
    expect(receiver.errors).toEqual([]);
  });

test("answers in the form in which it was asked", async () => {
  receiver.sink.answer = () => {
    throw new MalformedError("no");
  };
  expect((await send({ body: protobuf })).headers["content-type"]).toBe("application/x-protobuf");
  expect((await send({ headers: asJson, body: json })).headers["content-type"]).toBe("application/json");
  expect(lost()).toEqual(["traces request malformed 2"]);
});

test("says how many were rejected, and why", async () => {
  receiver.sink.answer = () => ({ taken: 0, rejected: 3, message: "too old" });
  const expected = { partialSuccess: { rejectedSpans: "3", errorMessage: "too old" } };
  expect(JSON.parse((await send({ headers: asJson, body: json })).body.toString())).toEqual(expected);
  expect(decode(messageNamed("ExportTraceServiceResponse"), (await send({ body: protobuf })).body)).toEqual(expected);
  expect(lost()).toEqual([]);
});

test("says when to try again", async () => {
  receiver.sink.answer = () => {
    throw new UnavailableError("the disk is full", 2500);
  };
  const answer = await send({ headers: asJson, body: json });
  expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "3" } });
  expect(JSON.parse(answer.body.toString())).toEqual({ code: 14, message: "the disk is full" });
  expect(lost()).toEqual(["traces request unavailable 1"]);
});

test("keeps a fault of its own to itself", async () => {
  receiver.sink.answer = () => {
    throw new TypeError("secret");
  };
  const answer = await send({ headers: asJson, body: json });
  expect(answer.status).toBe(500);
  expect(answer.body.toString()).not.toContain("secret");
  expect(receiver.errors).toEqual([new TypeError("secret")]);
});

test("the connection is used again, also after a mistake", async () => {
  const socket = connect(receiver.http.port, "127.0.0.1");
  const one = (path: string) =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;
  const answers = new Promise<string>((resolve) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.split("HTTP/1.1").length === 4) resolve(text);
    });
  });
  socket.write(one("/v1/logs") + one("/nowhere") + one("/v1/traces"));
  expect((await answers).match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
  socket.destroy();
});

test("a name of our own choice", async () => {
  await receiver.close();
  receiver = await receiving({ names: ["flotilla.internal"] });
  expect((await send({ headers: { host: "Flotilla.internal:4318" } })).status).toBe(200);
});

test("two receivers cannot have one port", async () => {
  const { startHttpReceiver } = await import("./http-receiver.ts");
  const { intake, http } = receiver;
  const again = startHttpReceiver({ host: "127.0.0.1", port: http.port, intake, clock: simulation(1).clock });
  await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("a large record of many attributes", async () => {
  const attributes = Array.from({ length: 100_000 }, (_, i) => ({ key: `k${i}`, value: { intValue: String(i) } }));
  const logs = encodeLogs({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }] });
  expect((await send({ path: "/v1/logs", body: logs })).status).toBe(200);
  expect(Buffer.compare(receiver.sink.requests[0]?.request ?? new Uint8Array(), logs)).toBe(0);
});
