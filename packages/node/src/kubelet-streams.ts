/**
 * The streams of a command over a WebSocket: one message, one channel and its bytes.
 *
 * Source: kubernetes apimachinery pkg/util/remotecommand/constants.go, kubelet pkg/cri/streaming/remotecommand.
 */
import type { Readable } from "node:stream";
import type { WebSocket } from "ws";
import type { ExecSession } from "./runtime.ts";

export const streamProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const mostBuffered = 1 << 20;

export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** Carries one session to its end, and tells its exit code. */
export async function carryStreams(socket: WebSocket, session: ExecSession, wanted: WantedStreams): Promise<void> {
  const send = (on: number, bytes: Buffer) => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([on]), bytes]));
  };
  const carry = (stream: Readable | undefined, on: number) =>
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
  socket.on("message", (data: Buffer) => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data as ArrayBuffer);
    const [on] = bytes;
    if (on === channel.stdin && wanted.stdin) session.stdin?.write(bytes.subarray(1));
    else if (on === channel.close && bytes[1] === channel.stdin) session.stdin?.end();
    else if (on === channel.resize) resize(session, bytes.subarray(1));
  });
  // Whoever leaves takes the command along.
  socket.on("close", () => {
    if (!ended) session.kill();
  });
  socket.on("error", () => session.kill());
  const flowing = [
    wanted.stdout ? carry(session.stdout, channel.stdout) : drain(session.stdout),
    wanted.stderr ? carry(session.stderr, channel.stderr) : drain(session.stderr),
  ];
  const code = await session.exited;
  await Promise.all(flowing);
  ended = true;
  send(channel.error, Buffer.from(JSON.stringify(exitStatus(code))));
  socket.close(1000);
}

export function refuseStreams(socket: WebSocket, message: string): void {
  const status = { metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 };
  socket.send(Buffer.concat([Buffer.from([channel.error]), Buffer.from(JSON.stringify(status))]));
  socket.close(1000);
}

async function drain(stream: Readable | undefined) {
  stream?.resume();
}

function resize(session: ExecSession, bytes: Buffer) {
  try {
    const { Width, Height } = JSON.parse(bytes.toString("utf8")) as { Width: number; Height: number };
    if (Number.isInteger(Width) && Number.isInteger(Height)) session.resize(Width, Height);
  } catch (error) {
    // A size that cannot be read leaves the terminal as it is.
    if (!(error instanceof SyntaxError)) throw error;
  }
}

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
