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

/** All but those that belong to one connection, and those that Connection names. */
export function endToEnd(headers: readonly string[]): Headers {
  const named = headerOf(headers, "connection")?.toLowerCase();
  const own =
    named && named !== "keep-alive" && named !== "close"
      ? new Set(named.split(",").map((token) => token.trim()))
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

export interface Origin {
  /** The peer's address. */
  readonly client: string | undefined;
  /** A fresh one; a request that has one keeps it. */
  readonly id: () => string;
}

/** The request's headers as they go to an endpoint. Whoever asked through several proxies keeps proto and host of the first. */
export function forwarded(raw: readonly string[], { client, id }: Origin): Headers {
  const kept = endToEnd(raw);
  const before = headerOf(kept, "x-forwarded-for");
  const headers = without(kept, ["x-forwarded-for", "expect"]);
  const address = client?.startsWith("::ffff:") ? client.slice(7) : client;
  if (address) headers.push("X-Forwarded-For", before ? `${before}, ${address}` : address);
  if (headerOf(headers, "x-forwarded-proto") === undefined) headers.push("X-Forwarded-Proto", "http");
  const host = headerOf(raw, "host");
  if (host && headerOf(headers, "x-forwarded-host") === undefined) headers.push("X-Forwarded-Host", host);
  if (headerOf(headers, "x-request-id") === undefined) headers.push("X-Request-Id", id());
  return headers;
}
