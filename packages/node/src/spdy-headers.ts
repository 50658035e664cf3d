/**
 * Headers of SPDY streams: pairs of names and values, compressed by one zlib stream in each direction that lasts as long as the
 * connection. So blocks must pass through in the order in which they are sent.
 *
 * Source: SPDY/3.1 draft, section 2.6.10 (name/value header block), with the dictionary it gives.
 */
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { SpdyError } from "./spdy-frames.ts";

const words =
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
  "authorization cache-control connection content-base content-encoding content-language content-length content-location " +
  "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match " +
  "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range " +
  "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get";
const pairs = ["status", "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"];
const rest =
  "1001012012022052063003023033043053063074024054064074084094104114124134144154164175025045" +
  "05203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden" +
  "404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept " +
  "Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif," +
  "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8" +
  "charset=iso-8859-1,utf-,*,enq=0.";

/** Each word after its length, and texts that often occur. */
export const spdyDictionary: Buffer = Buffer.concat([
  ...[...words.split(" "), ...pairs].flatMap((word) => [lengthOf(word), Buffer.from(word)]),
  Buffer.from(rest),
]);

/** A block of a few bytes may stand for many. */
const mostBytes = 1 << 18;

function lengthOf(text: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Buffer.byteLength(text));
  return bytes;
}

export interface HeaderCodec {
  /** One block at a time. Names are in lower case. Rejects with a SpdyError. */
  read(block: Buffer): Promise<ReadonlyMap<string, string>>;
  write(headers: ReadonlyMap<string, string>): Promise<Buffer>;
  close(): void;
}

export function headerCodec(): HeaderCodec {
  const inflate = createInflate({ dictionary: spdyDictionary, flush: constants.Z_SYNC_FLUSH });
  const deflate = createDeflate({ dictionary: spdyDictionary, flush: constants.Z_SYNC_FLUSH });
  return {
    read: async (block) => parse(await through(inflate, block)),
    write: (headers) =>
      through(
        deflate,
        Buffer.concat([
          numberOf(headers.size),
          ...[...headers].flatMap(([name, value]) => [
            lengthOf(name),
            Buffer.from(name),
            lengthOf(value),
            Buffer.from(value),
          ]),
        ]),
      ),
    close() {
      inflate.destroy();
      deflate.destroy();
    },
  };
}

function numberOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function through(stream: Inflate | Deflate, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const failed = (error: Error) => done(() => reject(new SpdyError(`headers: ${error.message}`)));
    const hear = (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (length > mostBytes) failed(new Error(`more than ${mostBytes} bytes`));
    };
    const done = (settle: () => void) => {
      stream.off("data", hear);
      stream.off("error", failed);
      settle();
    };
    stream.on("data", hear);
    stream.on("error", failed);
    stream.write(bytes, (error) => {
      if (!error) done(() => resolve(Buffer.concat(pieces)));
    });
  });
}

function parse(bytes: Buffer): ReadonlyMap<string, string> {
  let at = 0;
  const number = () => {
    if (at + 4 > bytes.length) throw new SpdyError("headers end early");
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  const text = () => {
    const length = number();
    if (at + length > bytes.length) throw new SpdyError("headers end early");
    at += length;
    return bytes.toString("utf8", at - length, at);
  };
  const headers = new Map<string, string>();
  for (let count = number(); count > 0; count--) {
    const name = text();
    headers.set(name, text());
  }
  return headers;
}
