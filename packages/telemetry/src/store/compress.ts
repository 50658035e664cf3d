/** zstd, with buffers of the right size from the start. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** `level`: zstd's; 1 is the fastest. */
export const compress = (bytes: Uint8Array, level: number): Buffer =>
  zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: bytes.length,
    chunkSize: Math.max(64, bytes.length + (bytes.length >> 8) + 64),
  });

/** `length`: of the result. */
export const decompress = (bytes: Uint8Array, length: number): Buffer =>
  zstdDecompressSync(bytes, { chunkSize: Math.max(64, length + 1), maxOutputLength: length + 1 });
