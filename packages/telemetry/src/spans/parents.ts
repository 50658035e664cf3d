/**
 * Parents of spans in a block. A span's parent is nearly always near it, since spans of a trace lie together: then the distance
 * is kept, instead of 8 bytes that do not compress.
 *
 * By row: 0 none; 1 as it is (in a list of its own); 2k the row k before, 2k + 1 the row k after.
 */
import type { SpanIds } from "./span-rows.ts";

/** Rows on either side in which a parent is looked for. */
const reach = 64;

interface Encoded {
  readonly codes: Uint8Array;
  /** 8 bytes for each parent that is not near. */
  readonly far: Uint32Array;
}

export function encodeParents({ low, high, parentLow, parentHigh }: SpanIds): Encoded {
  const { length } = low;
  const codes = new Uint8Array(length);
  const far: number[] = [];
  for (let row = 0; row < length; row++) {
    const [parentA, parentB] = [parentLow[row] as number, parentHigh[row] as number];
    if (parentA === 0 && parentB === 0) continue;
    const code = codeOf(low, high, row, parentA, parentB);
    codes[row] = code;
    if (code === 1) far.push(parentA, parentB);
  }
  return { codes, far: Uint32Array.from(far) };
}

function codeOf(low: Uint32Array, high: Uint32Array, row: number, parentA: number, parentB: number): number {
  const first = Math.max(0, row - reach + 1);
  for (let at = row - 1; at >= first; at--) if (low[at] === parentA && high[at] === parentB) return (row - at) * 2;
  const last = Math.min(low.length - 1, row + reach - 1);
  for (let at = row + 1; at <= last; at++) if (low[at] === parentA && high[at] === parentB) return (at - row) * 2 + 1;
  return 1;
}

export function decodeParents(low: Uint32Array, high: Uint32Array, { codes, far }: Encoded): SpanIds {
  const parentLow = new Uint32Array(low.length);
  const parentHigh = new Uint32Array(low.length);
  let next = 0;
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number;
    if (code === 0) continue;
    if (code === 1) {
      parentLow[row] = far[next++] as number;
      parentHigh[row] = far[next++] as number;
      continue;
    }
    const from = code & 1 ? row + (code >> 1) : row - (code >> 1);
    parentLow[row] = low[from] as number;
    parentHigh[row] = high[from] as number;
  }
  return { low, high, parentLow, parentHigh };
}
