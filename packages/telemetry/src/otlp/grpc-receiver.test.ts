import { connect as connectHttp2, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { seededRandom, simulation } from "@flotilla/ambient";
import * as grpc from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { MalformedError, UnavailableError } from "../sink.ts";
import { decode, decodeTraces, encodeTraces } from "./codec.ts";
import { type Receiving, receiving } from "./receiver.fixture.ts";
import { messageNamed } from "./schema.ts";

let receiver: Receiving;
const ends: (() => void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await receiver.close();
});

const traces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const data = {
  resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "ab", spanId: "cd", name: "é".repeat(1000) }] }] }],
};
const protobuf = Buffer.from(encodeTraces(data));

interface Answer {
  message?: Buffer | undefined;
  error?: grpc.ServiceError | undefined;
}

/** By the library that the official exporters use. */
function call(request: Buffer, path = traces, options: grpc.ClientOptions = {}): Promise<Answer> {
  const client = new grpc.Client(`127.0.0.1:${receiver.grpc.port}`, grpc.credentials.createInsecure(), options);
  ends.push(() => client.close());
  const same = (bytes: Buffer) => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, request, (error, message) =>
      resolve({ error: error ?? undefined, message }),
    );
  });
}

/** Without any library, for what it would not send. */
function raw(headers: OutgoingHttpHeaders, ...parts: Uint8Array[]): Promise<IncomingHttpHeaders> {
  const session = connectHttp2(`http://127.0.0.1:${receiver.grpc.port}`);
  session.on("error", () => {});
  ends.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": traces,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  for (const part of parts) stream.write(part);
  stream.end();
  return new Promise((resolve, reject) => {
    let answered: IncomingHttpHeaders = {};
    stream.on("response", (response) => {
      answered = response;
    });
    stream.on("trailers", (trailers) => Object.assign(answered, trailers));
    stream
      .on("error", reject)
      .on("close", () => resolve(answered))
      .resume();
  });
}

const frame = (message: Uint8Array, flag = 0, length = message.length): Buffer => {
  const bytes = Buffer.alloc(5 + message.length, flag);
  bytes.writeUInt32BE(length, 1);
  bytes.set(message, 5);
  return bytes;
};

test("each method is a signal", async () => {
  receiver = await receiving();
  for (const name of ["trace.v1.Trace", "metrics.v1.Metrics", "logs.v1.Logs"]) {
    const answer = await call(protobuf, `/opentelemetry.proto.collector.${name}Service/Export`);
    expect(answer).toEqual({ error: undefined, message: Buffer.alloc(0) });
  }
  expect(receiver.sink.requests.map(({ signal }) => signal)).toEqual(["traces", "metrics", "logs"]);
  expect(receiver.sink.requests.map(({ request }) => decodeTraces(request))).toEqual([data, data, data]);
  expect(receiver.intake.inFlight).toBe(0);
});

for (const [name, algorithm] of Object.entries({ deflate: 1, gzip: 2 }))
  test(`takes ${name}`, async () => {
    receiver = await receiving();
    expect((await call(protobuf, traces, { "grpc.default_compression_algorithm": algorithm })).error).toBeUndefined();
    expect(receiver.sink.requests.map(({ request }) => decodeTraces(request))).toEqual([data]);
  });

test("a request of several megabytes", async () => {
  receiver = await receiving();
  const large = Buffer.from(
    encodeTraces({ resourceSpans: Array.from({ length: 4000 }, () => data.resourceSpans[0] ?? {}) }),
  );
  expect((await call(large)).error).toBeUndefined();
  expect(Buffer.compare(receiver.sink.requests[0]?.request ?? Buffer.alloc(0), large)).toBe(0);
});

test("many requests at once on one connection", async () => {
  receiver = await receiving();
  const client = new grpc.Client(`127.0.0.1:${receiver.grpc.port}`, grpc.credentials.createInsecure());
  ends.push(() => client.close());
  const same = (bytes: Buffer) => bytes;
  const one = () =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(traces, same, same, protobuf, (error) => (error ? reject(error) : resolve(undefined)));
    });
  await Promise.all(Array.from({ length: 500 }, one));
  expect(receiver.sink.requests.length).toBe(500);
});

test("says how many were rejected, and why", async () => {
  receiver = await receiving();
  receiver.sink.answer = () => ({ taken: 0, rejected: 2, message: "too old" });
  const { message = Buffer.alloc(0) } = await call(protobuf);
  expect(decode(messageNamed("ExportTraceServiceResponse"), message)).toEqual({
    partialSuccess: { rejectedSpans: "2", errorMessage: "too old" },
  });
});

const statusOf = ({ error }: Answer): object => {
  const [details] = error?.metadata.get("grpc-status-details-bin") ?? [];
  const status = decode(messageNamed("RpcStatus"), details as Buffer) as { details?: { value: string }[] };
  const retry = status.details?.map(({ value }) => decode(messageNamed("RetryInfo"), Buffer.from(value, "base64")));
  return { ...status, ...(retry && { details: retry }) };
};

const thrown: Record<string, [Error, code: grpc.status, message: string, retry: object | undefined]> = {
  "malformed bytes": [new MalformedError("cut off: 100%"), grpc.status.INVALID_ARGUMENT, "cut off: 100%", undefined],
  "no room": [
    new UnavailableError("the disk is full", 2500),
    grpc.status.UNAVAILABLE,
    "the disk is full",
    { retryDelay: { seconds: "2", nanos: 500_000_000 } },
  ],
  "a fault of our own": [new TypeError("secret"), grpc.status.INTERNAL, "could not be taken", undefined],
};
for (const [name, [error, code, message, retry]] of Object.entries(thrown))
  test(`answers ${name}`, async () => {
    receiver = await receiving();
    receiver.sink.answer = () => {
      throw error;
    };
    const answer = await call(protobuf);
    expect(answer.error).toMatchObject({ code, details: expect.stringContaining(message) });
    expect(statusOf(answer)).toEqual({
      code,
      message: expect.stringContaining(message),
      ...(retry && { details: [retry] }),
    });
    expect(receiver.errors).toEqual(error instanceof TypeError ? [error] : []);
  });

test("an unknown method", async () => {
  receiver = await receiving();
  expect((await call(protobuf, "/x.Y/Z")).error).toMatchObject({ code: grpc.status.UNIMPLEMENTED });
});

test("what is larger than the limit", async () => {
  receiver = await receiving({ limits: { request: 1000 } });
  expect((await call(protobuf)).error).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED });
});

test("what decompresses to more than the limit", async () => {
  receiver = await receiving({ limits: { request: 100_000 } });
  const answer = await call(Buffer.alloc(50_000_000), traces, { "grpc.default_compression_algorithm": 2 });
  expect(answer.error).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED });
  expect(receiver.sink.requests).toEqual([]);
});

test("requests that hold too much together are refused for now", async () => {
  receiver = await receiving({ limits: { inFlight: 1500 } });
  expect((await call(protobuf)).error).toMatchObject({ code: grpc.status.UNAVAILABLE });
  expect(receiver.intake.inFlight).toBe(0);
});

const gzip = { "grpc-encoding": "gzip" };
const nonsense: Record<string, [OutgoingHttpHeaders, Uint8Array[], expected: object]> = {
  "no message": [{}, [], { "grpc-status": "3" }],
  "half of a prefix": [{}, [Buffer.alloc(3)], { "grpc-status": "3" }],
  "less than its length says": [{}, [frame(protobuf, 0, 9999)], { "grpc-status": "3" }],
  "two messages": [{}, [frame(protobuf), frame(protobuf)], { "grpc-status": "3" }],
  "a prefix with another flag": [{}, [frame(protobuf, 7)], { "grpc-status": "3" }],
  "compressed by nobody knows what": [{}, [frame(protobuf, 1)], { "grpc-status": "3" }],
  "not compressed as it says": [gzip, [frame(protobuf, 1)], { "grpc-status": "3" }],
  "an unknown compression": [{ "grpc-encoding": "snappy" }, [frame(protobuf, 1)], { "grpc-status": "12" }],
  "another content type": [{ "content-type": "application/json" }, [frame(protobuf)], { ":status": 415 }],
  "gRPC for browsers": [{ "content-type": "application/grpc-web" }, [frame(protobuf)], { ":status": 415 }],
  "another method of HTTP": [{ ":method": "PUT" }, [frame(protobuf)], { ":status": 405 }],
  "a name that somebody pointed here": [
    { ":authority": "attacker.example" },
    [frame(protobuf)],
    { "grpc-status": "7" },
  ],
  "a path of objects' own": [{ ":path": "/constructor" }, [frame(protobuf)], { "grpc-status": "12" }],
};
for (const [name, [headers, parts, expected]] of Object.entries(nonsense))
  test(`refuses ${name}`, async () => {
    receiver = await receiving();
    expect(await raw(headers, ...parts)).toMatchObject(expected);
    expect(receiver.sink.requests).toEqual([]);
    expect(receiver.intake.inFlight).toBe(0);
  });

test("a message in pieces, of which only some is compressed", async () => {
  receiver = await receiving();
  const bytes = frame(gzipSync(protobuf), 1);
  expect(await raw(gzip, ...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toMatchObject({ "grpc-status": "0" });
  expect(await raw(gzip, frame(protobuf))).toMatchObject({ "grpc-status": "0" });
  expect(receiver.sink.requests.map(({ request }) => decodeTraces(request))).toEqual([data, data]);
});

test("a request that does not come to its end", async () => {
  const time = simulation(1);
  receiver = await receiving({}, time);
  const session = connectHttp2(`http://127.0.0.1:${receiver.grpc.port}`);
  ends.push(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": traces, "content-type": "application/grpc" });
  stream.write(frame(protobuf).subarray(0, 100));
  while (receiver.intake.inFlight === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const answered = new Promise((resolve) => stream.on("response", resolve));
  await time.advance(30_000);
  expect(await answered).toMatchObject({ "grpc-status": "4" });
  const closed = new Promise((resolve) => stream.on("close", resolve).resume());
  await time.advance(1000);
  await closed;
  while (receiver.intake.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test.each([
  ["a connection without requests is closed soon", { headersTime: 50 }, false],
  ["a connection without further requests is closed after a while", { idleTime: 50 }, true],
])("%s", async (_, limits, asks) => {
  receiver = await receiving({ limits });
  const session = connectHttp2(`http://127.0.0.1:${receiver.grpc.port}`);
  ends.push(() => session.destroy());
  if (asks) session.request({ ":method": "GET" }).resume();
  await new Promise((resolve) => session.on("close", resolve));
  expect((await call(protobuf)).error).toBeUndefined();
});

test("connections beyond the limit are closed", async () => {
  receiver = await receiving({ limits: { connections: 1 } });
  const first = connectHttp2(`http://127.0.0.1:${receiver.grpc.port}`);
  ends.push(() => first.destroy());
  await new Promise((resolve) => first.on("remoteSettings", resolve));
  const second = connectHttp2(`http://127.0.0.1:${receiver.grpc.port}`);
  second.on("error", () => {});
  await new Promise((resolve) => second.on("close", resolve));
  expect(first.closed).toBe(false);
});

test("requests that are taken back at once, by the thousand", async () => {
  receiver = await receiving();
  const session = connectHttp2(`http://127.0.0.1:${receiver.grpc.port}`);
  session.on("error", () => {});
  ends.push(() => session.destroy());
  for (let i = 0; i < 3000 && !session.closed && !session.destroyed; i++) {
    const stream = session.request({ ":method": "POST", ":path": traces, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.close();
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect((await call(protobuf)).error).toBeUndefined();
  expect(receiver.intake.inFlight).toBe(0);
});

test("what is no HTTP/2 is cut off", async () => {
  receiver = await receiving();
  const socket = connect(receiver.grpc.port, "127.0.0.1");
  ends.push(() => socket.destroy());
  socket.on("error", () => {}).resume();
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await new Promise((resolve) => socket.on("close", resolve));
  expect((await call(protobuf)).error).toBeUndefined();
});

test("noise harms nobody", async () => {
  receiver = await receiving();
  const random = seededRandom(1);
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0");
  for (let i = 0; i < 100; i++) {
    const socket = connect(receiver.grpc.port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.end(Buffer.concat([i % 4 === 0 ? Buffer.alloc(0) : preface, random.bytes(200)]));
    await new Promise((resolve) => socket.on("close", resolve));
  }
  expect((await call(protobuf)).error).toBeUndefined();
  expect(receiver.errors).toEqual([]);
  expect(receiver.intake.inFlight).toBe(0);
});
