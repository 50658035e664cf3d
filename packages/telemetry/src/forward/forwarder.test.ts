import { gunzipSync } from "node:zlib";
import { type Simulation, simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeResponse, encodeStatus } from "../otlp/answer.ts";
import { encodeLogs } from "../otlp/codec.ts";
import { recordingSink } from "../otlp/receiver.fixture.ts";
import { Losses, MalformedError } from "../sink.ts";
import { type Forwarder, type ForwardLimits, forwardEndpoint, forwardingSink, startForwarder } from "./forwarder.ts";
import type { PostAnswer, Poster } from "./post.ts";

const ok = { status: 200, retryAfter: undefined, body: new Uint8Array() };
const answered = (status: number, retryAfter?: string): PostAnswer => ({ ...ok, status, retryAfter });

interface Posted {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly at: number;
}

let time: Simulation;
let losses: Losses;
let posted: Posted[];
/** What the endpoint answers to the nth request; an Error: the connection fails; "hang": nothing. */
let endpoint: (nth: number) => PostAnswer | Error | "hang";
let forwarder: Forwarder | undefined;

beforeEach(() => {
  time = simulation(7);
  losses = new Losses();
  posted = [];
  endpoint = () => ok;
});
afterEach(async () => {
  await forwarder?.close();
  forwarder = undefined;
});

const fake: Poster = {
  post(url, headers, body, signal) {
    const answer = endpoint(posted.length);
    posted.push({ url: url.href, headers, body: gunzipSync(body).toString("hex"), at: time.clock.now() });
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
      if (answer instanceof Error) reject(answer);
      else if (answer !== "hang") resolve(answer);
    });
  },
  close() {},
};

function start(limits: Partial<ForwardLimits> = {}, headers?: Record<string, string>): Forwarder {
  const { clock, random } = time;
  const address = "https://collector.example/otlp/";
  forwarder = startForwarder({ endpoint: address, headers, clock, random, losses, limits, poster: fake });
  return forwarder;
}

/** Compressing runs on a thread of its own, beside the simulated time. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
const idle = () => until(() => forwarder?.state().queuedRequests === 0);

const logs = (...bodies: string[]): Uint8Array =>
  encodeLogs({
    resourceLogs: [{ scopeLogs: [{ logRecords: bodies.map((body) => ({ body: { stringValue: body } })) }] }],
  });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const lost = () => losses.list().map(({ signal, reason, count }) => `${signal} ${reason} ${count}`);

test("each signal goes to its path, compressed, with the given headers", async () => {
  const to = start({ concurrency: 1 }, { authorization: "Bearer x" });
  for (const signal of ["traces", "metrics", "logs"] as const) to.send(signal, Uint8Array.of(1, 2, 3));
  await idle();
  expect(posted.map(({ url }) => url)).toEqual([
    "https://collector.example/otlp/v1/traces",
    "https://collector.example/otlp/v1/metrics",
    "https://collector.example/otlp/v1/logs",
  ]);
  expect(posted[0]).toMatchObject({
    body: "010203",
    headers: { authorization: "Bearer x", "content-type": "application/x-protobuf", "content-encoding": "gzip" },
  });
  expect(to.state()).toEqual({
    endpoint: "https://collector.example/otlp/",
    queuedRequests: 0,
    queuedBytes: 0,
    sentRequests: 3,
    dropped: 0,
  });
});

test("bytes are the sender's own again when send returns", async () => {
  const request = Uint8Array.of(1);
  start().send("logs", request);
  request[0] = 9;
  await idle();
  expect(posted[0]?.body).toBe("01");
});

const transient: Record<string, PostAnswer | Error> = {
  "429": answered(429),
  "502": answered(502),
  "503": answered(503),
  "504": answered(504),
  "a connection that cannot be made": new Error("connect ECONNREFUSED"),
};
for (const [name, answer] of Object.entries(transient))
  test(`tries again after ${name}`, async () => {
    endpoint = (nth) => (nth < 3 ? answer : ok);
    const to = start();
    const since = time.clock.now();
    to.send("logs", logs("a"));
    await until(() => to.state().failing !== undefined);
    expect(to.state()).toMatchObject({ queuedRequests: 1, failing: { since } });
    await time.advance(60_000);
    await idle();
    expect(posted.map(({ body }) => body)).toEqual(new Array(4).fill(hex(logs("a"))));
    expect(to.state()).not.toHaveProperty("failing");
    expect(lost()).toEqual([]);
  });

test("waits longer after each failure, and asks with one request only", async () => {
  endpoint = () => answered(503);
  const to = start();
  for (let i = 0; i < 10; i++) to.send("logs", logs(String(i)));
  await until(() => posted.length === 4 && to.state().failing !== undefined);
  await time.advance(400_000);
  const alone = posted.slice(4);
  expect(alone.length).toBeGreaterThan(12);
  expect(alone.every(({ body }) => body === hex(logs("0")))).toBe(true);
  // Grows by half each time, to 30 s; by chance half of it more or less.
  alone.forEach(({ at }, nth) => {
    const wait = (at - (posted[nth + 3]?.at ?? 0)) / 1000;
    const middle = Math.min(1.5 ** nth, 30);
    expect(wait).toBeGreaterThanOrEqual(middle * 0.5);
    expect(wait).toBeLessThanOrEqual(middle * 1.5);
  });
});

const after: Record<string, [retryAfter: string, seconds: number]> = {
  "a number of seconds": ["7", 7],
  "a date": [new Date(Date.UTC(2026, 0, 1) + 20_000).toUTCString(), 20],
  "no longer than five minutes": ["86400", 300],
};
for (const [name, [retryAfter, seconds]] of Object.entries(after))
  test(`waits as long as it is asked to: ${name}`, async () => {
    endpoint = (nth) => (nth === 0 ? answered(503, retryAfter) : ok);
    const to = start();
    to.send("logs", logs("a"));
    await until(() => to.state().failing !== undefined);
    await time.advance(seconds * 1000 - 1);
    expect(posted.length).toBe(1);
    await time.advance(1);
    await idle();
    expect(posted.length).toBe(2);
  });

test("what the other side does not want is given up, counted, and nothing waits for it", async () => {
  endpoint = (nth) => (nth === 0 ? answered(400) : ok);
  const to = start({ concurrency: 1 });
  to.send("logs", logs("a", "b", "c"));
  to.send("logs", logs("d"));
  await idle();
  expect(posted.map(({ body }) => body)).toEqual([hex(logs("a", "b", "c")), hex(logs("d"))]);
  expect(lost()).toEqual(["logs not forwarded: refused 3"]);
  expect(to.state()).toMatchObject({
    dropped: 3,
    sentRequests: 1,
    refused: { message: "/otlp/v1/logs: answered 400" },
  });
});

test("what the other side rejects of a request is counted", async () => {
  const body = encodeResponse("logs", { partialSuccess: { rejectedLogRecords: "2", errorMessage: "too old" } });
  endpoint = () => ({ ...ok, body });
  const to = start();
  to.send("logs", logs("a", "b", "c"));
  await idle();
  expect(lost()).toEqual(["logs not forwarded: refused 2"]);
  expect(to.state()).toMatchObject({ sentRequests: 1, refused: { message: "/otlp/v1/logs: rejected 2: too old" } });
});

const reasons: Record<string, [body: Uint8Array, shown: string]> = {
  "a status of gRPC": [encodeStatus(16, "no such token"), ": no such token"],
  "a text": [Buffer.from("no such token\n"), ": no such token"],
  "a page": [Buffer.from("<html>\n<p>no</p>\n</html>"), ""],
  nothing: [Buffer.alloc(0), ""],
  noise: [Buffer.from([0xff, 0, 1]), ""],
};
for (const [name, [body, shown]] of Object.entries(reasons))
  test(`says why the other side refuses: ${name}`, async () => {
    endpoint = () => ({ ...answered(401), body });
    const to = start();
    to.send("logs", logs("a"));
    await idle();
    expect(to.state().refused?.message).toBe(`/otlp/v1/logs: answered 401${shown}`);
  });

test("an answer that is not OTLP's is still a success", async () => {
  endpoint = () => ({ ...ok, body: Buffer.from("\xffok") });
  const to = start();
  to.send("logs", logs("a"));
  await idle();
  expect(to.state().sentRequests).toBe(1);
});

test("an endpoint that hangs is given up after a while, and tried again", async () => {
  endpoint = (nth) => (nth === 0 ? "hang" : ok);
  const to = start();
  to.send("logs", logs("a"));
  await until(() => posted.length === 1);
  await time.advance(10_000);
  await until(() => to.state().failing !== undefined);
  expect(to.state().failing?.message).toBe("no answer within 10 s");
  await time.advance(60_000);
  await idle();
  expect(to.state()).toMatchObject({ sentRequests: 1, dropped: 0 });
});

test("of too many the oldest are dropped, and counted; the rest goes out in its order", async () => {
  endpoint = (nth) => (nth === 0 ? answered(503) : ok);
  const size = logs("0", "x").length + 256;
  const to = start({ queue: size * 3, concurrency: 1 });
  to.send("logs", logs("0", "x"));
  await until(() => to.state().failing !== undefined);
  for (let i = 1; i < 6; i++) to.send("logs", logs(String(i), "x"));
  expect(to.state()).toMatchObject({ queuedRequests: 3, dropped: 6 });
  expect(lost()).toEqual(["logs not forwarded: queue full 6"]);
  await time.advance(60_000);
  await idle();
  expect(posted.slice(1).map(({ body }) => body)).toEqual(["3", "4", "5"].map((i) => hex(logs(i, "x"))));
});

test("what is no OTLP counts as one when it is dropped", async () => {
  endpoint = () => answered(400);
  start().send("logs", Uint8Array.of(10, 99));
  await idle();
  expect(lost()).toEqual(["logs not forwarded: refused 1"]);
});

test("close goes on with what is queued", async () => {
  const to = start({ concurrency: 1 });
  for (let i = 0; i < 20; i++) to.send("logs", logs(String(i)));
  await to.close();
  expect(posted.length).toBe(20);
  to.send("logs", logs("late"));
  expect(to.state().queuedRequests).toBe(0);
});

test("close does not wait for an endpoint that hangs; what is left is counted", async () => {
  endpoint = () => "hang";
  const to = start();
  for (let i = 0; i < 9; i++) to.send("logs", logs("a", "b"));
  await until(() => posted.length === 4);
  const closed = to.close();
  await time.advance(2000);
  await closed;
  expect(lost()).toEqual(["logs not forwarded: stopped 18"]);
});

test("close does not wait for an endpoint that fails", async () => {
  endpoint = () => answered(503);
  const to = start();
  to.send("logs", logs("a"));
  await until(() => to.state().failing !== undefined);
  await to.close();
  expect(lost()).toEqual(["logs not forwarded: stopped 1"]);
});

test("a sink that forwards: what is taken is sent on, what is refused is not", async () => {
  const sink = recordingSink();
  const both = forwardingSink(sink, start());
  expect(both.logs(logs("a"))).toEqual({ taken: 0, rejected: 0 });
  sink.answer = () => {
    throw new MalformedError("no");
  };
  expect(() => both.logs(logs("b"))).toThrow(MalformedError);
  await idle();
  expect(posted.map(({ body }) => body)).toEqual([hex(logs("a"))]);
});

const addresses: Record<string, string | undefined> = {
  "http://localhost:4318": "http://localhost:4318/v1/logs",
  "https://api.example/": "https://api.example/v1/logs",
  "https://api.example/otlp?key=1": "https://api.example/otlp/v1/logs?key=1",
  "localhost:4318": undefined,
  "grpc://localhost:4317": undefined,
  "": undefined,
};
for (const [address, expected] of Object.entries(addresses))
  test(`address "${address}"`, () => {
    if (expected) expect(forwardEndpoint(address).logs.href).toBe(expected);
    else expect(() => forwardEndpoint(address)).toThrow("write https://HOST:4318");
  });
