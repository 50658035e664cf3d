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
  return [process.execPath, "--max-semi-space-size=2", ...flagsOf(name), "--require", preload, file, stateRoot];
}

/** What is sent to it is anybody's: garbage is collected before there is much, and a flood ends in a restart, not in swapping. MiB. */
const flagsOf = (name: ProcessName): string[] =>
  name === "telemetry" ? ["--max-old-space-size=128", "--expose-gc"] : [];

/** Of its own, besides what it inherits. */
export const environmentOf = (name: ProcessName): Record<string, string> => ({
  NODE_COMPILE_CACHE: compileCache(),
  ...(name === "telemetry" && leanAllocation),
});

/**
 * What was freed goes back to the system: otherwise glibc learns to keep what is as large as blocks and requests are, which was seen
 * to double the memory after a flood. Elsewhere these mean nothing. Bytes. Source: mallopt(3).
 */
const leanAllocation = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "65536",
  MALLOC_TRIM_THRESHOLD_: "131072",
};

/** Compiled code is kept between runs; start-up takes half the time. */
export const compileCache = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "flotilla", "compile");
