/** What a request asks for, of whom, and how it goes on; or why it is refused before anybody is asked. Pure. */
import type { IncomingMessage } from "node:http";
import { hasBody } from "./error-answer.ts";
import { forwarded, type Headers } from "./headers.ts";

export interface Asked {
  readonly method: string;
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  /** As they go to an endpoint. */
  readonly headers: Headers;
}

export interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** `newId`: a fresh X-Request-Id; `trace`: the headers of its trace, as they go on. What Node.js' parser refuses by itself (of two lengths, say) does not come here. */
export function askedOf(request: IncomingMessage, newId: () => string, trace: readonly string[]): Asked | Refusal {
  const { method = "GET", url = "/", rawHeaders, socket } = request;
  const { "transfer-encoding": encoding, "content-length": length } = request.headers;
  // Source: RFC 9112, 6.1: a coding that is not understood. To undo chunked alone would change the body.
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked")
    return { code: 501, message: `Transfer-Encoding: ${encoding} is not supported; use chunked` };
  const headers = forwarded(rawHeaders, { client: socket.remoteAddress, id: newId, trace });
  if (hosts(rawHeaders) > 1) return { code: 400, message: "the request has more than one Host" };
  if (encoding !== undefined) headers.push("Transfer-Encoding", "chunked");
  else if (length === undefined && bodyExpected.has(method)) headers.push("Content-Length", "0");
  const { host } = request.headers;
  if (host === undefined) headers.push("Host", "");
  if (url.startsWith("/")) return { method, host: host ?? "", target: url, headers };
  return absolute(method, url, host ?? "", headers);
}

/** Methods for which Node.js would announce a body where none is. */
const bodyExpected = new Set(["POST", "PUT", "PATCH"]);

/** An upgrade that has a body would leave it unclear where the other protocol begins. */
export const upgradeRefusal = (request: IncomingMessage): Refusal | undefined =>
  hasBody(request) ? { code: 400, message: "an upgrade must not have a body" } : undefined;

/** The form that clients of a proxy send: its host counts, whatever the header says. Source: RFC 9112, 3.2.2. */
function absolute(method: string, url: string, host: string, headers: Headers): Asked | Refusal {
  const parts = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(url);
  // "*", of OPTIONS.
  if (!parts) return { method, host, target: url, headers };
  const [, authority = "", rest = ""] = parts;
  if (authority === "" || authority.includes("@")) return { code: 400, message: "the request's target is malformed" };
  const replaced = headers.map((text, i) =>
    i % 2 === 1 && (headers[i - 1] as string).toLowerCase() === "host" ? authority : text,
  );
  return { method, host: authority, target: rest.startsWith("/") ? rest : `/${rest}`, headers: replaced };
}

function hosts(raw: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count;
}
