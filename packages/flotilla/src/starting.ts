/** One command at a time decides whether a cluster runs already and starts it: two would give it two sets of ports and tokens. */
import { existsSync, mkdirSync } from "node:fs";
import { type Clock, sleep } from "@flotilla/ambient";
import { CommandError } from "./errors.ts";
import { holderOf, lock, unlock } from "./lock.ts";
import type { StateFolder } from "./state-folder.ts";

const look = 20;
/** Milliseconds that another command may take to start an agent, and an agent to say that it runs. */
const most = 15_000;

/** Waits until no other command is about to start it. From then on it is our turn, until `turnOver`. */
export async function ourTurn(folder: StateFolder, clock: Clock): Promise<void> {
  // Not recursive: of a read-only file system that says that there is no such folder.
  if (!existsSync(folder.root)) mkdirSync(folder.root);
  process.once("exit", () => turnOver(folder));
  for (let waited = 0; !lock(folder.starting); waited += look) {
    const other = holderOf(folder.starting);
    if (waited > most && other)
      throw new CommandError(
        `Process ${other.pid} has been starting it for ${waited / 1000} s; end that one, or wait.`,
      );
    await sleep(clock, look);
  }
}

export const turnOver = (folder: StateFolder): void => unlock(folder.starting);

/** Resolves when the agent has said that it runs, or `ended`. */
export async function announced(folder: StateFolder, pid: number, ended: AbortSignal, clock: Clock): Promise<void> {
  for (let waited = 0; waited < most && !ended.aborted && holderOf(folder.agent)?.pid !== pid; waited += look)
    await sleep(clock, look, ended).catch(() => {});
}
