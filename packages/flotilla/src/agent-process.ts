/** Starts the agent of a cluster, and tells why it ends. */
import { spawn } from "node:child_process";
import { openSync, readFileSync, renameSync, statSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { commandOf, compileCache } from "./processes/spawn.ts";
import type { StateFolder } from "./state-folder.ts";

export interface AgentProcess {
  readonly pid: number;
  /** Resolves with the reason when it ends by itself; undefined: somebody asked it to. */
  readonly died: Promise<string | undefined>;
  /** Lets this process end while the agent goes on. */
  release(): void;
}

/** Bytes of agent.log from which the next start begins a new one, and keeps this one as agent.log.1. */
const largestLog = 2 ** 20;

/**
 * The agent gets a session of its own, so that Ctrl-C reaches this command only, which then stops it in order. Attached, it
 * holds a pipe of ours: when this process is killed, the pipe ends and the agent stops.
 */
export function startAgent(folder: StateFolder, sync: string, detached: boolean): AgentProcess {
  // Half of what the agent loads is what this command has loaded: the first start compiles it once.
  flushCompileCache();
  // The last runs' words are kept as far as somebody may still read them.
  if ((statSync(folder.log, { throwIfNoEntry: false })?.size ?? 0) > largestLog)
    renameSync(folder.log, `${folder.log}.1`);
  const log = openSync(folder.log, "a");
  const [command = "", ...args] = commandOf("agent", folder.root);
  const child = spawn(command, [...args, sync, ...(detached ? [] : ["attached"])], {
    detached: true,
    stdio: [detached ? "ignore" : "pipe", log, log],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache() },
  });
  const died = new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) =>
      resolve(code === 0 ? undefined : `${signal ?? `exit code ${code}`}${lastLines(folder.log)}`),
    );
  });
  return { pid: child.pid as number, died, release: () => child.unref() };
}

function lastLines(file: string): string {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean).slice(-5);
  return lines.length > 0 ? `\n${lines.map((line) => `  ${line}`).join("\n")}` : "";
}
