/** A layer: entries as a tar whose bytes depend on nothing but the content: sorted, of root, from the beginning of time. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { pack } from "tar-stream";
import type { SourceEntry } from "./source-files.ts";

export interface Layer {
  /** "sha256:..." of the tar, which is not compressed: its digest is its diff id, too. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

const beginning = new Date(0);

/** Writes the entries below `prefix` ("app") to `file`. The folders that lead there are written, too. */
export async function writeLayer(entries: readonly SourceEntry[], prefix: string, file: string): Promise<Layer> {
  const tar = pack();
  const hash = createHash("sha256");
  const out = createWriteStream(file);
  let size = 0;
  tar.on("data", (data: unknown) => {
    const chunk = data as Buffer;
    hash.update(chunk);
    size += chunk.length;
  });
  tar.pipe(out);
  const add = async (entry: SourceEntry, name: string) => {
    if (entry.type === "folder") tar.entry({ name: `${name}/`, type: "directory", mode: 0o755, mtime: beginning });
    else if (entry.type === "link") tar.entry({ name, type: "symlink", linkname: entry.target, mtime: beginning });
    else {
      const into = tar.entry({ name, size: entry.size, mode: entry.executable ? 0o755 : 0o644, mtime: beginning });
      for await (const chunk of createReadStream(entry.file)) if (!into.write(chunk)) await once(into, "drain");
      into.end(Buffer.alloc(0));
      await finished(into);
    }
  };
  const folders = prefix.split("/");
  for (let depth = 1; depth <= folders.length; depth++)
    await add({ path: "", type: "folder" }, folders.slice(0, depth).join("/"));
  for (const entry of entries) await add(entry, `${prefix}/${entry.path}`);
  tar.finalize();
  await finished(out);
  return { digest: `sha256:${hash.digest("hex")}`, size };
}
