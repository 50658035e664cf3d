/** A layer: entries as a tar whose bytes depend on nothing but the content: sorted, of root, from the beginning of time. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Transform } from "node:stream";
import type { SourceEntry } from "./source-files.ts";
import { putStream, writeTar } from "./tar-file.ts";

export interface Layer {
  /** "sha256:..." of the tar, which is not compressed: its digest is its diff id, too. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

const beginning = new Date(0);

/** Bytes. Smaller files are read at once: one that is edited meanwhile has the size that was read. */
const large = 2 ** 20;

/** Writes the entries below `prefix` ("app") to `file`. The folders that lead there are written, too. */
export async function writeLayer(entries: readonly SourceEntry[], prefix: string, file: string): Promise<Layer> {
  const hash = createHash("sha256");
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const folders = prefix.split("/").map((_, depth, parts) => parts.slice(0, depth + 1).join("/"));
  await writeTar(
    file,
    async (tar) => {
      const folder = (name: string) =>
        tar.entry({ name: `${name}/`, type: "directory", mode: 0o755, mtime: beginning });
      folders.forEach(folder);
      for (const entry of entries) {
        const name = `${prefix}/${entry.path}`;
        if (entry.type === "folder") folder(name);
        else if (entry.type === "link") tar.entry({ name, type: "symlink", linkname: entry.target, mtime: beginning });
        else {
          const header = { name, mode: entry.executable ? 0o755 : 0o644, mtime: beginning };
          if (entry.size < large) tar.entry(header, await readFile(entry.file));
          else await putStream(tar, { ...header, size: entry.size }, createReadStream(entry.file));
        }
      }
    },
    [measure],
  );
  return { digest: `sha256:${hash.digest("hex")}`, size };
}
