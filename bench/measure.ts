/** Time, memory and processor use of processes of this machine, read from /proc. Linux only. */
import { readdirSync, readFileSync } from "node:fs";
import { sleep, systemClock } from "@flotilla/ambient";

export const pause = (ms: number): Promise<void> => sleep(systemClock, ms);

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 ? middle : middle - 1], sorted[middle]];
  return (low + high) / 2;
};

/** Milliseconds that `run` takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Repeats `attempt` every `every` ms until it is true; an Error that names `what` after `within` ms. */
export async function until(what: string, attempt: () => Promise<boolean>, within = 60_000, every = 5): Promise<void> {
  const start = performance.now();
  while (!(await attempt())) {
    if (performance.now() - start > within) throw new Error(`${what}: not within ${within / 1000} s`);
    await pause(every);
  }
}

export interface Memory {
  /** Proportional: pages that several processes share are divided among them. MiB. */
  readonly pss: number;
  readonly rss: number;
}

/** Of all of them together. */
export function memoryOf(pids: readonly number[]): Memory {
  let [pss, rss] = [0, 0];
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
    pss += kilobytes("Pss") / 1024;
    rss += kilobytes("Rss") / 1024;
  }
  return { pss, rss };
}

/** Its words; "" when it has ended. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch (error) {
    if (isOver(error)) return "";
    throw error;
  }
}

const isOver = (error: unknown) => ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");

/** The fields of /proc/PID/stat from the state on; the name before them may hold anything. */
const stat = (pid: number): string[] => {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
};

/** Milliseconds of processor time since their start; the kernel counts in hundredths of a second. */
export const processorTime = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (Number(stat(pid)[11]) + Number(stat(pid)[12])) * 10, 0);

/** Parts of a core, over `ms`. */
export async function processorUse(groups: readonly (readonly number[])[], ms: number): Promise<number[]> {
  const before = groups.map(processorTime);
  const spent = await timed(() => pause(ms));
  return groups.map((pids, index) => (processorTime(pids) - (before[index] ?? 0)) / spent);
}

/** The processes and all that they started. */
export function withChildren(roots: readonly number[]): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      parents.set(pid, Number(stat(pid)[1]));
    } catch (error) {
      // Ended while we looked.
      if (!isOver(error)) throw error;
    }
  }
  const found = new Set(roots);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}
