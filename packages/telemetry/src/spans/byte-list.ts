/** Runs of bytes, one after the other, as one buffer: their number, their lengths, themselves. */
import { decodeIntegers, encodeIntegers } from "./planes.ts";

export function encodeList(items: readonly Uint8Array[]): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(items.length);
  return Buffer.concat([count, encodeIntegers(Uint32Array.from(items, ({ length }) => length)), ...items]);
}

/** The runs are parts of `bytes`. */
export function decodeList(bytes: Buffer): Buffer[] {
  const count = bytes.readUInt32LE(0);
  let at = 4 + count * 4;
  return Array.from(decodeIntegers(bytes, 4, count), (length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
}
