/**
 * The frames of SPDY/3.1, as far as port forwarding needs them: bytes to values and back. Header blocks stay compressed here
 * (`spdy-headers.ts`).
 *
 * Source: SPDY/3.1 draft, section 2 (framing layer).
 */

export type SpdyFrame =
  | { readonly type: "data"; readonly stream: number; readonly fin: boolean; readonly bytes: Buffer }
  | {
      readonly type: "syn-stream" | "syn-reply" | "headers";
      readonly stream: number;
      readonly fin: boolean;
      readonly block: Buffer;
    }
  | { readonly type: "rst-stream"; readonly stream: number; readonly status: number }
  | { readonly type: "window-update"; readonly stream: number; readonly delta: number }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "go-away"; readonly last: number; readonly status: number }
  | { readonly type: "settings" };

/** What the other side sent is no SPDY/3. */
export class SpdyError extends Error {
  override readonly name = "SpdyError";
}

const version = 3;
const types = {
  "syn-stream": 1,
  "syn-reply": 2,
  "rst-stream": 3,
  settings: 4,
  ping: 6,
  "go-away": 7,
  headers: 8,
  "window-update": 9,
} as const;
const headerBytes = 8;
const finFlag = 1;
const idMask = 0x7fffffff;
/** Of a SYN_STREAM: the streams' numbers, priority and slot stand before the headers. */
const synStreamFields = 10;
/** Longer ones are nobody's we know: clients copy in pieces of 32 KiB. */
const longest = { control: 1 << 16, data: 1 << 22 };

export const rstStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

/** Puts frames together from the pieces in which they arrive. */
export class SpdyReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Throws a SpdyError; then nothing more can be read. */
  *push(bytes: Buffer): Generator<SpdyFrame> {
    let all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    while (all.length >= headerBytes) {
      const length = all.readUIntBE(5, 3);
      const isControl = (all.readUInt8(0) & 0x80) !== 0;
      if (length > (isControl ? longest.control : longest.data)) throw new SpdyError(`a frame of ${length} bytes`);
      if (all.length < headerBytes + length) break;
      const frame = parse(all, isControl, all.subarray(headerBytes, headerBytes + length));
      all = all.subarray(headerBytes + length);
      if (frame) yield frame;
    }
    this.#rest = all;
  }
}

/** Undefined: a control frame of a type that may be skipped. */
function parse(head: Buffer, isControl: boolean, body: Buffer): SpdyFrame | undefined {
  const fin = (head.readUInt8(4) & finFlag) !== 0;
  if (!isControl) return { type: "data", stream: head.readUInt32BE(0) & idMask, fin, bytes: body };
  const spoken = head.readUInt16BE(0) & 0x7fff;
  if (spoken !== version) throw new SpdyError(`SPDY version ${spoken}`);
  const type = head.readUInt16BE(2);
  const number = (at: number) => {
    if (body.length < at + 4) throw new SpdyError(`a frame of type ${type} with ${body.length} bytes`);
    return body.readUInt32BE(at) & idMask;
  };
  switch (type) {
    case types["syn-stream"]:
      number(synStreamFields - 4);
      return { type: "syn-stream", stream: number(0), fin, block: body.subarray(synStreamFields) };
    case types["syn-reply"]:
      return { type: "syn-reply", stream: number(0), fin, block: body.subarray(4) };
    case types.headers:
      return { type: "headers", stream: number(0), fin, block: body.subarray(4) };
    case types["rst-stream"]:
      return { type: "rst-stream", stream: number(0), status: number(4) };
    case types["window-update"]:
      return { type: "window-update", stream: number(0), delta: number(4) };
    case types.ping:
      number(0);
      return { type: "ping", id: body.readUInt32BE(0) };
    case types["go-away"]:
      return { type: "go-away", last: number(0), status: number(4) };
    case types.settings:
      return { type: "settings" };
    default:
      return undefined;
  }
}

/** The frame on the wire. Settings have nothing to say and are not written. */
export function spdyBytes(frame: Exclude<SpdyFrame, { type: "settings" }>): Buffer {
  switch (frame.type) {
    case "data": {
      const head = Buffer.alloc(headerBytes);
      head.writeUInt32BE(frame.stream, 0);
      head.writeUIntBE(frame.bytes.length, 5, 3);
      head.writeUInt8(frame.fin ? finFlag : 0, 4);
      return Buffer.concat([head, frame.bytes]);
    }
    case "syn-stream":
      return control(frame.type, frame.fin, numbers(frame.stream, 0), Buffer.alloc(2), frame.block);
    case "syn-reply":
    case "headers":
      return control(frame.type, frame.fin, numbers(frame.stream), frame.block);
    case "rst-stream":
      return control(frame.type, false, numbers(frame.stream, frame.status));
    case "window-update":
      return control(frame.type, false, numbers(frame.stream, frame.delta));
    case "ping":
      return control(frame.type, false, numbers(frame.id));
    case "go-away":
      return control(frame.type, false, numbers(frame.last, frame.status));
  }
}

function control(type: keyof typeof types, fin: boolean, ...body: Buffer[]): Buffer {
  const head = Buffer.alloc(headerBytes);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(types[type], 2);
  head.writeUInt8(fin ? finFlag : 0, 4);
  head.writeUIntBE(
    body.reduce((sum, part) => sum + part.length, 0),
    5,
    3,
  );
  return Buffer.concat([head, ...body]);
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, index * 4);
  });
  return bytes;
}
