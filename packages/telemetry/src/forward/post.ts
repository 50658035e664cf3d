/** One POST over HTTP or HTTPS, on connections that stay open. */
import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";

export interface PostAnswer {
  readonly status: number;
  /** As it came. */
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

export interface Poster {
  /** Rejects when there is no answer, or `signal` is aborted first. */
  post(url: URL, headers: Readonly<Record<string, string>>, body: Uint8Array, signal: AbortSignal): Promise<PostAnswer>;
  close(): void;
}

/** Bytes of an answer; what comes beyond is not read. */
const mostAnswered = 65_536;

export function poster(connections: number): Poster {
  const options = { keepAlive: true, maxSockets: connections };
  const agents = { "http:": new Agent(options), "https:": new TlsAgent(options) };
  return {
    post: (url, headers, body, signal) =>
      new Promise((resolve, reject) => {
        const secure = url.protocol === "https:";
        const options: RequestOptions = {
          method: "POST",
          headers: { ...headers, "content-length": body.length },
          agent: agents[secure ? "https:" : "http:"],
          signal,
        };
        const request: ClientRequest = secure ? httpsRequest(url, options) : httpRequest(url, options);
        request.on("error", reject).on("response", (response) => read(response).then(resolve, reject));
        request.end(body);
      }),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function read(response: IncomingMessage): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void =>
      resolve({
        status: response.statusCode ?? 0,
        retryAfter: response.headers["retry-after"],
        body: Buffer.concat(chunks),
      });
    response.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= mostAnswered) {
        chunks.push(chunk);
      } else {
        done();
        response.destroy();
      }
    });
    response.on("error", reject).on("end", done);
  });
}
