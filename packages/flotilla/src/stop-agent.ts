/** Ends the agent of a cluster, which ends everything else in the right order. */
import { sleep, systemClock } from "@flotilla/ambient";
import { CommandError } from "./errors.ts";
import { startTime } from "./lock.ts";

/** Asks the agent to stop and waits until it has; after 40 s, kills it, and the kernel ends its children with it. */
export async function stopAgent(pid: number): Promise<void> {
  const started = startTime(pid);
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPERM") throw new CommandError(`Process ${pid} belongs to another user; stop it as that user.`);
      if (code !== "ESRCH") throw error;
    }
  };
  const gone = async (seconds: number) => {
    const end = systemClock.now() + seconds * 1000;
    while (systemClock.now() < end) {
      if (startTime(pid) !== started) return true;
      await sleep(systemClock, 20);
    }
    return false;
  };
  signal("SIGTERM");
  if (await gone(40)) return;
  signal("SIGKILL");
  if (!(await gone(5))) throw new CommandError(`Process ${pid} does not end; see \`ps -p ${pid}\`.`);
}
