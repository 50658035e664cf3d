/**
 * The kubelet's HTTP API: logs, exec, attach, usage. The API server forwards to it; it listens on the node's own address
 * only, and answers nobody without the token.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "@flotilla/ambient";
import { badRequest, internalError, noSuchPath, notFound, Pods, StatusError, unauthorized } from "@flotilla/objects";
import type { WebSocketServer } from "ws";
import { serveStreams, streamProtocols } from "./kubelet-streams.ts";
import { anyRunning, isRunning, type LocalPod, localContainer } from "./local-pod.ts";
import { type LogOptions, readLog } from "./log-reader.ts";
import { metricsAnswer, statsSummary } from "./metrics-api.ts";
import type { PodStore } from "./pod-store.ts";
import { logPath } from "./pod-worker.ts";
import { portForward, portForwardProtocol } from "./port-forward.ts";
import { machineUsage, ResourceMetrics, textFormat } from "./resource-metrics.ts";
import type { ExecOptions, Runtime } from "./runtime.ts";
import { type StaticPods, staticLogPath } from "./static-pods.ts";
import type { UsageSampler } from "./usage.ts";

export interface KubeletOptions {
  readonly port: number;
  readonly token: string;
  readonly nodeName: string;
  readonly hostIP: string;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logsDir: string;
  readonly store: PodStore;
  readonly staticPods: StaticPods;
  readonly usage: UsageSampler;
}

export interface KubeletServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What a path of the form /<verb>/<namespace>/<pod>/<container> is about. */
interface Target {
  readonly verb: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

interface FoundContainer {
  /** The runtime's id, while it runs. */
  readonly id: string | undefined;
  readonly logPath: string;
  readonly previousLogPath: string | undefined;
  readonly hasLog: boolean;
  readonly isOver: () => boolean;
}

export async function serveKubelet(options: KubeletOptions): Promise<KubeletServer> {
  // Loaded at the first exec or attach.
  let sockets: Promise<WebSocketServer> | undefined;
  const resources = new ResourceMetrics();
  const server = createServer((request, response) => {
    void answer(options, resources, request, response).catch((error: unknown) => refuse(response, error));
  });
  server.on("upgrade", (request, socket, head) => {
    sockets ??= webSockets();
    // A client that goes away before it is answered.
    socket.on("error", () => socket.destroy());
    void upgrade(options, sockets, request, socket, head).catch((error: unknown) => {
      const status = error instanceof StatusError ? error : undefined;
      const body = status?.message ?? "internal error";
      socket.end(
        `HTTP/1.1 ${status?.code ?? 500} Refused\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.hostIP, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of (await sockets)?.clients ?? []) socket.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function webSockets(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import("ws");
  return new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => streamProtocols.find((protocol) => offered.has(protocol)) ?? false,
  });
}

function refuse(response: ServerResponse, error: unknown) {
  if (response.headersSent) return response.destroy();
  const { code, status } =
    error instanceof StatusError ? error : internalError(error instanceof Error ? error.message : String(error));
  response.writeHead(code, { "Content-Type": "application/json" });
  response.end(JSON.stringify(status));
}

function authorize({ token }: KubeletOptions, request: IncomingMessage): void {
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw unauthorized();
}

async function answer(
  options: KubeletOptions,
  resources: ResourceMetrics,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = urlOf(request);
  if (pathname === "/healthz") return void response.end("ok");
  authorize(options, request);
  const { store, usage, nodeName, clock } = options;
  const target = targetOf(pathname);
  if (target?.verb === "containerLogs") return sendLog(options, target, searchParams, response);
  const json = (body: object) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (pathname === "/pods")
    return json({ kind: "PodList", apiVersion: "v1", metadata: {}, items: store.list().map(({ pod }) => pod) });
  const facts = { nodeName, pods: store.list(), usage: await usage.usage(), now: clock.now() };
  if (pathname === "/stats/summary") return json(statsSummary(facts));
  if (pathname === "/metrics/resource" || pathname === "/metrics/cadvisor") {
    const more = { ...facts, staticPods: options.staticPods.states(), machine: machineUsage() };
    response.writeHead(200, { "Content-Type": textFormat });
    return void response.end(pathname === "/metrics/resource" ? resources.resource(more) : resources.cadvisor(more));
  }
  const metrics = metricsAnswer(pathname.replace(/\/$/, ""), searchParams, facts);
  if (metrics) return json(metrics);
  throw noSuchPath();
}

function urlOf({ url = "/" }: IncomingMessage): URL {
  const parsed = URL.parse(url, "http://node");
  if (!parsed) throw badRequest(`the path ${JSON.stringify(url)} is malformed`);
  return parsed;
}

function decoded(path: string): string[] {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch {
    throw badRequest(`the path ${JSON.stringify(path)} is malformed`);
  }
}

function targetOf(path: string): Target | undefined {
  const [, verb = "", namespace, pod, container] = decoded(path);
  return namespace && pod && container ? { verb, namespace, pod, container } : undefined;
}

function podNamed(store: PodStore, namespace: string, name: string): LocalPod {
  const found = store
    .list()
    .find(({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name);
  if (!found) throw notFound(Pods, name);
  return found;
}

function find({ store, staticPods, logsDir, nodeName }: KubeletOptions, target: Target): FoundContainer {
  const { namespace, pod, container } = target;
  const fixed = staticPods.states().find(({ name }) => namespace === "kube-system" && `${name}-${nodeName}` === pod);
  if (fixed) {
    const current = fixed.run ? fixed.restartCount : Math.max(0, fixed.restartCount - 1);
    return {
      id: fixed.run?.id,
      logPath: staticLogPath(logsDir, fixed.name, current),
      previousLogPath: current > 0 ? staticLogPath(logsDir, fixed.name, current - 1) : undefined,
      hasLog: true,
      isOver: () => staticPods.states().find(({ name }) => name === fixed.name)?.restartCount !== current,
    };
  }
  const local = podNamed(store, namespace, pod);
  if (!local.containers[container]) throw badRequest(`container ${container} is not valid for pod ${pod}`);
  const known = localContainer(local, container);
  const path = (count: number) => logPath(logsDir, local.pod, container, count);
  return {
    id: known.state.is === "running" ? known.state.id : undefined,
    logPath: path(known.restartCount),
    previousLogPath: known.restartCount > 0 ? path(known.restartCount - 1) : undefined,
    hasLog: known.state.is === "running" || known.state.is === "exited" || known.restartCount > 0,
    isOver: () => {
      const now = store.get(local.uid);
      const latest = now && localContainer(now, container);
      return !latest || !isRunning(latest) || latest.restartCount !== known.restartCount;
    },
  };
}

async function sendLog(options: KubeletOptions, target: Target, query: URLSearchParams, response: ServerResponse) {
  const found = find(options, target);
  const previous = query.get("previous") === "true";
  if (previous && !found.previousLogPath)
    throw badRequest(`previous terminated container "${target.container}" in pod "${target.pod}" not found`);
  if (!previous && !found.hasLog)
    throw badRequest(`container "${target.container}" in pod "${target.pod}" is waiting to start: ContainerCreating`);
  const path = previous ? (found.previousLogPath ?? "") : found.logPath;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(200, { "Content-Type": "text/plain" });
  response.flushHeaders();
  const lines = readLog(
    path,
    logOptions(query, options.clock),
    options.clock,
    previous ? () => true : found.isOver,
    gone.signal,
  );
  for await (const chunk of lines) {
    if (gone.signal.aborted) return;
    if (!response.write(chunk)) await drained(response);
  }
  response.end();
}

/** Or closed; whichever comes, neither is listened to any longer. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });

export function logOptions(query: URLSearchParams, clock: Clock): LogOptions {
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === "") return undefined;
    if (!/^\d+$/.test(text))
      throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
    return Number(text);
  };
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = query.get("sinceTime");
  if (sinceTime && Number.isNaN(Date.parse(sinceTime)))
    throw badRequest(`sinceTime: Invalid value: ${JSON.stringify(sinceTime)}: must be a time as 2026-01-31T00:00:00Z`);
  return {
    follow: query.get("follow") === "true",
    timestamps: query.get("timestamps") === "true",
    tailLines: number("tailLines"),
    limitBytes: number("limitBytes"),
    since:
      sinceSeconds !== undefined ? clock.now() - sinceSeconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined,
  };
}

async function upgrade(
  options: KubeletOptions,
  sockets: Promise<WebSocketServer>,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  authorize(options, request);
  const { pathname, searchParams } = urlOf(request);
  if (pathname.startsWith("/portForward/")) return upgradePortForward(options, sockets, request, socket, head);
  const target = targetOf(pathname);
  if (!target || (target.verb !== "exec" && target.verb !== "attach")) throw noSuchPath();
  const asked = (...names: string[]) => names.some((name) => ["true", "1"].includes(searchParams.get(name) ?? ""));
  const tty = asked("tty");
  const wanted = {
    stdin: asked("input", "stdin"),
    stdout: asked("output", "stdout"),
    stderr: asked("error", "stderr") && !tty,
  };
  const command = searchParams.getAll("command");
  const { id } = find(options, target);
  if (id === undefined) throw badRequest(`container ${target.container} in pod ${target.pod} is not running`);
  if (target.verb === "exec" && command.length === 0)
    throw badRequest("you must specify at least one command for the container");
  (await sockets).handleUpgrade(request, socket, head, (websocket) => {
    const open = (size: ExecOptions["size"]) =>
      target.verb === "attach"
        ? options.runtime.attach(id)
        : options.runtime.exec(id, command, { stdin: wanted.stdin, tty, size });
    serveStreams(websocket, { ...wanted, tty }, options.clock, open).catch(() => websocket.terminate());
  });
}

async function upgradePortForward(
  { store, clock }: KubeletOptions,
  sockets: Promise<WebSocketServer>,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const [, , namespace = "", name = ""] = decoded(request.url?.split("?")[0] ?? "");
  const local = podNamed(store, namespace, name);
  if (!anyRunning(local)) throw badRequest(`unable to forward port because pod ${name} is not running`);
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
  if (!offered.includes(portForwardProtocol))
    throw badRequest(`unable to upgrade: a port is forwarded over a WebSocket of ${portForwardProtocol} only`);
  // A name with a slash is none in the eyes of the library: it is answered beside it.
  delete request.headers["sec-websocket-protocol"];
  const server = await sockets;
  const answerProtocol = (headers: string[], answered: IncomingMessage) => {
    if (answered === request) headers.push(`Sec-WebSocket-Protocol: ${portForwardProtocol}`);
  };
  server.on("headers", answerProtocol);
  server.handleUpgrade(request, socket, head, (websocket) => {
    const wire = {
      send: (bytes: Buffer, sent: () => void) => websocket.send(bytes, sent),
      waiting: () => websocket.bufferedAmount,
      pause: () => websocket.pause(),
      resume: () => websocket.resume(),
      close: () => websocket.close(1000),
    };
    const forward = portForward(wire, { host: local.podIP, pod: name, uid: local.uid }, clock);
    websocket.on("message", (bytes: Buffer) => forward.receive(bytes));
    websocket.on("close", () => forward.end());
    websocket.on("error", () => websocket.terminate());
  });
  server.off("headers", answerProtocol);
}
