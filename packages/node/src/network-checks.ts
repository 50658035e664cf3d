/**
 * Probes over the network and in the container.
 *
 * Source: kubernetes pkg/probe/{http,tcp,exec,grpc}: an HTTP status from 200 to 399 is a success; what a probe says is cut.
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Clock } from "@flotilla/ambient";
import type { Container, HTTPGetAction, IntOrString } from "@flotilla/objects";
import type { Action, Checks, CheckTarget } from "./checks.ts";
import { listenFault } from "./listen-fault.ts";
import type { ProbeOutcome } from "./probe-schedule.ts";
import type { Runtime } from "./runtime.ts";

const mostSaid = 10 * 1024;

export function networkChecks(runtime: Runtime, clock: Clock): Checks {
  return {
    async check(action, target, timeoutMs) {
      const timeout = Promise.withResolvers<ProbeOutcome>();
      const abort = new AbortController();
      const cancel = clock.after(timeoutMs, () => {
        timeout.resolve({ ok: false, message: timedOut(action, timeoutMs) });
        abort.abort();
      });
      const attempt = tryAction(runtime, action, target, abort.signal).catch((error: Error) => ({
        ok: false,
        message: error.message,
      }));
      const outcome = await Promise.race([attempt, timeout.promise]);
      cancel();
      return outcome;
    },
    // What cannot be found out is no fault: the container's probes say whether it answers.
    fault: (target) => listenFault(runtime, target).catch(() => undefined),
  };
}

const timedOut = ({ exec, httpGet, tcpSocket }: Action, ms: number) =>
  exec
    ? `command timed out: ${JSON.stringify((exec.command ?? []).join(" "))} timed out after ${ms / 1000}s`
    : httpGet
      ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
      : tcpSocket
        ? "i/o timeout"
        : `timeout: failed to connect service within ${ms / 1000}s: context deadline exceeded`;

function tryAction(runtime: Runtime, action: Action, target: CheckTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  const { podIP, container } = target;
  if (action.httpGet) return httpGet(action.httpGet, podIP, container, signal);
  if (action.tcpSocket) return tcp(action.tcpSocket.host || podIP, portOf(action.tcpSocket.port, container), signal);
  if (action.grpc) return grpc(podIP, action.grpc.port, action.grpc.service ?? "", signal);
  if (action.exec) return exec(runtime, target, action.exec.command ?? [], signal);
  return Promise.resolve({ ok: false, message: "missing probe handler" });
}

/** A number, or the name of one of the container's ports. */
export function portOf(port: IntOrString, container: Container): number {
  if (typeof port === "number" || /^\d+$/.test(port)) return Number(port);
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`couldn't find port: "${port}" in container ${container.name}`);
  return named.containerPort;
}

async function httpGet(
  { host, port, path = "/", scheme = "HTTP", httpHeaders = [] }: HTTPGetAction,
  podIP: string,
  container: Container,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const to = host || podIP;
  const number = portOf(port, container);
  const headers: Record<string, string> = { "User-Agent": "kube-probe/1.34", Accept: "*/*", Host: `${to}:${number}` };
  for (const { name, value } of httpHeaders) headers[name] = value;
  // Keeping the connection would keep a server from ending.
  const options = { host: to, port: number, path, headers, signal, agent: false, rejectUnauthorized: false };
  const url = `${scheme.toLowerCase()}://${to}:${number}${path}`;
  return new Promise((resolve) => {
    const request = (scheme === "HTTPS" ? httpsRequest : httpRequest)(options, (response) => {
      response.on("error", () => {});
      response.destroy();
      const { statusCode = 0 } = response;
      const ok = statusCode >= 200 && statusCode < 400;
      resolve({ ok, message: ok ? "ok" : `HTTP probe failed with statuscode: ${statusCode}` });
    });
    request.on("error", (error: NodeJS.ErrnoException) =>
      resolve({ ok: false, message: `Get "${url}": dial tcp ${to}:${number}: ${connectMessage(error)}` }),
    );
    request.end();
  });
}

const connectMessage = (error: NodeJS.ErrnoException) =>
  error.code === "ECONNREFUSED" ? "connect: connection refused" : error.message;

function tcp(host: string, port: number, signal: AbortSignal): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    socket.once("connect", () => {
      socket.destroy();
      resolve({ ok: true, message: "ok" });
    });
    socket.once("error", (error) =>
      resolve({ ok: false, message: `dial tcp ${host}:${port}: ${connectMessage(error)}` }),
    );
  });
}

async function exec(
  runtime: Runtime,
  { id }: CheckTarget,
  command: readonly string[],
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const session = await runtime.exec(id, command, {});
  if (signal.aborted) session.kill();
  signal.addEventListener("abort", () => session.kill(), { once: true });
  let said = "";
  for (const stream of [session.stdout, session.stderr])
    stream?.on("data", (chunk: Buffer) => {
      if (said.length < mostSaid) said += chunk.toString("utf8");
    });
  const code = await session.exited;
  return { ok: code === 0, message: said.trim().slice(0, mostSaid) || (code === 0 ? "ok" : `exit status ${code}`) };
}

/** In the order of their numbers. Source: grpc health checking protocol. */
const servingStates = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** A length as protobuf writes it. */
const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];

/** Source: grpc health checking protocol, grpc.health.v1.Health/Check. */
async function grpc(host: string, port: number, service: string, signal: AbortSignal): Promise<ProbeOutcome> {
  // Few pods are asked this way, and HTTP/2 is 5 MB of memory.
  const http2 = await import("node:http2");
  const name = Buffer.from(service);
  const message = name.length > 0 ? Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]) : name;
  const frame = Buffer.concat([Buffer.alloc(5), message]);
  frame.writeUInt32BE(message.length, 1);
  return new Promise((resolve) => {
    const session = http2.connect(`http://${host}:${port}`);
    const done = (outcome: ProbeOutcome) => {
      session.destroy();
      resolve(outcome);
    };
    const failed = (error: Error) =>
      done({ ok: false, message: `timeout: failed to connect service "${host}:${port}": ${error.message}` });
    session.on("error", failed);
    signal.addEventListener("abort", () => session.destroy(), { once: true });
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", failed);
    stream.on("end", () => {
      const answer = Buffer.concat(chunks).subarray(5);
      const state = servingStates[answer[0] === 0x08 ? (answer[1] ?? 0) : 0];
      const serving = state === "SERVING";
      done({ ok: serving, message: serving ? "ok" : `service unhealthy (responded with ${JSON.stringify(state)})` });
    });
    stream.end(frame);
  });
}
