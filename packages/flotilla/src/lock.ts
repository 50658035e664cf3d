/**
 * Which process runs a cluster. A process is named by id and start time, so that a reused id is never taken for it: what a
 * killed agent left behind is stale by itself.
 */

import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

export interface Holder {
  readonly pid: number;
  /** When the process started, in the system's own words. */
  readonly started: string;
}

/** When a living process started; undefined when there is none of that id. */
export function startTime(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // Fields after the command, which may hold spaces and parentheses: state is the first, start time the twentieth.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") return undefined;
      return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${fields[19]}`;
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The living holder, or undefined: nobody, or one that died without saying so. */
export function holderOf(file: string): Holder | undefined {
  try {
    const holder: Holder = JSON.parse(readFileSync(file, "utf8"));
    return startTime(holder.pid) === holder.started ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the lock for this process; false when another living process has it. Release it by `unlock`. */
export function lock(file: string): boolean {
  for (let attempt = 0; attempt < 5; attempt++) {
    const own = `${file}.${process.pid}`;
    try {
      writeFileSync(file, JSON.stringify({ pid: process.pid, started: startTime(process.pid) }), { flag: "wx" });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = holderOf(file);
    if (holder) return holder.pid === process.pid;
    try {
      // Of two that find the same stale lock, only one can move it away; what was made since is put back.
      renameSync(file, own);
      if (holderOf(own)) renameSync(own, file);
      else rmSync(own, { force: true });
    } catch {
      // The other one did.
    }
  }
  return false;
}

export function unlock(file: string): void {
  if (holderOf(file)?.pid === process.pid) rmSync(file, { force: true });
}
