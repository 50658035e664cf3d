/** Tells of every change of a file below a folder, but not of what tools write there. */
import { sep } from "node:path";
import { watch } from "chokidar";

const ignored = new Set(["node_modules", ".git", ".flotilla", "__pycache__", ".venv"]);

export function watchFolder(folder: string, changed: (path: string) => void): () => Promise<void> {
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (path) =>
      path
        .slice(folder.length)
        .split(sep)
        .some((name) => ignored.has(name)),
  });
  watcher.on("all", (_event, path) => changed(path));
  // A folder that cannot be watched (too many files, gone) leaves the running application as it is.
  watcher.on("error", (error) =>
    console.error(`Edits are not seen any more: ${error instanceof Error ? error.message : error}`),
  );
  return () => watcher.close();
}
