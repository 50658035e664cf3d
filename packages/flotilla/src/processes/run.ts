/** What every process of a cluster has in common: it gets a state folder, runs until it is told to stop, and says why it fails. */

import { flushCompileCache } from "node:module";
import { dirname } from "node:path";
import { systemClock } from "@flotilla/ambient";
import { type Cluster, readCluster } from "../cluster.ts";
import { type StateFolder, stateFolder } from "../state-folder.ts";

export interface Running {
  stop(): Promise<void>;
}

/** What a process is made from. `arguments`: what follows the state folder on its command line. */
export type Start = (given: {
  folder: StateFolder;
  cluster: Cluster;
  arguments: readonly string[];
  stop: () => void;
}) => Promise<Running>;

/** Milliseconds after which start-up is over, and what was compiled is kept for the next one, however this one ends. */
const startedUp = 3000;

export async function runUntilTold(name: string, start: Start): Promise<void> {
  const [state = "", ...rest] = process.argv.slice(2);
  const folder = stateFolder(dirname(state));
  const cluster = readCluster(folder);
  if (!cluster) {
    console.error(`${name}: ${folder.cluster} does not exist; this process is started by: flotilla up`);
    process.exit(2);
  }
  let running: Running | undefined;
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    try {
      await running?.stop();
      process.exit(0);
    } catch (error) {
      console.error(`${name}: could not stop cleanly:`, error);
      process.exit(1);
    }
  };
  process.on("SIGTERM", stop);
  // A full disk costs lines of the log, not the process that writes them.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  // Ctrl-C belongs to the command that started all this; it then asks us to stop, in the right order.
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  // One bad request or object must not take the rest down; what nobody foresaw is written down whole.
  process.on("unhandledRejection", (error) => console.error(`${name}: unhandled:`, error));
  try {
    running = await start({ folder, cluster, arguments: rest, stop });
    systemClock.after(startedUp, flushCompileCache, { background: true });
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    if (process.env.FLOTILLA_DEBUG) console.error(error);
    process.exit(1);
  }
}
