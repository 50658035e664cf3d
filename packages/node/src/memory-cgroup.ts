/**
 * A memory limit kept by the kernel, where this machine lets us make control groups (version 2 or 1). Where it does not, the
 * runtime looks at the processes' memory itself.
 *
 * Source: kernel Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface MemoryGroup {
  /** A process that writes 0 there becomes a member, with all its descendants. */
  readonly procs: string;
  /** Whether the kernel has killed in this group for want of memory. */
  killed(): boolean;
  remove(): void;
}

interface Hierarchy {
  readonly root: string;
  readonly limit: string;
  readonly events: string;
  readonly counter: RegExp;
}

const hierarchies: readonly Hierarchy[] = [
  { root: "/sys/fs/cgroup", limit: "memory.max", events: "memory.events", counter: /^oom_kill (\d+)$/m },
  {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    events: "memory.oom_control",
    counter: /^oom_kill (\d+)$/m,
  },
];

/** Undefined where control groups cannot be made. */
export function memoryGroup(name: string, bytes: number): MemoryGroup | undefined {
  for (const { root, limit, events, counter } of hierarchies) {
    const folder = join(root, `flotilla-${name}`);
    try {
      if (!existsSync(join(root, limit)) && !existsSync(join(root, "cgroup.procs"))) continue;
      mkdirSync(folder, { recursive: true });
      if (!existsSync(join(folder, limit))) {
        rmdirSync(folder);
        continue;
      }
      writeFileSync(join(folder, limit), String(bytes));
      const whole = join(folder, "memory.oom.group");
      if (existsSync(whole)) writeFileSync(whole, "1");
    } catch {
      // Not ours to make: read-only, or without the right.
      continue;
    }
    return {
      procs: join(folder, "cgroup.procs"),
      killed: () => Number(counter.exec(readFileSync(join(folder, events), "latin1"))?.[1] ?? 0) > 0,
      remove() {
        try {
          rmdirSync(folder);
        } catch {
          // Gone already, or busy while its last process is being reaped; `sweepMemoryGroups` removes what stays.
        }
      },
    };
  }
  return undefined;
}

/** Younger ones may be about to be entered. Milliseconds. */
const youngest = 60_000;

/** Removes groups that nobody is in any more: their agent was killed. The kernel refuses to remove one with members. */
export function sweepMemoryGroups(now: number): void {
  for (const { root } of hierarchies) {
    for (const name of existsSync(root) ? readdirSync(root) : []) {
      const folder = join(root, name);
      if (!name.startsWith("flotilla-") || now - statSync(folder).ctimeMs < youngest) continue;
      try {
        rmdirSync(folder);
      } catch {
        // Somebody's.
      }
    }
  }
}
