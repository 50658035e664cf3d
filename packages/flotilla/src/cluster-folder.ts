/** From the folder a command is given to the cluster that runs there. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { type Cluster, readCluster } from "./cluster.ts";
import { CommandError } from "./errors.ts";
import { holderOf } from "./lock.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

/** As package app finds them; loading it takes longer than most commands. */
const appFiles = ["flotilla.ts", "flotilla.js", "flotilla.mjs", "flotilla.yaml", "flotilla.yml", "flotilla.json"];

/**
 * The nearest folder, upwards from `place`, that has an application or the state of one: commands work anywhere in it. The
 * application's file may be named as well.
 */
export function applicationFolder(place: string): string {
  const path = resolve(place);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new CommandError(`There is no folder ${path}; name the folder of an app.`);
  if (found.isFile() && !appFiles.includes(basename(path)))
    throw new CommandError(`${path} is a file; name the folder of an app.`);
  for (let folder = found.isFile() ? dirname(path) : path; ; folder = dirname(folder)) {
    if ([...appFiles, ".flotilla"].some((mark) => existsSync(join(folder, mark)))) return folder;
    if (folder === dirname(folder))
      throw new CommandError(
        `There is no app in ${path}, nor above it: no flotilla.ts or flotilla.yaml. Make one, or name the folder that has one.`,
      );
  }
}

/** A folder as the user would type it after a command, with the space before it; "" for the current one. */
export const asArgument = (folder: string, option = ""): string => {
  const path = relative(process.cwd(), folder);
  return path && ` ${option}${path}`;
};

/** The running cluster of a folder, or an error that says how to start it. */
export function runningCluster(dir: string): { folder: StateFolder; cluster: Cluster } {
  const app = applicationFolder(dir);
  const folder = stateFolder(app);
  const cluster = readCluster(folder);
  if (!cluster || !holderOf(folder.agent))
    throw new CommandError(`Nothing runs in ${app}. Start it with: flotilla up${asArgument(app)}`);
  return { folder, cluster };
}
