// flotilla down: ends the agent, which ends everything else in the right order. State stays.
import { applicationFolder } from "../cluster-folder.ts";
import { holderOf } from "../lock.ts";
import { stateFolder } from "../state-folder.ts";
import { stopAgent } from "../stop-agent.ts";

export async function down(dir: string): Promise<void> {
  const place = applicationFolder(dir);
  const folder = stateFolder(place);
  const holder = holderOf(folder.agent);
  if (!holder) {
    console.log(`Nothing runs in ${place}.`);
    return;
  }
  await stopAgent(holder.pid);
  console.log(stopped);
}

export const stopped =
  "Stopped. State is kept in .flotilla/; `flotilla up` goes on from there, `flotilla up --reset` starts anew.";
