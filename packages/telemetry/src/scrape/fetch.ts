/** One request for a text of metrics, within limits. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Clock } from "@flotilla/ambient";

export interface ScrapeRequest {
  readonly url: string;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Bytes, decompressed. */
  readonly maxBytes: number;
  readonly token?: string;
}

export interface ScrapeAnswer {
  readonly text: string;
  readonly contentType: string;
}

/** Rejects with an error that says why in words for the user. */
export type Fetch = (request: ScrapeRequest) => Promise<ScrapeAnswer>;

/** Source: prometheus scrape/scrape.go, acceptHeader; the formats that we read, in the order in which we like them. */
const accept =
  "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6," +
  "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

export const httpFetch =
  (clock: Clock): Fetch =>
  ({ url, timeout, maxBytes, token }) =>
    new Promise((resolve, reject) => {
      const { protocol } = new URL(url);
      // Pods are addressed by their addresses, which no certificate names.
      const send = protocol === "https:" ? httpsRequest : httpRequest;
      const request = send(url, {
        rejectUnauthorized: false,
        agent: false,
        headers: {
          accept,
          "accept-encoding": "gzip",
          "user-agent": "flotilla",
          "x-prometheus-scrape-timeout-seconds": String(timeout / 1000),
          ...(token && { authorization: `Bearer ${token}` }),
        },
      });
      const cancel = clock.after(timeout, () =>
        request.destroy(new Error(`no whole answer within ${timeout / 1000} s`)),
      );
      const settled = () => {
        cancel();
        request.destroy();
      };
      request.on("error", (error) => {
        cancel();
        reject(error);
      });
      request.on("response", (response) => {
        readAnswer(response, maxBytes).then(resolve, reject).finally(settled);
      });
      request.end();
    });

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<ScrapeAnswer> {
  if (response.statusCode !== 200)
    throw new Error(`the answer is ${response.statusCode} ${response.statusMessage ?? ""}`.trim());
  const body: Readable = response.headers["content-encoding"] === "gzip" ? response.pipe(gunzipOf(response)) : response;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return { text: decode(Buffer.concat(chunks)), contentType: response.headers["content-type"] ?? "" };
}

function gunzipOf(response: IncomingMessage) {
  const gunzip = createGunzip();
  response.on("error", (error) => gunzip.destroy(error));
  return gunzip;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Error("the answer is not UTF-8");
  }
}
