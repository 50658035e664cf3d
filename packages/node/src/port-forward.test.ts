import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { simulation, sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type PortForward, portForward } from "./port-forward.ts";
import { type SpdyFrame, SpdyReader, spdyBytes } from "./spdy-frames.ts";
import { headerCodec, spdyDictionary } from "./spdy-headers.ts";

type Sent = Exclude<SpdyFrame, { type: "settings" }>;

describe("frames", () => {
  const block = Buffer.from("block");
  const frames: Sent[] = [
    { type: "syn-stream", stream: 1, fin: false, block },
    { type: "syn-reply", stream: 1, fin: true, block },
    { type: "headers", stream: 1, fin: false, block },
    { type: "data", stream: 3, fin: false, bytes: Buffer.from("words") },
    { type: "data", stream: 3, fin: true, bytes: Buffer.alloc(0) },
    { type: "rst-stream", stream: 5, status: 5 },
    { type: "window-update", stream: 0, delta: 65536 },
    { type: "ping", id: 7 },
    { type: "go-away", last: 9, status: 0 },
  ];
  const all = Buffer.concat(frames.map(spdyBytes));

  test.each([1, 3, 8, 1000])("are read back from pieces of %i bytes", (size) => {
    const reader = new SpdyReader();
    const read: SpdyFrame[] = [];
    for (let at = 0; at < all.length; at += size) read.push(...reader.push(all.subarray(at, at + size)));
    expect(read).toEqual(frames);
  });
  test("unknown control frames are skipped", () =>
    expect([...new SpdyReader().push(Buffer.from("8003000b00000001ff" + "800300060000000400000001", "hex"))]).toEqual([
      { type: "ping", id: 1 },
    ]));
  test.each([
    ["another version", "8002000100000000"],
    ["a control frame without end", "80030001007fffff"],
    ["a SYN_STREAM that is too short", "800300010000000400000001"],
  ])("%s is refused", (_, hex) =>
    expect(() => [...new SpdyReader().push(Buffer.from(hex, "hex"))]).toThrow(/SPDY|frame/),
  );
});

describe("headers", () => {
  test("the dictionary has the length of the specification's", () => expect(spdyDictionary).toHaveLength(1423));
  test("one block after the other, over the whole connection", async () => {
    const [client, server] = [headerCodec(), headerCodec()];
    for (const port of ["80", "81", "82"]) {
      const headers = new Map([
        ["streamtype", "data"],
        ["port", port],
      ]);
      expect(await server.read(await client.write(headers))).toEqual(headers);
    }
  });
  test("what is no block is refused", async () =>
    expect(headerCodec().read(Buffer.from("nonsense"))).rejects.toThrow("headers"));
});

describe("port-forward", () => {
  let server: Server;
  let port: number;
  const accepted: Socket[] = [];
  beforeEach(async () => {
    // Answers what it hears, and ends when it has heard the end.
    server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    for (const socket of accepted.splice(0)) socket.destroy();
    server.close();
  });

  function client(clock = systemClock) {
    const codec = headerCodec();
    const reader = new SpdyReader();
    const frames: SpdyFrame[] = [];
    let closed = false;
    const forward: PortForward = portForward(
      {
        send: (bytes, sent) => {
          frames.push(...reader.push(bytes));
          setImmediate(sent);
        },
        waiting: () => 0,
        pause() {},
        resume() {},
        close: () => {
          closed = true;
        },
      },
      { host: "127.0.0.1", pod: "web", uid: "u1" },
      clock,
    );
    const say = (frame: Sent) => forward.receive(spdyBytes(frame));
    const open = async (stream: number, streamtype: string, to: number, requestid = "0", fin = false) =>
      say({
        type: "syn-stream",
        stream,
        fin,
        block: await codec.write(new Map(Object.entries({ streamtype, port: String(to), requestid }))),
      });
    const received = (stream: number) => {
      const own = frames.filter((frame) => frame.type === "data" && frame.stream === stream) as Extract<
        SpdyFrame,
        { type: "data" }
      >[];
      return { bytes: Buffer.concat(own.map(({ bytes }) => bytes)), fin: own.some(({ fin }) => fin) };
    };
    const until = async (holds: () => boolean) => {
      for (let i = 0; i < 500 && !holds(); i++) await sleep(systemClock, 10);
      expect(holds()).toBe(true);
    };
    return { forward, frames, say, open, received, until, isClosed: () => closed };
  }

  test("bytes go both ways, to their end", async () => {
    const { say, open, received, until, frames } = client();
    await open(1, "error", port);
    await open(3, "data", port);
    const sent = randomBytes(3_000_000);
    for (let at = 0; at < sent.length; at += 32_768)
      say({ type: "data", stream: 3, fin: false, bytes: sent.subarray(at, at + 32_768) });
    say({ type: "data", stream: 3, fin: true, bytes: Buffer.alloc(0) });
    await until(() => received(1).fin);
    expect(received(3).bytes.equals(sent)).toBe(true);
    expect(received(3).fin).toBe(true);
    expect(received(1).bytes).toHaveLength(0);
    expect(frames.filter(({ type }) => type === "syn-reply")).toHaveLength(2);
    const acknowledged = frames
      .filter((frame) => frame.type === "window-update" && frame.stream === 3)
      .reduce((sum, frame) => sum + (frame.type === "window-update" ? frame.delta : 0), 0);
    expect(sent.length - acknowledged).toBeLessThan(32_768);
  });
  test("connections side by side do not mix", async () => {
    const { say, open, received, until } = client();
    for (const [index, stream] of [1, 5, 9].entries()) {
      await open(stream, "error", port, String(index));
      await open(stream + 2, "data", port, String(index));
    }
    for (const stream of [3, 7, 11]) say({ type: "data", stream, fin: false, bytes: Buffer.from(`to ${stream}`) });
    await until(() => [3, 7, 11].every((stream) => received(stream).bytes.toString() === `to ${stream}`));
  });
  test("a port on which nobody listens is told on the error stream, and the others go on", async () => {
    const { say, open, received, until } = client();
    await open(1, "error", 1);
    await open(3, "data", 1);
    await until(() => received(1).fin && received(3).fin);
    expect(received(1).bytes.toString()).toBe(
      "error forwarding port 1 to pod web, uid u1: dial tcp 127.0.0.1:1: connect: connection refused",
    );
    await open(5, "error", port, "1");
    await open(7, "data", port, "1");
    say({ type: "data", stream: 7, fin: false, bytes: Buffer.from("still here") });
    await until(() => received(7).bytes.toString() === "still here");
  });
  test("a client that resets its stream lets go of the connection", async () => {
    const { say, open, received, until } = client();
    await open(1, "error", port);
    await open(3, "data", port);
    await until(() => accepted.length === 1);
    const gone = once(accepted[0] as Socket, "close");
    say({ type: "rst-stream", stream: 3, status: 5 });
    await gone;
    await until(() => received(1).fin);
  });
  test("a server that resets a connection ends that one without a complaint", async () => {
    const { open, received, until } = client();
    await open(1, "error", port);
    await open(3, "data", port);
    await until(() => accepted.length === 1);
    accepted[0]?.resetAndDestroy();
    await until(() => received(1).fin && received(3).fin);
    expect(received(1).bytes).toHaveLength(0);
  });
  test("the end of the wire ends all connections", async () => {
    const { forward, open, until } = client();
    await open(1, "error", port);
    await open(3, "data", port);
    await until(() => accepted.length === 1);
    const gone = once(accepted[0] as Socket, "close");
    forward.end();
    await gone;
  });
  test("pings come back", async () => {
    const { say, frames, until } = client();
    say({ type: "ping", id: 5 });
    await until(() => frames.length > 0);
    expect(frames).toEqual([{ type: "ping", id: 5 }]);
  });
  test.each([
    ["no port", "data", 0],
    ["no such type", "other", 80],
  ])("%s: the stream is refused", async (_, type, to) => {
    const { open, frames, until } = client();
    await open(1, type, to);
    await until(() => frames.length > 0);
    expect(frames).toEqual([{ type: "rst-stream", stream: 1, status: 1 }]);
  });
  test("nonsense ends the connection", async () => {
    const { forward, frames, isClosed, until } = client();
    forward.receive(Buffer.from("8002000100000000", "hex"));
    await until(isClosed);
    expect(frames.at(-1)?.type).toBe("go-away");
  });
  test("half a pair is given up", async () => {
    const world = simulation(1);
    const { open, received, frames, until } = client(world.clock);
    await open(1, "error", port);
    await until(() => frames.length === 1);
    await world.advance(31_000);
    expect(received(1).bytes.toString()).toBe("timed out waiting for the streams of request 0");
  });
});
