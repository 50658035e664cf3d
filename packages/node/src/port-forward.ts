/**
 * Ports of a pod over a SPDY connection: each connection of the user is a pair of streams, one for its bytes and one that
 * tells what went wrong.
 *
 * Source: kubernetes KEP-4006, kubelet pkg/cri/streaming/portforward/httpstream.go. Its peers neither send WINDOW_UPDATE nor
 * wait for it, so nothing is held back for it: who reads slowly holds up the connection below.
 */
import { connect, type Socket } from "node:net";
import type { Cancel, Clock } from "@flotilla/ambient";
import { rstStatus, type SpdyFrame, SpdyReader, spdyBytes } from "./spdy-frames.ts";
import { headerCodec } from "./spdy-headers.ts";

/** Of a WebSocket whose messages carry SPDY. */
export const portForwardProtocol = "SPDY/3.1+portforward.k8s.io";

/** What the bytes travel on. */
export interface Wire {
  send(bytes: Buffer, sent: () => void): void;
  /** Bytes that have not been sent. */
  readonly waiting: () => number;
  pause(): void;
  resume(): void;
  close(): void;
}

export interface ForwardTarget {
  readonly host: string;
  /** Its name, for messages. */
  readonly pod: string;
  readonly uid: string;
}

export interface PortForward {
  receive(bytes: Buffer): void;
  /** The wire has gone. */
  end(): void;
}

interface Pair {
  data?: number;
  error?: number;
  port: number;
  socket?: Socket;
  /** Came before it was connected. */
  early: { bytes: Buffer; fin: boolean }[];
  cancel: Cancel;
}

const mostWaiting = 1 << 20;
/** Both streams of a pair are there by then. Milliseconds. Source: kubernetes DefaultStreamCreationTimeout. */
const pairWithin = 30_000;
/** Consumed bytes are acknowledged in such steps: half of the window that SPDY begins with. */
const windowStep = 1 << 15;

export function portForward(wire: Wire, target: ForwardTarget, clock: Clock): PortForward {
  const reader = new SpdyReader();
  const codec = headerCodec();
  const pairs = new Map<string, Pair>();
  /** By the number of either stream. */
  const streams = new Map<number, Pair>();
  const unread = new Map<number, number>();
  const slow = new Set<Socket>();
  let ended = false;
  // Header blocks are decoded one after the other, and frames keep their order.
  let queue = Promise.resolve();

  const send = (frame: Exclude<SpdyFrame, { type: "settings" }>, sent: () => void = () => {}) => {
    if (!ended) wire.send(spdyBytes(frame), sent);
  };
  const finish = (stream: number | undefined, text = "") => {
    if (stream !== undefined && streams.has(stream))
      send({ type: "data", stream, fin: true, bytes: Buffer.from(text) });
  };

  /** Ends both streams; `problem` is what the user is told. */
  function close(pair: Pair, problem?: string) {
    pair.cancel();
    finish(pair.error, problem);
    finish(pair.data);
    for (const stream of [pair.data, pair.error]) {
      if (stream === undefined) continue;
      streams.delete(stream);
      unread.delete(stream);
    }
    for (const [id, each] of pairs) if (each === pair) pairs.delete(id);
    pair.socket?.destroy();
  }

  async function open(stream: number, fin: boolean, block: Buffer) {
    const headers = await codec.read(block);
    const type = headers.get("streamtype");
    const port = Number(headers.get("port"));
    const isData = type === "data";
    if (streams.has(stream) || (!isData && type !== "error") || !Number.isInteger(port) || port < 1 || port > 65535)
      return send({ type: "rst-stream", stream, status: rstStatus.protocolError });
    // Old clients number nothing: the streams of a pair follow each other.
    const id = headers.get("requestid") ?? String(isData ? stream - 2 : stream);
    const pair: Pair = pairs.get(id) ?? {
      port,
      early: [],
      cancel: clock.after(pairWithin, () => close(pair, `timed out waiting for the streams of request ${id}`)),
    };
    if (pair[isData ? "data" : "error"] !== undefined)
      return send({ type: "rst-stream", stream, status: rstStatus.refusedStream });
    pair[isData ? "data" : "error"] = stream;
    pairs.set(id, pair);
    streams.set(stream, pair);
    send({ type: "syn-reply", stream, fin: false, block: await codec.write(new Map()) });
    if (isData && fin) pair.early.push({ bytes: Buffer.alloc(0), fin: true });
    if (pair.data !== undefined && pair.error !== undefined) dial(pair, pair.data);
  }

  function dial(pair: Pair, stream: number) {
    pair.cancel();
    const { port } = pair;
    const { host, pod, uid } = target;
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    pair.socket = socket;
    let connected = false;
    socket.once("connect", () => {
      connected = true;
    });
    socket.on("data", (bytes: Buffer) => {
      const tooMuch = wire.waiting() > mostWaiting;
      if (tooMuch) socket.pause();
      send({ type: "data", stream, fin: false, bytes }, tooMuch ? () => socket.resume() : undefined);
    });
    socket.on("end", () => {
      if (streams.has(stream)) send({ type: "data", stream, fin: true, bytes: Buffer.alloc(0) });
    });
    socket.on("drain", () => keepUp(socket));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "ECONNREFUSED" ? "connection refused" : error.message;
      // A server that resets one connection is between it and its client; others go on.
      if (connected) close(pair);
      else
        close(
          pair,
          `error forwarding port ${port} to pod ${pod}, uid ${uid}: dial tcp ${host}:${port}: connect: ${why}`,
        );
    });
    socket.on("close", () => {
      keepUp(socket);
      close(pair);
    });
    for (const { bytes, fin } of pair.early.splice(0)) pass(pair, socket, bytes, fin);
  }

  function pass({ data: stream = 0 }: Pair, socket: Socket, bytes: Buffer, fin: boolean) {
    if (!socket.writable) return;
    if (bytes.length > 0) socket.write(bytes);
    if (fin) socket.end();
    if (socket.writableLength > mostWaiting) {
      slow.add(socket);
      wire.pause();
    }
    const consumed = (unread.get(stream) ?? 0) + bytes.length;
    unread.set(stream, consumed < windowStep ? consumed : 0);
    if (consumed < windowStep) return;
    send({ type: "window-update", stream, delta: consumed });
    send({ type: "window-update", stream: 0, delta: consumed });
  }

  function keepUp(socket: Socket) {
    if (slow.delete(socket) && slow.size === 0) wire.resume();
  }

  async function handle(frame: SpdyFrame): Promise<void> {
    switch (frame.type) {
      case "syn-stream":
        return open(frame.stream, frame.fin, frame.block);
      case "headers":
        // Nobody needs them, but the decoder has to have seen them.
        await codec.read(frame.block);
        return;
      case "data": {
        const pair = streams.get(frame.stream);
        if (!pair || pair.data !== frame.stream) return;
        if (pair.socket) pass(pair, pair.socket, frame.bytes, frame.fin);
        else pair.early.push({ bytes: frame.bytes, fin: frame.fin });
        return;
      }
      case "rst-stream": {
        const pair = streams.get(frame.stream);
        streams.delete(frame.stream);
        if (pair) close(pair);
        return;
      }
      case "ping":
        // Odd ones are the client's, and come back.
        return frame.id % 2 === 1 ? send(frame) : undefined;
      case "go-away":
        return wire.close();
    }
  }

  return {
    receive(bytes) {
      queue = queue
        .then(async () => {
          if (ended) return;
          for (const frame of reader.push(bytes)) await handle(frame);
        })
        // The other side is told that it was not understood; here the connection is over.
        .catch(() => {
          send({ type: "go-away", last: 0, status: rstStatus.protocolError });
          end();
          wire.close();
        });
    },
    end,
  };

  function end() {
    if (ended) return;
    ended = true;
    for (const pair of new Set(streams.values())) {
      pair.cancel();
      pair.socket?.destroy();
    }
    streams.clear();
    pairs.clear();
    codec.close();
  }
}
