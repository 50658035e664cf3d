/** Reads a request's body. */
import type { Readable } from "node:stream";

export class TooLargeError extends Error {}

/** As UTF-8. A `TooLargeError` beyond `most` bytes; what comes after is let pass unread. */
export async function readBody(stream: Readable, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > most) {
      stream.resume();
      throw new TooLargeError(`the request is larger than ${most} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
