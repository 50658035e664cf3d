/**
 * OTLP over HTTP: POST /v1/traces, /v1/metrics, /v1/logs, as protobuf or JSON.
 *
 * Source: OTLP specification 1.x, OTLP/HTTP.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Server } from "node:net";
import type { Clock } from "@flotilla/ambient";
import { forwardMark } from "../forward/mark.ts";
import type { Signal } from "../sink.ts";
import { codes, encodeResponse, encodeStatus, responseTo } from "./answer.ts";
import { collect } from "./collect.ts";
import { compressions, type Format, type Intake, type Outcome, type Refusal } from "./intake.ts";
import { toJsonText } from "./json.ts";

export interface ReceiverOptions {
  /** An address; anything but a loopback address lets other machines in. */
  readonly host: string;
  /** 0: any free one. One that is taken is an error with code EADDRINUSE. */
  readonly port: number;
  /** Shared with other receivers, as are its limits. */
  readonly intake: Intake;
  readonly clock: Clock;
}

export interface Receiver {
  readonly port: number;
  /** Takes no more connections, lets the requests of the moment end (for a second at most), then closes all. */
  close(): Promise<void>;
}

const signals: ReadonlyMap<string, Signal> = new Map([
  ["/v1/traces", "traces"],
  ["/v1/metrics", "metrics"],
  ["/v1/logs", "logs"],
]);

/** Milliseconds. */
const graceOnClose = 1000;
/** Milliseconds for which we read on, so that a sender who is refused amid sending sees the answer and not a reset. */
export const lingering = 1000;

export async function startHttpReceiver({ host, port, intake, clock }: ReceiverOptions): Promise<Receiver> {
  const { limits } = intake;
  const server = createServer({
    headersTimeout: limits.headersTime,
    requestTimeout: limits.requestTime,
    connectionsCheckingInterval: Math.min(limits.headersTime, 5000),
    keepAliveTimeout: limits.idleTime,
    maxHeaderSize: 16_384,
    highWaterMark: 2 ** 18,
    noDelay: true,
    shouldUpgradeCallback: () => false,
  } as Parameters<typeof createServer>[0]);
  server.maxConnections = limits.connections;
  server.on("request", (request, response) => void receive(request, response, intake, clock));
  await listen(server, host, port);
  server.on("error", (error) => intake.fault(error));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cancel = clock.after(graceOnClose, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** Rejects when the address or port cannot be had. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** In which the sender speaks and is answered. */
  readonly format: Format;
  readonly clock: Clock;
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  intake: Intake,
  clock: Clock,
): Promise<void> {
  const { headers } = request;
  request.on("data", (chunk: Buffer) => intake.received(chunk.length));
  const format = formatOf(headers["content-type"]);
  const exchange: Exchange = { request, response, format: format ?? "json", clock };
  const signal = signals.get(pathOf(request));
  const unfit = unfitness(request, intake);
  if (unfit || !signal) {
    if (unfit?.status === 405) response.setHeader("Allow", "POST");
    answerError(exchange, unfit ?? unknownPath);
    return;
  }
  const most = intake.limits.request;
  const tooLarge = Number(headers["content-length"] ?? 0) > most;
  const body = tooLarge ? intake.tooLarge(signal) : await collect(request, signal, intake, most);
  if (Array.isArray(body)) {
    const compression = headers["content-encoding"]?.trim().toLowerCase();
    answer(exchange, signal, intake.take(signal, intake.join(body), exchange.format, compression));
  } else if (body) {
    answer(exchange, signal, body);
  }
}

const pathOf = (request: IncomingMessage): string => request.url?.split("?", 1)[0] ?? "";

interface HttpError {
  readonly status: number;
  /** Of google.rpc. */
  readonly code: number;
  readonly message: string;
}

const unknownPath: HttpError = {
  status: 404,
  code: codes.notFound,
  message: `no such path; telemetry goes to ${[...signals.keys()].join(", ")}`,
};

/** Why a request is not looked into any further, by its headers. */
function unfitness(request: IncomingMessage, intake: Intake): HttpError | undefined {
  const { headers, method } = request;
  if (!intake.isOurName(headers.host))
    return { status: 403, code: codes.permissionDenied, message: "address this receiver as localhost" };
  if (headers.origin !== undefined)
    return { status: 403, code: codes.permissionDenied, message: "web pages may not send telemetry here" };
  if (headers[forwardMark.header] === forwardMark.value)
    return { status: 508, code: codes.invalidArgument, message: "this is what sends on; forward to somewhere else" };
  if (!signals.get(pathOf(request))) return unknownPath;
  if (method !== "POST")
    return { status: 405, code: codes.unimplemented, message: `${method} is not supported; use POST` };
  if (!formatOf(headers["content-type"])) {
    const message = "content-type is neither application/x-protobuf nor application/json";
    return { status: 415, code: codes.invalidArgument, message };
  }
  return undefined;
}

function formatOf(contentType = ""): Format | undefined {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/x-protobuf") return "protobuf";
  if (type === "application/json") return "json";
  return undefined;
}

const httpStatus: Readonly<Record<Refusal, readonly [status: number, code: number]>> = {
  malformed: [400, codes.invalidArgument],
  "too large": [413, codes.resourceExhausted],
  unavailable: [503, codes.unavailable],
  unsupported: [415, codes.invalidArgument],
  internal: [500, codes.internal],
};

function answer(exchange: Exchange, signal: Signal, outcome: Outcome): void {
  if ("refused" in outcome) {
    const { refused, message, retryAfter } = outcome;
    const [status, code] = httpStatus[refused];
    if (retryAfter !== undefined) exchange.response.setHeader("Retry-After", Math.max(1, Math.ceil(retryAfter / 1000)));
    if (refused === "unsupported") exchange.response.setHeader("Accept-Encoding", compressions.join(", "));
    answerError(exchange, { status, code, message });
  } else {
    const response = responseTo(signal, outcome.taken);
    const json = exchange.format === "json";
    send(exchange, 200, json ? Buffer.from(toJsonText(response)) : encodeResponse(signal, response));
  }
}

function answerError(exchange: Exchange, { status, code, message }: HttpError): void {
  const json = exchange.format === "json";
  send(exchange, status, json ? Buffer.from(JSON.stringify({ code, message })) : encodeStatus(code, message));
}

function send({ request, response, format, clock }: Exchange, status: number, body: Uint8Array): void {
  if (response.destroyed) return;
  if (!request.complete) endEarly(request, clock);
  response.writeHead(status, {
    "Content-Type": format === "json" ? "application/json" : "application/x-protobuf",
    "Content-Length": body.length,
  });
  response.end(body);
}

/** The body that still comes is thrown away; if it takes longer than a moment, so is the connection. */
function endEarly(request: IncomingMessage, clock: Clock): void {
  request.resume();
  clock.after(lingering, () => request.complete || request.socket.destroy(), { background: true });
}
