/** The files of a folder, in an order that does not depend on the file system. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { ignoring } from "./ignore.ts";

export type SourceEntry =
  | { readonly path: string; readonly type: "folder" }
  | {
      readonly path: string;
      readonly type: "file";
      readonly file: string;
      readonly size: number;
      readonly executable: boolean;
    }
  | { readonly path: string; readonly type: "link"; readonly target: string };

type Leaves = (path: string, isFolder: boolean) => boolean;

/** Every entry below `folder` that `leaves` does not leave out; folders come before what is in them. */
export function entriesOf(folder: string, leaves: Leaves = () => false): SourceEntry[] {
  const entries: SourceEntry[] = [];
  const visit = (inside: string) => {
    const names = readdirSync(join(folder, inside)).sort();
    for (const name of names) {
      const path = inside ? `${inside}/${name}` : name;
      const file = join(folder, path);
      const stat = lstatSync(file);
      if (leaves(path, stat.isDirectory())) continue;
      if (stat.isDirectory()) {
        entries.push({ path, type: "folder" });
        visit(path);
      } else if (stat.isSymbolicLink()) entries.push({ path, type: "link", target: readlinkSync(file) });
      else if (stat.isFile())
        entries.push({ path, type: "file", file, size: stat.size, executable: (stat.mode & 0o111) !== 0 });
      // Sockets, pipes and devices are no part of a program.
    }
  };
  visit("");
  return entries;
}

const optional = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

/** What of a source folder goes into its image. */
export const sourceEntries = (folder: string): SourceEntry[] =>
  entriesOf(
    folder,
    ignoring({
      dockerignore: optional(join(folder, ".dockerignore")),
      gitignore: optional(join(folder, ".gitignore")),
    }),
  );
