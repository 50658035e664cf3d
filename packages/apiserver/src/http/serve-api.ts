/** The API server's listener: TLS, limits and the end of it. What requests mean is decided in handler.ts. */
import { createServer as createHttpServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, type Random, systemRandom } from "@flotilla/ambient";
import { failure } from "@flotilla/objects";
import type { Registry, UserInfo } from "../registry.ts";
import { mastersOnly } from "./authorization.ts";
import { watchAvailability } from "./availability.ts";
import { createHandler } from "./handler.ts";
import { parseResourcePath } from "./resource-path.ts";
import type { Attributes, Serving, VersionInfo } from "./serving.ts";

export interface ServeOptions {
  readonly registry: Registry;
  /** 0: any free one. */
  readonly port: number;
  readonly host?: string;
  /** PEM. Without it, plain HTTP is served: for tests and for behind something that ends TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  authenticate(token: string): UserInfo | undefined;
  /** Without it, the group system:masters may do everything and others nothing but review themselves. */
  authorize?(user: UserInfo, attributes: Attributes): boolean;
  readonly kubelet: { readonly token: string };
  readonly version?: VersionInfo;
  readonly clock: Clock;
  readonly random?: Random;
  /** Faults of the server and of what it speaks to. Without it, to stderr. */
  log?(message: string, error?: unknown): void;
}

export interface ApiServer {
  readonly port: number;
  /** Ends watches and streams, waits for the answers under way and closes all connections. */
  close(): Promise<void>;
}

/** The version of Kubernetes whose API is served. */
export const servedVersion: VersionInfo = { major: "1", minor: "34", gitVersion: "v1.34.2+flotilla" };

// Milliseconds.
const headersTimeout = 10_000;
const bodyTimeout = 60_000;
const keepAlive = 90_000;
const closeGrace = 2_000;

const largestHeaders = 64 * 1024;

export async function serveApi(options: ServeOptions): Promise<ApiServer> {
  const { registry, port, host = "127.0.0.1", tls, clock, random = systemRandom } = options;
  const closing = new Set<() => void>();
  const serving: Serving = {
    registry,
    clock,
    random,
    version: options.version ?? servedVersion,
    kubeletToken: options.kubelet.token,
    authenticate: (token) => options.authenticate(token),
    authorize: (user, attributes) => (options.authorize ?? mastersOnly)(user, attributes),
    log: options.log ?? logToStderr,
    onClose(run) {
      closing.add(run);
      return () => closing.delete(run);
    },
  };
  const handler = createHandler(serving);
  const server = await createServer(tls);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => void handler.request(request, response));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const response = new ServerResponse(request);
    response.assignSocket(socket as Socket);
    response.shouldKeepAlive = false;
    socket.on("error", () => socket.destroy());
    // An answer instead of an upgrade ends the connection, as it cannot tell what follows.
    response.on("finish", () => socket.end());
    void handler.upgrade(request, response, socket, head);
  });
  server.on("clientError", refuseMalformed);

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  watchAvailability(serving);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const run of [...closing]) run();
      server.closeIdleConnections();
      const cancel = clock.after(closeGrace, () => server.closeAllConnections(), { background: true });
      await closed;
      cancel();
    },
  };
}

async function createServer(tls: ServeOptions["tls"]): Promise<Server> {
  const limits = {
    maxHeaderSize: largestHeaders,
    headersTimeout,
    requestTimeout: bodyTimeout,
    keepAliveTimeout: keepAlive,
    connectionsCheckingInterval: 5_000,
    // All else that asks for an upgrade (h2c, for one) is answered as if it had not.
    shouldUpgradeCallback: ({ url = "" }: IncomingMessage) => isUpgradable(url),
  };
  if (!tls) return createHttpServer(limits);
  const { createServer } = await import("node:https");
  return createServer({ ...limits, ...tls, minVersion: "TLSv1.2" });
}

const upgradable = ["exec", "attach", "portforward", "proxy"];

function isUpgradable(url: string): boolean {
  try {
    return upgradable.includes(parseResourcePath(url.split("?", 1)[0] ?? "")?.subresource ?? "");
  } catch {
    // A malformed path is refused where requests are answered.
    return false;
  }
}

/** What is not HTTP, or is too large or too slow to be a request, gets a Status, too, where it can still be told. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [code, reason, message] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "RequestHeaderFieldsTooLarge", `the headers are larger than ${largestHeaders} bytes`]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "Timeout", "the request took too long to arrive"]
        : [400, "BadRequest", "the request is not valid HTTP"];
  const body = JSON.stringify(failure(code, reason, message).status);
  socket.end(
    `HTTP/1.1 ${code} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}

function logToStderr(message: string, error?: unknown): void {
  const detail =
    error === undefined ? "" : `\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  process.stderr.write(`apiserver: ${message}${detail}\n`);
}
