/**
 * Arrays for the points of many series, side by side in large pieces: thousands of arrays of some KB each, allocated and freed one by
 * one, leave holes that the C library gives back to nobody.
 */

/** Of a piece. Such a large one goes back to the system once nothing refers to it. */
const pieceBytes = 512 * 1024;

let floatPiece = new Float64Array(0);
let floatsUsed = 0;
let bytePiece = new Uint8Array(0);
let bytesUsed = 0;

/** All 0. */
export function floats(count: number): Float64Array {
  const most = pieceBytes / Float64Array.BYTES_PER_ELEMENT;
  if (count > most / 4) return new Float64Array(count);
  if (floatsUsed + count > floatPiece.length) {
    floatPiece = new Float64Array(most);
    floatsUsed = 0;
  }
  floatsUsed += count;
  return floatPiece.subarray(floatsUsed - count, floatsUsed);
}

/** All 0. */
export function bytes(count: number): Uint8Array {
  if (count > pieceBytes / 4) return new Uint8Array(count);
  if (bytesUsed + count > bytePiece.length) {
    bytePiece = new Uint8Array(pieceBytes);
    bytesUsed = 0;
  }
  bytesUsed += count;
  return bytePiece.subarray(bytesUsed - count, bytesUsed);
}
