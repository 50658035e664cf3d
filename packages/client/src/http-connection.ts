/**
 * Requests to one API server: a pool of connections that are kept open, credentials, errors.
 * Uses Node's own client: it is part of the binary, and a command line that starts often pays for every module it loads.
 */
import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent as HttpsAgent, request as secureRequest } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import { type Clock, sleep, systemClock } from "@flotilla/ambient";
import { statusErrorFrom } from "@flotilla/objects";
import { statusOfAnswer } from "./answer-status.ts";
import { ApiUnreachableError } from "./unreachable.ts";

export interface ConnectionOptions {
  /** "https://127.0.0.1:6443", also with a path. */
  readonly server: string;
  /** PEM; left out: the authorities that Node trusts. */
  readonly ca?: string;
  /** A function is asked before every request: tokens in files are renewed. */
  readonly token?: string | (() => string | Promise<string>);
  /** PEM, both. */
  readonly clientCert?: { readonly cert: string; readonly key: string };
  readonly insecureSkipTlsVerify?: boolean;
  /** The name that the certificate must be for, where it is not the server's address. */
  readonly tlsServerName?: string;
  readonly userAgent?: string;
  readonly clock?: Clock;
}

export interface RequestInit {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Fails when the server is silent for so long. Milliseconds; 0: never. Default: one minute. */
  readonly idleTimeout?: number;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be read or destroyed. */
  readonly body: IncomingMessage;
  text(): Promise<string>;
}

/** Rejects with a StatusError for every answer from 400, with an ApiUnreachableError where there is none. */
export type Request = (path: string, init?: RequestInit) => Promise<ApiResponse>;

const defaultIdleTimeout = 60_000;
/** As client-go's: where the server says when to come back. */
const mostRetries = 10;

export function connect(options: ConnectionOptions): { request: Request; close(): void } {
  const { clock = systemClock, userAgent = "flotilla" } = options;
  const base = new URL(options.server);
  const secure = base.protocol === "https:";
  const prefix = base.pathname.replace(/\/$/, "");
  const pool = { keepAlive: true, scheduling: "lifo" } as const;
  const agent = secure
    ? new HttpsAgent({
        ...pool,
        ca: options.ca,
        cert: options.clientCert?.cert,
        key: options.clientCert?.key,
        secureContext: secureContextOf(options),
        rejectUnauthorized: !options.insecureSkipTlsVerify,
        servername: options.tlsServerName,
      })
    : new HttpAgent(pool);

  const headersOf = async ({ headers, body }: RequestInit): Promise<Record<string, string | number>> => {
    const token = typeof options.token === "function" ? await options.token() : options.token;
    return {
      accept: "application/json",
      "user-agent": userAgent,
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...headers,
    };
  };

  const send = async (path: string, init: RequestInit): Promise<IncomingMessage> => {
    const headers = await headersOf(init);
    const { method = "GET", body, signal, idleTimeout = defaultIdleTimeout } = init;
    return new Promise((resolve, reject) => {
      const request = (secure ? secureRequest : plainRequest)(
        { agent, method, headers, signal, host: unbracketed(base.hostname), port: base.port, path: prefix + path },
        resolve,
      );
      request.setTimeout(idleTimeout, () => {
        request.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
      });
      request.on("error", (error) => {
        if (signal?.aborted) reject(signal.reason);
        // A connection that the server closed while it was idle; nothing was asked yet, as far as reads are concerned.
        else if (request.reusedSocket && method === "GET") send(path, init).then(resolve, reject);
        else reject(new ApiUnreachableError(base.origin, error));
      });
      request.end(body);
    });
  };

  const request: Request = async (path, init = {}) => {
    for (let attempt = 1; ; attempt++) {
      const message = await send(path, init);
      const status = message.statusCode ?? 0;
      const answer = { status, headers: message.headers, body: message, text: () => textOf(message, base.origin) };
      if (status < 400) return answer;
      const text = await answer.text();
      const pause = Number(message.headers["retry-after"]);
      if ((status !== 429 && status < 500) || !(pause > 0) || attempt === mostRetries) {
        throw statusErrorFrom(statusOfAnswer(status, text, init.method ?? "GET", path));
      }
      await sleep(clock, pause * 1000, init.signal);
    }
  };

  return { request, close: () => agent.destroy() };
}

/** Read once for all connections. What cannot be read is for the first request to say. */
function secureContextOf({ ca, clientCert }: ConnectionOptions): SecureContext | undefined {
  if (!ca && !clientCert) return undefined;
  try {
    return createSecureContext({ ca, ...clientCert });
  } catch {
    return undefined;
  }
}

/** The whole body. A body that is cut short is no answer. */
async function textOf(message: IncomingMessage, address: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new ApiUnreachableError(address, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** URLs keep the brackets of an IPv6 address, sockets must not. */
const unbracketed = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, "$1");
