/** Processes that a benchmark starts, in groups of their own, so that none is left over. */
import { type ChildProcess, spawn } from "node:child_process";
import { pause } from "./measure.ts";

export interface Child {
  readonly pid: number;
  /** Ends it, and what it started. */
  end(): Promise<void>;
}

/** Starts a program; its last words are shown when it ends by itself. */
export function start(command: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-2000);
  });
  let ending = false;
  const over = ended(child).then((why) => {
    if (!ending) console.error(`${file} ended (${why}): ${said}`);
  });
  return {
    pid: child.pid ?? -1,
    async end() {
      ending = true;
      signal(child, "SIGTERM");
      await Promise.race([over, pause(5000)]);
      signal(child, "SIGKILL");
      await over;
    },
  };
}

/** Runs a program to its end; rejects with what it said when its exit code is not 0. */
export async function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
  const why = await ended(child);
  if (child.exitCode !== 0) throw new Error(`${command.join(" ")}: ${why}\n${said}`);
  return said;
}

const ended = (child: ChildProcess) =>
  new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, name) => resolve(name ?? `exit code ${code}`));
  });

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name);
  } catch (error) {
    // Its group is gone already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
