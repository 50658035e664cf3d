/**
 * Containers as processes of this machine: in namespaces where the system allows (`namespaces.ts`), else plain
 * (`plain.ts`). Starting, stopping, ending, logs and memory limits are the same for both and live here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import type { Cancel, Clock } from "@flotilla/ambient";
import { type CriLog, openCriLog } from "./cri-log.ts";
import { hostRoot } from "./host-root.ts";
import { type MemoryGroup, memoryGroup } from "./memory-cgroup.ts";
import { type Launch, type NamespaceOptions, namespacedLaunch, namespacesWork, notFound } from "./namespaces.ts";
import { canDieWithParent, forget, killLeftovers, plainLaunch, plainShortcomings, record } from "./plain.ts";
import { enter } from "./process-exec.ts";
import { childrenOf, familyOf, memoryOf, nanosecondsPerTick, processTable } from "./process-table.ts";
import type { ContainerSpec, ExecOptions, Exit, Runtime, RuntimeEvent } from "./runtime.ts";
import { StartError } from "./runtime.ts";

export interface ProcessRuntimeOptions {
  readonly clock: Clock;
  /** A folder of the agent's own. */
  readonly stateDir: string;
  /** The Node.js that containers find at /usr/local/bin/node. */
  readonly nodeBinary: string;
  /** Undefined: namespaces where the system allows. */
  readonly variant?: "namespaced" | "plain";
  /** The PATH in which programs are found that the system's own folders lack. */
  readonly hostPath?: string;
  readonly onError?: (error: Error) => void;
}

export interface ProcessRuntime extends Runtime {
  readonly variant: "namespaced" | "plain";
}

interface Live {
  readonly spec: ContainerSpec;
  readonly child: ChildProcess;
  readonly confined: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: CriLog;
  readonly output: Set<(stream: "stdout" | "stderr", chunk: Buffer) => void>;
  readonly group?: MemoryGroup;
  outOfMemory: boolean;
  readonly ended: Promise<Exit>;
}

/** How often memory is looked at where the kernel keeps no limit. */
const memoryLookEvery = 500;
/** How long output of a container that has ended may still be on its way, when somebody else holds its pipe. */
const lastOutputWithin = 200;

export function processRuntime(options: ProcessRuntimeOptions): ProcessRuntime {
  const { clock, stateDir, nodeBinary, hostPath = process.env.PATH ?? "" } = options;
  mkdirSync(stateDir, { recursive: true });
  killLeftovers(stateDir);
  rmSync(join(stateDir, "containers"), { recursive: true, force: true });
  const rootless = process.getuid?.() !== 0;
  const variant = options.variant ?? (namespacesWork(rootless) ? "namespaced" : "plain");
  const dieWithParent = canDieWithParent();
  const namespaces: NamespaceOptions | undefined =
    variant === "namespaced" ? { host: hostRoot(nodeBinary), rootless, stateDir, hostPath } : undefined;
  const live = new Map<string, Live>();
  const listeners = new Set<(event: RuntimeEvent) => void>();
  let cancelLook: Cancel | undefined;

  const folderOf = (id: string) => join(stateDir, "containers", id);

  function launchOf(spec: ContainerSpec, group: MemoryGroup | undefined): Launch & { cwd?: string } {
    if (namespaces && !spec.unconfined) return namespacedLaunch(spec, folderOf(spec.id), namespaces, group?.procs);
    return plainLaunch(spec, folderOf(spec.id), { nodeBinary, hostPath, dieWithParent });
  }

  function lookAtMemory() {
    const watched = [...live.values()].filter(({ spec, group }) => spec.memoryBytes !== undefined && !group);
    cancelLook = undefined;
    if (watched.length === 0) return;
    const table = processTable();
    for (const container of watched) {
      const pid = container.child.pid;
      if (pid === undefined) continue;
      const used = familyOf(pid, table).reduce((sum, entry) => sum + memoryOf(entry.pid), 0);
      if (used <= (container.spec.memoryBytes ?? Number.POSITIVE_INFINITY)) continue;
      container.outOfMemory = true;
      killAll(container);
    }
    cancelLook = clock.after(memoryLookEvery, lookAtMemory, { background: true });
  }

  /** The process that the command became; undefined while the container is being set up, or has ended. */
  function mainOf(container: Live): number | undefined {
    if (!container.confined) return container.child.pid;
    const init = initOf(container);
    return init === undefined ? undefined : childrenOf(init)[0];
  }

  /** The first process of its PID namespace. */
  const initOf = ({ child }: Live) => (child.pid === undefined ? undefined : childrenOf(child.pid)[0]);

  function killAll(container: Live) {
    const { child, confined } = container;
    if (child.pid === undefined) return;
    if (!confined) return signal(-child.pid, "SIGKILL");
    // The first process of a PID namespace takes all others along.
    const init = initOf(container);
    if (init !== undefined) signal(init, "SIGKILL");
    else child.kill("SIGKILL");
  }

  async function start(spec: ContainerSpec) {
    if (live.has(spec.id)) throw new StartError(`container ${spec.id} runs already`);
    const confined = namespaces !== undefined && !spec.unconfined;
    const group =
      confined && !rootless && spec.memoryBytes !== undefined ? memoryGroup(spec.id, spec.memoryBytes) : undefined;
    const launch = launchOf(spec, group);
    const asRoot = process.getuid?.() === 0;
    const child = spawn(launch.file, launch.args, {
      env: { ...launch.env },
      cwd: launch.cwd,
      detached: true,
      stdio: [spec.stdin ? "pipe" : "ignore", "pipe", confined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(!confined && asRoot ? { uid: spec.user.uid, gid: spec.user.gid ?? spec.user.uid } : {}),
    });
    const log = openCriLog(spec.logPath, { clock, onError: options.onError });
    const output: Live["output"] = new Set();
    const streams = { stdout: child.stdout, stderr: confined ? (child.stdio[4] as Readable) : child.stderr };
    for (const stream of ["stdout", "stderr"] as const)
      streams[stream]?.on("data", (chunk: Buffer) => {
        log.write(stream, chunk);
        for (const sink of output) sink(stream, chunk);
      });
    const { promise: ended, resolve } = Promise.withResolvers<Exit>();
    const cwd = launch.cwd ?? "/";
    const container: Live = {
      spec,
      child,
      confined,
      cwd,
      env: launch.env,
      log,
      output,
      group,
      outOfMemory: false,
      ended,
    };
    const report = child.stdio[3] as Readable;
    const refused = Promise.withResolvers<string | undefined>();
    let said = "";
    report.on("data", (chunk) => {
      said += chunk;
      if (said.startsWith("R")) refused.resolve(undefined);
    });
    report.on("error", () => refused.resolve("its set-up ended"));
    report.on("close", () => refused.resolve(said.startsWith("E") ? said.slice(1).trim() : "its set-up ended early"));
    child.on("error", (error) => {
      refused.resolve("code" in error && error.code === "ENOENT" ? notFound(spec.command[0] ?? "") : error.message);
      finish(container, resolve, () => ({ exitCode: 128 }));
    });
    child.on("exit", (code, name) => {
      if (!confined && child.pid !== undefined) signal(-child.pid, "SIGKILL");
      finish(container, resolve, () => {
        if (container.outOfMemory || group?.killed()) return { exitCode: 137, reason: "OOMKilled" };
        if (!confined) return { exitCode: code ?? signalled(name) };
        const told = /X(\d+)$/.exec(said)?.[1];
        return { exitCode: told === undefined ? signalled("SIGKILL") : Number(told) };
      });
    });
    live.set(spec.id, container);
    if (!confined && child.pid !== undefined) {
      record(stateDir, spec.id, child.pid);
      refused.resolve(undefined);
    }
    const problem = await refused.promise;
    if (problem !== undefined) {
      killAll(container);
      await ended;
      throw new StartError(problem);
    }
    if (spec.memoryBytes !== undefined && !group)
      cancelLook ??= clock.after(memoryLookEvery, lookAtMemory, { background: true });
  }

  /** Tells of the end when all output is in the log. */
  function finish(container: Live, resolve: (exit: Exit) => void, exitOf: () => Exit) {
    const { spec, child, log, group, output } = container;
    let done = false;
    const conclude = () => {
      if (done) return;
      done = true;
      cancel();
      const exit = exitOf();
      log.close();
      output.clear();
      group?.remove();
      live.delete(spec.id);
      forget(stateDir, spec.id);
      rmSync(folderOf(spec.id), { recursive: true, force: true });
      resolve(exit);
      for (const listener of listeners) listener({ type: "exited", id: spec.id, exit });
    };
    const cancel = clock.after(lastOutputWithin, conclude);
    if (child.pid === undefined) conclude();
    else child.once("close", conclude);
  }

  async function stop(id: string, graceMs: number) {
    const container = live.get(id);
    if (!container) return;
    const main = mainOf(container);
    if (graceMs > 0 && main !== undefined) {
      signal(main, "SIGTERM");
      const cancel = clock.after(graceMs, () => killAll(container));
      await container.ended;
      cancel();
    } else {
      killAll(container);
      await container.ended;
    }
  }

  async function exec(id: string, command: readonly string[], execOptions: ExecOptions) {
    const container = live.get(id);
    if (!container || mainOf(container) === undefined) throw new StartError("the container does not run");
    const { spec, confined, env } = container;
    return enter(
      { spec, env, pid: confined ? initOf(container) : undefined, rootless, cwd: container.cwd, command },
      execOptions,
    );
  }

  async function attach(id: string) {
    const container = live.get(id);
    if (!container) throw new StartError("the container does not run");
    const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
    const sink = (stream: "stdout" | "stderr", chunk: Buffer) => void streams[stream].write(chunk);
    container.output.add(sink);
    const detached = Promise.withResolvers<number>();
    const exited = Promise.race([container.ended.then(({ exitCode }) => exitCode), detached.promise]).then((code) => {
      container.output.delete(sink);
      streams.stdout.end();
      streams.stderr.end();
      return code;
    });
    return {
      stdin: container.child.stdin ?? undefined,
      ...streams,
      resize() {},
      exited,
      kill: () => detached.resolve(0),
    };
  }

  return {
    scheme: "process",
    variant,
    shortcomings: (spec) => (variant === "plain" && !spec.unconfined ? plainShortcomings(spec) : []),
    start,
    stop,
    exec,
    attach,
    async list() {
      const table = live.size > 0 && existsSync("/proc/self/stat") ? processTable() : [];
      return [...live.values()].map(({ spec, child }) => {
        const family = child.pid === undefined ? [] : familyOf(child.pid, table);
        return {
          id: spec.id,
          pids: family.map(({ pid }) => pid),
          cpuNanoseconds: family.reduce((sum, { ticks }) => sum + ticks, 0) * nanosecondsPerTick,
          memoryBytes: family.reduce((sum, { pid }) => sum + memoryOf(pid), 0),
        };
      });
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      cancelLook?.();
      await Promise.all([...live.keys()].map((id) => stop(id, 0)));
    },
  };
}

const signalled = (name: NodeJS.Signals | null) => 128 + (name ? constants.signals[name] : 0);

/** A process that has ended meanwhile needs no signal. */
function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
