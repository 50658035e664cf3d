/** Two clusters that start at the same moment find the same port free; whoever notes it first has it. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Milliseconds: by then its owner listens, and it is seen to be taken, or will not listen at all. */
const listensWithin = 60_000;

/** Whether `owner` has the port for now. `folder`: where all clusters of a user note theirs. `now`: ms since the epoch. */
export function claimPort(folder: string, port: number, owner: string, now: number): boolean {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `port-${port}`);
  try {
    writeFileSync(file, owner, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (readFileSync(file, "utf8") !== owner && statSync(file).mtimeMs > now - listensWithin) return false;
  writeFileSync(file, owner);
  return true;
}
