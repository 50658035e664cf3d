/**
 * The query server: Prometheus' API, traces and logs, and what it says of itself. Metrics are open to whoever reaches the address, as
 * Prometheus' are; traces and logs, which hold what requests carried, need the token.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "@flotilla/ambient";
import { isLocalName } from "../local-name.ts";
import type { SeriesSource } from "../metrics/series.ts";
import { listen } from "../otlp/http-receiver.ts";
import type { Engine } from "../promql/engine.ts";
import type { Telemetry } from "../telemetry.ts";
import { Admission, BusyError } from "./admission.ts";
import { type Answer, failure, failureOf, plainText, type Request, success } from "./answer.ts";
import { isCostly, prometheusApi } from "./prometheus-api.ts";
import { readBody, TooLargeError } from "./read-body.ts";
import { send } from "./send.ts";
import type { Facts } from "./status.ts";
import { telemetryApi } from "./telemetry-api.ts";
import { telemetryPrefix } from "./wire.ts";

export interface QueryServerOptions {
  /** An address; anything but a loopback address lets other machines ask for metrics. */
  readonly host: string;
  /** 0: any free one. One that is taken is an error with code EADDRINUSE. */
  readonly port: number;
  readonly source: SeriesSource;
  /** Over `source`. */
  readonly engine: Engine;
  readonly telemetry: Pick<Telemetry, "traces" | "trace" | "logs">;
  /** For traces and logs. */
  readonly token: string;
  readonly clock: Clock;
  /** What /metrics says, in Prometheus' text format. */
  readonly selfMetrics?: () => string;
  readonly facts?: Omit<Facts, "startedAt">;
  /** What GET /api/telemetry/v1/status answers: how it is going, for the commands. Needs the token. */
  readonly status?: () => object;
  readonly limits?: Partial<ServerLimits>;
  /** Hears of faults of ours, of which clients are told nothing. */
  readonly onError?: (error: unknown) => void;
}

export interface ServerLimits {
  /** Queries at once, and how many more may wait. */
  readonly running: number;
  readonly waiting: number;
  readonly connections: number;
  /** Bytes of a request's body. */
  readonly body: number;
  /** Milliseconds in which an answer must have been read: any of it, and all. */
  readonly stalled: number;
  readonly reading: number;
}

export const defaultServerLimits: ServerLimits = {
  running: 4,
  waiting: 64,
  connections: 256,
  body: 1_048_576,
  stalled: 10_000,
  reading: 120_000,
};

export interface QueryServer {
  readonly port: number;
  /** Takes no more connections and ends those that are open; queries under way are aborted. */
  close(): Promise<void>;
}

export async function startQueryServer(options: QueryServerOptions): Promise<QueryServer> {
  const { clock, source, engine, token, selfMetrics } = options;
  const limits = { ...defaultServerLimits, ...options.limits };
  const admission = new Admission(limits.running, limits.waiting);
  const facts: Facts = { ...options.facts, startedAt: clock.now() };
  const metrics = prometheusApi({ engine, source, clock, facts });
  const records = telemetryApi(options.telemetry);

  const route = async (request: Request, authorization: string | undefined): Promise<Answer> => {
    const { path, signal } = request;
    if (path === "/metrics") return plainText(selfMetrics?.() ?? "");
    if (path === "/-/healthy") return plainText("Flotilla's telemetry is healthy.\n");
    if (path === "/-/ready") return plainText("Flotilla's telemetry is ready.\n");
    if (path === "/") return plainText(welcome);
    const isRecords = path.startsWith(telemetryPrefix);
    if (isRecords && !isAuthorized(authorization, token))
      return failure("unauthorized", "traces and logs need the token: Authorization: Bearer TOKEN");
    if (!isRecords && !isCostly(path)) return (await metrics(request)) ?? notFound;
    if (path === `${telemetryPrefix}status` && options.status) return success(options.status());
    const leave = await admission.enter(signal);
    let held = false;
    try {
      const answer = (await (isRecords ? records : metrics)(request)) ?? notFound;
      // What it found is in memory until it has been sent.
      held = !signal.aborted;
      if (held) signal.addEventListener("abort", leave, { once: true });
      return answer;
    } finally {
      if (!held) leave();
    }
  };

  const respond = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.once("close", () => gone.abort(new Error("the client went away")));
    try {
      const answer = await answered(message, gone.signal, limits.body, route);
      // Nobody hears of it: the connection is closed.
      response.setTimeout(limits.stalled);
      response.once(
        "close",
        clock.after(limits.reading, () => response.destroy(), { background: true }),
      );
      await send(message, response, answer);
    } catch (error) {
      if (gone.signal.aborted) return;
      options.onError?.(error);
      if (response.headersSent) response.destroy();
      else await send(message, response, failure("internal", "an internal error"));
    }
  };

  const server = createServer({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 60_000,
    maxHeaderSize: 65_536,
  });
  server.maxConnections = limits.connections;
  server.on("request", (message, response) => void respond(message, response));
  await listen(server, options.host, options.port);
  // That no more connections can be accepted, say: it goes on with those it has.
  server.on("error", (error) => options.onError?.(error));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const notFound = plainText("404 page not found\n", 404);

const welcome = `Flotilla's telemetry.

Metrics, as Prometheus has them (a data source for Grafana, a server for promtool):
  /api/v1/query  /api/v1/query_range  /api/v1/series  /api/v1/labels  /api/v1/label/NAME/values  /api/v1/metadata
  /api/v1/rules  /api/v1/alerts  /api/v1/targets  /api/v1/status/...

Traces and logs, with the token:
  ${telemetryPrefix}traces  ${telemetryPrefix}traces/ID  ${telemetryPrefix}logs  ${telemetryPrefix}status

Of itself: /metrics  /-/healthy  /-/ready
`;

async function answered(
  message: IncomingMessage,
  signal: AbortSignal,
  mostBytes: number,
  route: (request: Request, authorization: string | undefined) => Promise<Answer>,
): Promise<Answer> {
  if (!isLocalName(message.headers.host))
    return failure("bad_data", "the Host header must be an address or localhost", 403);
  if (isOfAnotherSite(message)) return failure("bad_data", "web pages of other sites may not ask here", 403);
  try {
    return await route(await readRequest(message, signal, mostBytes), message.headers.authorization);
  } catch (error) {
    if (error instanceof BusyError) return failure("unavailable", error.message);
    if (error instanceof TooLargeError) return failure("bad_data", error.message, 413);
    const known = failureOf(error);
    if (!known) throw error;
    return known;
  }
}

async function readRequest(message: IncomingMessage, signal: AbortSignal, mostBytes: number): Promise<Request> {
  const url = new URL(message.url ?? "/", "http://localhost");
  const text = await readBody(message, mostBytes);
  const isForm = message.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  // What the body says comes first, as in Go's ParseForm.
  const parameters = new URLSearchParams(isForm ? text : "");
  for (const [name, value] of url.searchParams) parameters.append(name, value);
  return { method: message.method ?? "GET", path: decoded(url.pathname), parameters, body: isForm ? "" : text, signal };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A stray percent sign: such a path is none of ours.
    return path;
  }
}

/**
 * A page that may not read what is answered could still keep the server busy. Whoever opens the address in a browser may do so from
 * anywhere. Source: W3C Fetch Metadata Request Headers.
 */
const isOfAnotherSite = ({ headers }: IncomingMessage): boolean =>
  headers["sec-fetch-site"] === "cross-site" && headers["sec-fetch-dest"] !== "document";

function isAuthorized(header: string | undefined, token: string): boolean {
  const given = Buffer.from(/^Bearer (.+)$/i.exec(header ?? "")?.[1] ?? "");
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
