/** Sends an answer, compressed if the client takes that, no faster than it reads. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { createGzip } from "node:zlib";
import type { Answer } from "./answer.ts";

/** Characters; smaller pieces are put together. */
const pieceSize = 65_536;

export async function send(message: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const pieces = joined(answer.body);
  const first = pieces.next();
  const second = first.done ? first : pieces.next();
  response.statusCode = answer.status;
  response.setHeader("Content-Type", answer.contentType);
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (second.done) {
    response.end(message.method === "HEAD" ? undefined : (first.value ?? ""));
    return;
  }
  const isZipped = /\bgzip\b/.test(String(message.headers["accept-encoding"] ?? ""));
  if (isZipped) response.setHeader("Content-Encoding", "gzip");
  const target: Writable = isZipped ? createGzip({ level: 1 }) : response;
  if (isZipped) (target as ReturnType<typeof createGzip>).pipe(response);
  const closed = once(response, "close");
  const write = async (piece: string): Promise<void> => {
    if (response.destroyed) return;
    // A client that goes away reads no more, and nothing would drain.
    if (!target.write(piece)) await Promise.race([once(target, "drain"), closed]);
  };
  await write(first.value ?? "");
  await write(second.value ?? "");
  for (let next = pieces.next(); !next.done && !response.destroyed; next = pieces.next()) await write(next.value);
  target.end();
}

function* joined(body: Iterable<string>): Generator<string, undefined> {
  let piece = "";
  for (const text of body) {
    piece += text;
    if (piece.length < pieceSize) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
