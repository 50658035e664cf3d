/** A stream of JSON values, one a line, parsed as they arrive. */

/** Lines may be cut anywhere, also within a character, and may be of any length. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  // The pieces of a line are joined once, when its end is there.
  let pieces: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      pieces.push(chunk.subarray(start, end));
      start = end + 1;
      const line = textOf(pieces);
      pieces = [];
      if (line.trim() !== "") yield JSON.parse(line);
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
  const rest = textOf(pieces);
  if (rest.trim() !== "") yield JSON.parse(rest);
}

const newline = 10;
const textOf = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString("utf8");
