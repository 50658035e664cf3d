/** Writes answers: encodes, compresses what is large, and carries warnings. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { internalError, type Status, StatusError } from "@flotilla/objects";
import type { Exchange, Serving } from "./serving.ts";

// Source: apiserver pkg/endpoints/handlers/responsewriters (defaultGzipThresholdBytes, level 1).
const gzipThreshold = 128 * 1024;
const compress = promisify(gzip);

export async function answer(
  exchange: Exchange,
  code: number,
  value: unknown,
  encoding: "json" | "yaml" = "json",
): Promise<void> {
  if (encoding === "yaml") {
    const { stringify } = await import("yaml");
    return send(exchange, code, stringify(value, { aliasDuplicateObjects: false }), "application/yaml");
  }
  const text = isPretty(exchange) ? `${JSON.stringify(value, undefined, 2)}\n` : `${JSON.stringify(value)}\n`;
  return send(exchange, code, text, "application/json");
}

export async function send(exchange: Exchange, code: number, body: string, contentType: string): Promise<void> {
  const { request, response } = exchange;
  if (response.headersSent || response.destroyed) return;
  let bytes: Uint8Array = Buffer.from(body);
  response.setHeader("Content-Type", contentType);
  if (bytes.length > gzipThreshold && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))) {
    bytes = await compress(bytes, { level: 1 });
    response.setHeader("Content-Encoding", "gzip");
    response.setHeader("Vary", "Accept-Encoding");
  }
  writeWarnings(exchange);
  response.writeHead(code, { "Content-Length": bytes.length });
  response.end(bytes);
}

/** A document that changes rarely: clients keep it by its ETag and are told 304 while it is the same. */
export async function sendKept(exchange: Exchange, document: KeptDocument, contentType: string): Promise<void> {
  const { request, response } = exchange;
  response.setHeader("ETag", document.etag);
  response.setHeader("Vary", "Accept");
  const known = String(request.headers["if-none-match"] ?? "");
  if (known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === document.etag)) {
    response.writeHead(304).end();
    return;
  }
  await send(exchange, 200, document.text, contentType);
}

export interface KeptDocument {
  readonly text: string;
  /** Quoted, as in the header. */
  readonly etag: string;
}

export function keptDocument(value: unknown): KeptDocument {
  const text = JSON.stringify(value);
  return { text, etag: `"${createHash("sha256").update(text).digest("hex").slice(0, 32).toUpperCase()}"` };
}

/** Every error is a Status; what is not one is logged and told without its insides. */
export function statusOf(error: unknown, serving: Serving, what: string): Status {
  if (error instanceof StatusError) return error.status;
  serving.log(`${what}: unexpected error`, error);
  return internalError("the server has logged what went wrong").status;
}

export async function answerError(exchange: Exchange, error: unknown, serving: Serving): Promise<void> {
  const { request, response } = exchange;
  const status = statusOf(error, serving, `${request.method} ${exchange.path}`);
  if (response.headersSent) {
    // Half an answer cannot be taken back; the client must see that it is not whole.
    response.destroy();
    return;
  }
  const seconds = status.details?.retryAfterSeconds;
  if (seconds) response.setHeader("Retry-After", String(seconds));
  if (!request.complete) response.setHeader("Connection", "close");
  await answer(exchange, status.code ?? 500, status);
}

/** Sets the Warning headers. Source: RFC 7234 section 5.5; apiserver pkg/warning. */
export function writeWarnings({ response, warnings }: Exchange): void {
  if (warnings.size === 0) return;
  const values = [...warnings].map((text) => `299 - "${printable(text).replace(/["\\]/g, "\\$&")}"`);
  response.setHeader("Warning", values);
}

const printable = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (character) => (/\s/.test(character) ? " " : "?")).slice(0, 1024);

function isPretty({ query, request }: Exchange): boolean {
  const asked = query.get("pretty");
  if (asked !== null) return asked === "" || asked === "1" || asked === "true";
  return /^(curl|Wget|Mozilla)\b/.test(request.headers["user-agent"] ?? "");
}
