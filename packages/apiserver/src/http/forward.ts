/** Forwards a request to another HTTP server and its answer back, streaming both ways. */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { serviceUnavailable } from "@flotilla/objects";
import { writeWarnings } from "./answer.ts";
import type { Exchange } from "./serving.ts";

export interface Upstream {
  readonly protocol: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** PEM of the authority that signs its certificate; without one, the certificate is not checked. */
  readonly ca?: string;
  readonly serverName?: string;
}

// Source: RFC 9110 section 7.6.1. Credentials are for this server, never for those behind it.
const ownHeaders = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "authorization",
  "cookie",
  "expect",
];

const connectTimeout = 10_000;

export function openUpstream(upstream: Upstream, method: string, headers: OutgoingHttpHeaders): ClientRequest {
  const { protocol, host, port, path, ca, serverName } = upstream;
  const options = { host, port, path, method, headers: { ...headers, ...upstream.headers } };
  const request =
    protocol === "http"
      ? httpRequest(options)
      : httpsRequest({ ...options, ca, rejectUnauthorized: ca !== undefined, servername: serverName });
  // Only until it is connected: streams may be silent for as long as they like.
  request.on("socket", (socket) => {
    // One that was used before brings along how long it may idle unused.
    if (!socket.connecting) return void socket.setTimeout(0);
    const late = () => socket.destroy(new Error(`no connection within ${connectTimeout} ms`));
    socket.setTimeout(connectTimeout, late);
    socket.once("connect", () => socket.setTimeout(0).off("timeout", late));
  });
  return request;
}

export function passedHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...request.headers };
  // x-remote-* says who asks to whoever trusts us: only this server may set it.
  for (const name in headers)
    if (ownHeaders.includes(name) || /^(x-remote|impersonate)-/.test(name)) delete headers[name];
  return headers;
}

/** Resolves with what the server answers; rejects with ServiceUnavailable when it cannot be reached. */
export function ask(exchange: Exchange, upstream: Upstream, name: string): Promise<IncomingMessage> {
  const { request, response } = exchange;
  return new Promise((resolve, reject) => {
    const outgoing = openUpstream(upstream, request.method ?? "GET", passedHeaders(request));
    outgoing.on("response", resolve);
    outgoing.on("error", (error) => reject(serviceUnavailable(`error trying to reach ${name}: ${error.message}`)));
    response.on("close", () => outgoing.destroy());
    request.pipe(outgoing);
  });
}

/** Passes an answer on as it is. Resolves when it is through, or when either side has gone. */
export function passOn(exchange: Exchange, incoming: IncomingMessage): Promise<void> {
  const { response } = exchange;
  return new Promise((resolve) => {
    const headers = { ...incoming.headers };
    for (const name of ownHeaders) delete headers[name];
    writeWarnings(exchange);
    response.writeHead(incoming.statusCode ?? 502, headers);
    response.flushHeaders();
    incoming.pipe(response);
    incoming.on("error", () => response.destroy());
    incoming.on("aborted", () => response.destroy());
    response.on("close", resolve);
  });
}

export async function forward(exchange: Exchange, upstream: Upstream, name: string): Promise<void> {
  await passOn(exchange, await ask(exchange, upstream, name));
}

/** The first part of an answer's body, as text. */
export async function readText(incoming: IncomingMessage, limit = 64 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit).toString("utf8");
}
