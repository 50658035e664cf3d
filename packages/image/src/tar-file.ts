/** Writes tars: what goes wrong at either end rejects, and nothing is left waiting for the other. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Transform } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";

/** `fill` puts the entries in; `through` sees every byte on its way to the file. */
export async function writeTar(
  file: string,
  fill: (tar: Pack) => void | Promise<void>,
  through: readonly Transform[] = [],
): Promise<void> {
  const tar = pack();
  // A broken entry breaks the tar, which the pipeline sees to; the entry's own writer rejects as well.
  const written = pipeline([tar, ...through, createWriteStream(file)]);
  const filled = (async () => {
    try {
      await fill(tar);
      tar.finalize();
    } catch (error) {
      tar.destroy(error as Error);
      throw error;
    }
  })();
  // Whichever fails first says why. A file that cannot be written would keep the filling waiting for ever.
  await Promise.all([written, filled]);
}

/** An entry whose content comes in pieces, `header.size` bytes in all; rejects when it is more or less. */
export async function putStream(
  tar: Pack,
  header: Parameters<Pack["entry"]>[0] & { size: number },
  from: AsyncIterable<unknown>,
): Promise<void> {
  const into = tar.entry(header);
  const broken = new Promise<never>((_, reject) => into.once("error", reject));
  // It may break at any time, also while nobody waits.
  broken.catch(() => undefined);
  let left = header.size;
  for await (const chunk of from) {
    left -= (chunk as Buffer).length;
    if (left < 0) break;
    if (!into.write(chunk as Buffer)) await Promise.race([once(into, "drain"), broken]);
  }
  if (left !== 0) throw new Error(`${header.name} changed while it was being packed; try again`);
  into.end(Buffer.alloc(0));
  await finished(into);
}
