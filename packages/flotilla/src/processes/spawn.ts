/** How a process of a cluster is started: by which Node.js, with which flags. */

import { homedir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type ProcessName = "agent" | "control-plane" | "data-plane" | "telemetry";

/** The command line of a process, without what follows the state folder. */
export function commandOf(name: ProcessName, stateRoot: string): string[] {
  const file = fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url));
  const preload = fileURLToPath(new URL("./preload.cjs", import.meta.url));
  // A small young generation: these processes idle most of the time, and memory is what a laptop runs out of.
  return [process.execPath, "--max-semi-space-size=2", "--require", preload, file, stateRoot];
}

/** Compiled code is kept between runs; start-up takes half the time. */
export const compileCache = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "flotilla", "compile");
