/** Header lists as they pass a proxy: flat arrays of names and values, as Node.js reads and writes them. Pure. */

/** Source: RFC 9110, 7.6.1; Expect and Host are handled apart. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
]);

export type Headers = string[];

export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2)
    if ((headers[i] as string).toLowerCase() === name) return headers[i + 1] as string;
  return undefined;
}

/** What Connection cannot take away: without it, a request would be another one at the endpoint, or of another length. */
const lasting = new Set(["host", "content-length", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]);

/** All but those that belong to one connection, and those that Connection names. */
export function endToEnd(headers: readonly string[]): Headers {
  const named = headerOf(headers, "connection")?.toLowerCase();
  const own =
    named && named !== "keep-alive" && named !== "close"
      ? new Set(named.split(",").map((token) => token.trim())).difference(lasting)
      : undefined;
  const kept: Headers = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (!hopByHop.has(name) && !own?.has(name)) kept.push(headers[i] as string, headers[i + 1] as string);
  }
  return kept;
}

export function without(headers: Headers, names: readonly string[]): Headers {
  const gone = new Set(names.map((name) => name.toLowerCase()));
  const kept: Headers = [];
  for (let i = 0; i < headers.length; i += 2)
    if (!gone.has((headers[i] as string).toLowerCase())) kept.push(headers[i] as string, headers[i + 1] as string);
  return kept;
}

/** Source: RFC 9110, 6.5.1: not for framing, routing, or deciding who asks; these would be believed by whoever merges them. */
const neverTrailers = new Set([
  ...hopByHop,
  ...lasting,
  "trailer",
  "authorization",
  "cookie",
  "set-cookie",
  "x-request-id",
]);

/** As Node.js wants them. */
export function trailers(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (!neverTrailers.has(name.toLowerCase())) pairs.push([name, raw[i + 1] as string]);
  }
  return pairs;
}

export interface Origin {
  /** The peer's address. */
  readonly client: string | undefined;
  /** A fresh one; a request that has one keeps it. */
  readonly id: () => string;
  /** What goes on of W3C trace context, whatever came. */
  readonly trace?: readonly string[];
}

/**
 * The request's headers as they go to an endpoint. Each proxy adds its peer to X-Forwarded-For. Proto and host are those of the
 * first proxy if the peer is of this machine, else what is seen here: whoever is far away says what he likes.
 */
export function forwarded(raw: readonly string[], { client, id, trace = [] }: Origin): Headers {
  const headers: Headers = [];
  const local = client !== undefined && isLoopback(client);
  const before: string[] = [];
  let proto = "http";
  let first: string | undefined;
  let requestId: string | undefined;
  for (let i = 0, kept = endToEnd(raw); i < kept.length; i += 2) {
    const name = kept[i] as string;
    const value = kept[i + 1] as string;
    switch (name.toLowerCase()) {
      case "expect":
      case "traceparent":
      case "tracestate":
        break;
      case "x-forwarded-for":
        before.push(value);
        break;
      case "x-forwarded-proto":
        if (local) proto = value;
        break;
      case "x-forwarded-host":
        if (local) first = value;
        break;
      case "host":
        first ??= value;
        headers.push(name, value);
        break;
      case "x-request-id":
        requestId = value;
        break;
      default:
        headers.push(name, value);
    }
  }
  if (client !== undefined) before.push(client.startsWith("::ffff:") ? client.slice(7) : client);
  if (before.length > 0) headers.push("X-Forwarded-For", before.join(", "));
  headers.push("X-Forwarded-Proto", proto);
  if (first) headers.push("X-Forwarded-Host", first);
  headers.push("X-Request-Id", requestId ?? id(), ...trace);
  return headers;
}

const isLoopback = (address: string): boolean => /^(?:::ffff:)?127\.|^::1$/.test(address);
