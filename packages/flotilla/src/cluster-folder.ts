/** From the folder a command is given to the cluster that runs there. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Cluster, readCluster } from "./cluster.ts";
import { CommandError } from "./errors.ts";
import { holderOf } from "./lock.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

/** The nearest folder, upwards from `dir`, that has an application or the state of one; `dir` itself if there is none. */
export function applicationFolder(dir: string): string {
  const marks = ["flotilla.ts", "flotilla.js", "flotilla.yaml", "flotilla.yml", ".flotilla"];
  for (let folder = resolve(dir); ; folder = dirname(folder)) {
    if (marks.some((mark) => existsSync(join(folder, mark)))) return folder;
    if (folder === dirname(folder)) return resolve(dir);
  }
}

/** The running cluster of a folder, or an error that says how to start it. */
export function runningCluster(dir: string): { folder: StateFolder; cluster: Cluster } {
  const app = applicationFolder(dir);
  const folder = stateFolder(app);
  const cluster = readCluster(folder);
  if (!cluster || !holderOf(folder.agent))
    throw new CommandError(
      `Nothing runs in ${app}. Start it with: flotilla up ${app === process.cwd() ? "" : app}`.trimEnd(),
    );
  return { folder, cluster };
}
