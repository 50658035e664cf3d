/** Sends a copy of a request to another cluster. Nobody waits for its answer and its failure harms nobody. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { Clock } from "@flotilla/ambient";
import { hasBody } from "./error-answer.ts";
import type { Headers } from "./headers.ts";
import type { Upstream } from "./upstream.ts";

/** What a slow copy may keep in memory; beyond that it is given up. */
const mostBuffered = 1024 * 1024;
const limit = 15_000;

export interface Mirror {
  readonly request: IncomingMessage;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly path: string;
  readonly headers: Headers;
}

/** Must be called before the request's body is read. Throws what makes the request impossible to send, to anybody. */
export function mirror({ request, upstream, clock, path, headers }: Mirror): void {
  const endpoint = upstream.takeNow();
  if (!endpoint) return;
  const { address: host, port, pool } = endpoint;
  let copy: ClientRequest;
  try {
    copy = httpRequest({ agent: pool, host, port, method: request.method, path, headers, setHost: false });
  } catch (error) {
    upstream.release(endpoint);
    throw error;
  }
  const cancel = clock.after(limit, () => copy.destroy());
  const onData = (chunk: Buffer) => {
    if (copy.writableLength > mostBuffered) copy.destroy();
    else copy.write(chunk);
  };
  copy.on("error", () => undefined);
  copy.on("response", (answer) => answer.resume().on("error", () => undefined));
  copy.once("close", () => {
    cancel();
    upstream.release(endpoint);
    request.off("data", onData);
  });
  if (!hasBody(request)) {
    copy.end();
    return;
  }
  request.on("data", onData);
  request.pause();
  request.once("end", () => copy.end());
  request.once("close", () => void (request.complete || copy.destroy()));
}
