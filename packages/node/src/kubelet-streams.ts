/**
 * The streams of a command over a WebSocket: one message, one channel and its bytes.
 *
 * Source: kubernetes apimachinery pkg/util/remotecommand/constants.go, kubelet pkg/cri/streaming/remotecommand.
 */
import type { Readable } from "node:stream";
import type { Clock } from "@flotilla/ambient";
import type { WebSocket } from "ws";
import type { ExecOptions, ExecSession } from "./runtime.ts";

export const streamProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const mostBuffered = 1 << 20;
/** A client that has a terminal tells its size at once, and the command shall find it so. Milliseconds. */
const sizeWithin = 250;

export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

type TerminalSize = NonNullable<ExecOptions["size"]>;

/** Opens a session, carries it to its end, and tells its exit code; or why it cannot be opened. */
export async function serveStreams(
  socket: WebSocket,
  wanted: WantedStreams,
  clock: Clock,
  open: (size: TerminalSize | undefined) => Promise<ExecSession>,
): Promise<void> {
  const inbox = new Inbox(socket);
  const first = wanted.tty ? await inbox.first(clock, sizeWithin) : undefined;
  let session: ExecSession;
  try {
    session = await open(first && sizeIn(first));
  } catch (error) {
    return refuse(socket, (error as Error).message);
  }
  await carry(socket, inbox, session, wanted);
}

/** What the client says, kept until somebody listens. */
class Inbox {
  readonly #socket: WebSocket;
  #kept: Buffer[] = [];
  #listener: ((message: Buffer) => void) | undefined;
  #arrived: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      if (this.#listener) return this.#listener(data);
      this.#kept.push(data);
      // One is enough to know, the others may wait in the connection.
      socket.pause();
      this.#arrived?.();
    });
    socket.on("close", () => this.#arrived?.());
  }

  /** The first message, which is also kept; undefined when there is none in time. */
  async first(clock: Clock, within: number): Promise<Buffer | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#arrived = resolve;
    const cancel = clock.after(within, resolve);
    if (this.#kept.length === 0) await promise;
    cancel();
    return this.#kept[0];
  }

  listen(listener: (message: Buffer) => void): void {
    this.#listener = listener;
    for (const message of this.#kept.splice(0)) listener(message);
    this.#socket.resume();
  }
}

async function carry(socket: WebSocket, inbox: Inbox, session: ExecSession, wanted: WantedStreams): Promise<void> {
  const send = (on: number, bytes: Buffer) => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([on]), bytes]));
  };
  const flow = (stream: Readable | undefined, on: number) =>
    new Promise<void>((resolve) => {
      if (!stream) return resolve();
      stream.on("data", (chunk: Buffer) => {
        send(on, chunk);
        if (socket.bufferedAmount < mostBuffered) return;
        stream.pause();
        socket.send(Buffer.from([on]), () => stream.resume());
      });
      stream.once("end", resolve);
      stream.once("error", () => resolve());
      stream.once("close", resolve);
    });
  let ended = false;
  // Whoever leaves takes the command along.
  const left = () => {
    if (!ended) session.kill();
  };
  if (socket.readyState !== socket.OPEN) left();
  socket.on("close", left);
  socket.on("error", left);
  const { stdin } = session;
  const resume = () => socket.resume();
  // The input of a container outlives those who are attached to it.
  stdin?.on("drain", resume);
  stdin?.on("close", resume);
  inbox.listen((message) => {
    const [on] = message;
    const bytes = message.subarray(1);
    if (on === channel.stdin && wanted.stdin && stdin?.writable) {
      if (!stdin.write(bytes)) socket.pause();
    } else if (on === channel.close && bytes[0] === channel.stdin) stdin?.end();
    else if (on === channel.resize) {
      const size = sizeIn(message);
      if (size) session.resize(size.columns, size.rows);
    }
  });
  const flowing = [
    wanted.stdout ? flow(session.stdout, channel.stdout) : drain(session.stdout),
    wanted.stderr ? flow(session.stderr, channel.stderr) : drain(session.stderr),
  ];
  const code = await session.exited;
  await Promise.all(flowing);
  stdin?.off("drain", resume);
  stdin?.off("close", resume);
  ended = true;
  send(channel.error, Buffer.from(JSON.stringify(exitStatus(code))));
  socket.resume();
  socket.close(1000);
}

function refuse(socket: WebSocket, message: string): void {
  const status = { metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 };
  socket.send(Buffer.concat([Buffer.from([channel.error]), Buffer.from(JSON.stringify(status))]));
  socket.resume();
  socket.close(1000);
}

async function drain(stream: Readable | undefined) {
  stream?.resume();
}

/** Undefined for messages of another channel, and for a size that cannot be read: the terminal stays as it is. */
function sizeIn(message: Buffer): TerminalSize | undefined {
  if (message[0] !== channel.resize) return undefined;
  try {
    const { Width, Height } = JSON.parse(message.toString("utf8", 1)) as { Width: unknown; Height: unknown };
    return isExtent(Width) && isExtent(Height) ? { columns: Width, rows: Height } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Source: ioctl_tty(2): a struct winsize holds 16 bits of each. */
const isExtent = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) < 65536;

const exitStatus = (code: number) =>
  code === 0
    ? { metadata: {}, status: "Success" }
    : {
        metadata: {},
        status: "Failure",
        message: `command terminated with non-zero exit code: exit status ${code}`,
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: String(code) }] },
      };
