import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { seededRandom, simulation } from "@flotilla/ambient";
import { afterEach, expect, test } from "vitest";
import { type Receiving, receiving } from "./receiver.fixture.ts";

let receiver: Receiving;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await receiver.close();
});

interface Peer {
  readonly socket: Socket;
  /** All that was answered, once it matches or the connection ends. */
  answer(until?: RegExp): Promise<string>;
}

function peer(): Peer {
  const socket = connect(receiver.http.port, "127.0.0.1").setEncoding("utf8");
  sockets.push(socket);
  let text = "";
  let look = (): void => {};
  socket.on("data", (part: string) => {
    text += part;
    look();
  });
  // A reset is one way to end.
  socket.on("error", () => {});
  return {
    socket,
    answer: (until = /(?!)/) =>
      new Promise((resolve) => {
        look = () => until.test(text) && resolve(text);
        socket.once("close", () => resolve(text));
        look();
      }),
  };
}

const post = (...headers: string[]): string =>
  ["POST /v1/logs HTTP/1.1", "host: localhost", "content-type: application/x-protobuf", ...headers, "", ""].join(
    "\r\n",
  );
const lost = () => receiver.losses.list().map(({ reason, count }) => `${reason} ${count}`);

test("a length beyond the limit is refused before anything comes", async () => {
  receiver = await receiving({ limits: { request: 1000 } });
  const { socket, answer } = peer();
  socket.write(post("content-length: 1001"));
  expect(await answer(/\r\n\r\n/)).toContain("HTTP/1.1 413");
  expect(lost()).toEqual(["request too large 1"]);
});

test("JSON beyond its own limit is refused", async () => {
  receiver = await receiving({ limits: { json: 100 } });
  const { socket, answer } = peer();
  const json = `{"resourceLogs":[]${" ".repeat(100)}}`;
  socket.write(
    `POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
  );
  expect(await answer(/bytes/)).toMatch(/^HTTP\/1.1 413.*the request is larger than 100 bytes/s);
  expect(receiver.sink.requests).toEqual([]);
});

test("a sender without end is refused, and cut off if it goes on", async () => {
  const time = simulation(1);
  receiver = await receiving({ limits: { request: 1000 } }, time);
  const { socket, answer } = peer();
  socket.write(post("transfer-encoding: chunked"));
  socket.write(`7d0\r\n${"x".repeat(2000)}\r\n`);
  expect(await answer(/\r\n\r\n/)).toContain("HTTP/1.1 413");
  expect(receiver.intake.inFlight).toBe(0);
  const closed = answer();
  await time.advance(1000);
  await closed;
  expect(socket.closed).toBe(true);
});

test("garbage is collected for whatever comes, also for what is refused", async () => {
  let collected = 0;
  receiver = await receiving({ limits: { request: 1000 }, collectGarbage: () => collected++ });
  const { socket } = peer();
  socket.write(post("content-length: 100000000"));
  const more = (): void => {
    while (collected === 0 && socket.write(Buffer.alloc(65_536)));
  };
  socket.on("drain", more);
  more();
  await until(() => collected > 0);
});

test("what decompresses to more than the limit is refused", async () => {
  receiver = await receiving({ limits: { request: 100_000 } });
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const { socket, answer } = peer();
  socket.write(post(`content-length: ${bomb.length}`, "content-encoding: gzip"));
  socket.write(bomb);
  expect(await answer(/\r\n\r\n/)).toContain("HTTP/1.1 413");
  expect(receiver.sink.requests).toEqual([]);
});

test("requests that hold too much together are refused for now, and the others taken", async () => {
  receiver = await receiving({ limits: { request: 1000, inFlight: 1500 } });
  const first = peer();
  first.socket.write(post("content-length: 1000"));
  first.socket.write("x".repeat(900));
  await until(() => receiver.intake.inFlight === 900);
  const second = peer();
  second.socket.write(post("content-length: 1000") + "x".repeat(1000));
  expect(await second.answer(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 503.*retry-after: 1\r\n/is);
  first.socket.write("x".repeat(100));
  expect(await first.answer(/\r\n\r\n/)).toContain("HTTP/1.1 200");
  expect(receiver.intake.inFlight).toBe(0);
  expect(lost()).toEqual(["request unavailable 1"]);
});

test("a sender that goes away amid sending leaves nothing", async () => {
  receiver = await receiving();
  const { socket } = peer();
  socket.write(post("content-length: 1000"));
  socket.write("x".repeat(900));
  await until(() => receiver.intake.inFlight === 900);
  socket.destroy();
  await until(() => receiver.intake.inFlight === 0);
  expect(receiver.sink.requests).toEqual([]);
});

test("headers that come a byte at a time are not waited for", async () => {
  receiver = await receiving({ limits: { headersTime: 100, requestTime: 100 } });
  const { socket, answer } = peer();
  socket.write("POST /v1/logs HT");
  expect(await answer()).toContain("HTTP/1.1 408");
});

test("a body that does not come to its end is not waited for", async () => {
  receiver = await receiving({ limits: { headersTime: 100, requestTime: 200 } });
  const { socket, answer } = peer();
  socket.write(post("content-length: 1000"));
  socket.write("x");
  await answer();
  expect(receiver.intake.inFlight).toBe(0);
  expect(receiver.sink.requests).toEqual([]);
});

test("connections beyond the limit are closed", async () => {
  receiver = await receiving({ limits: { connections: 1 } });
  const first = peer();
  first.socket.write(post("content-length: 0"));
  await first.answer(/200/);
  expect(await peer().answer()).toBe("");
  first.socket.write(post("content-length: 0"));
  expect(await first.answer(/200.*200/s)).toMatch(/200.*200/s);
});

test("headers without end", async () => {
  receiver = await receiving();
  const { socket, answer } = peer();
  socket.write(post(`x: ${"y".repeat(20_000)}`));
  expect(await answer()).toContain("HTTP/1.1 431");
});

test("noise harms nobody", async () => {
  receiver = await receiving();
  const random = seededRandom(1);
  const bytes = post("content-length: 40", "content-encoding: gzip") + "x".repeat(40);
  for (let i = 0; i < 300; i++) {
    const { socket, answer } = peer();
    const noise = Buffer.from(bytes);
    for (let change = 0; change < 3; change++) noise[Math.floor(random.next() * noise.length)] = random.next() * 256;
    socket.end(i % 3 === 0 ? Buffer.from(random.bytes(200)) : noise);
    await answer();
  }
  const { socket, answer } = peer();
  socket.write(post("content-length: 0"));
  expect(await answer(/200/)).toContain("HTTP/1.1 200");
  expect(receiver.errors).toEqual([]);
  expect(receiver.intake.inFlight).toBe(0);
});

test("lets a request of the moment end before it closes", async () => {
  receiver = await receiving();
  const { socket, answer } = peer();
  socket.write(post("content-length: 2"));
  socket.write("a");
  await until(() => receiver.intake.inFlight > 0);
  const closed = receiver.close();
  socket.write("b");
  expect(await answer()).toContain("HTTP/1.1 200");
  await closed;
  receiver = await receiving();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
