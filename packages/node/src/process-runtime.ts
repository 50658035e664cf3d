/**
 * Containers as processes of this machine: in namespaces where the system allows (`namespaces.ts`), else plain
 * (`plain.ts`). Starting, stopping, ending, logs and memory limits are the same for both and live here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, constants as fileModes, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";
import { type Duplex, PassThrough, type Readable } from "node:stream";
import type { Cancel, Clock } from "@flotilla/ambient";
import { type CriLog, openCriLog } from "./cri-log.ts";
import { hostRoot } from "./host-root.ts";
import { type MemoryGroup, memoryGroup, sweepMemoryGroups } from "./memory-cgroup.ts";
import {
  type Launch,
  type NamespaceOptions,
  namespacedLaunch,
  namespacesWork,
  notFound,
  outputPath,
  skeletonPath,
} from "./namespaces.ts";
import { canDieWithParent, forget, killLeftovers, plainLaunch, plainShortcomings, record } from "./plain.ts";
import { enter } from "./process-exec.ts";
import { childrenOf, familyOf, memoryOf, nanosecondsPerTick, processTable } from "./process-table.ts";
import { makeRootSkeleton } from "./root-skeleton.ts";
import type { ContainerSpec, ExecOptions, Exit, Runtime, RuntimeEvent } from "./runtime.ts";
import { StartError } from "./runtime.ts";
import { setUpReport } from "./set-up-report.ts";
import { signal } from "./signal.ts";

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
  /** Resolve when standard output and error have been read to their ends. */
  readonly reading: Promise<void>[];
  readonly output: Set<(stream: "stdout" | "stderr", chunk: Buffer) => void>;
  readonly group?: MemoryGroup;
  outOfMemory: boolean;
  readonly ended: Promise<Exit>;
}

/** Standard output, standard error, and what is told beside. */
const direct = ["pipe", "pipe"] as const;
const reported = ["ignore", "ignore", "pipe"] as const;

/** How often memory is looked at where the kernel keeps no limit. */
const memoryLookEvery = 500;
/** How long output of a container that has ended may still be on its way, when somebody else holds its pipe. */
const lastOutputWithin = 200;
/** The kernel may need a moment to let go of the last process. */
const removeAgainAfter = 1000;

export function processRuntime(options: ProcessRuntimeOptions): ProcessRuntime {
  const { clock, stateDir, nodeBinary, hostPath = process.env.PATH ?? "" } = options;
  mkdirSync(stateDir, { recursive: true });
  killLeftovers(stateDir);
  sweepMemoryGroups(clock.now());
  rmSync(join(stateDir, "containers"), { recursive: true, force: true });
  const rootless = process.getuid?.() !== 0;
  const variant = options.variant ?? (namespacesWork(rootless) ? "namespaced" : "plain");
  const dieWithParent = canDieWithParent();
  const namespaces: NamespaceOptions | undefined =
    variant === "namespaced" ? { host: hostRoot(nodeBinary), rootless, stateDir, hostPath } : undefined;
  if (namespaces) makeRootSkeleton(namespaces.host, skeletonPath(stateDir));
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

  function carry({ log, output, reading }: Live, stream: "stdout" | "stderr", from: Readable) {
    from.on("data", (chunk: Buffer) => {
      log.write(stream, chunk);
      for (const sink of output) sink(stream, chunk);
    });
    // What cannot be read any more is closed next, which is the end of it.
    from.on("error", () => undefined);
    reading.push(new Promise((resolve) => void from.once("close", resolve)));
  }

  function readPipes(container: Live) {
    const folder = folderOf(container.spec.id);
    for (const stream of ["stdout", "stderr"] as const) carry(container, stream, openPipe(outputPath(folder, stream)));
  }

  async function start(spec: ContainerSpec) {
    if (live.has(spec.id)) throw new StartError(`container ${spec.id} runs already`);
    const confined = namespaces !== undefined && !spec.unconfined;
    // Before there is a process: what cannot be written to must not leave one behind.
    const log = openCriLog(spec.logPath, { clock, onError: options.onError });
    const group =
      confined && !rootless && spec.memoryBytes !== undefined ? memoryGroup(spec.id, spec.memoryBytes) : undefined;
    let launch: ReturnType<typeof launchOf>;
    let child: ChildProcess;
    try {
      launch = launchOf(spec, group);
      child = spawn(launch.file, launch.args, {
        env: { ...launch.env },
        cwd: launch.cwd,
        detached: true,
        stdio: [spec.stdin ? "pipe" : "ignore", ...(confined ? reported : direct)],
        ...(!confined && process.getuid?.() === 0 ? { uid: spec.user.uid, gid: spec.user.gid ?? spec.user.uid } : {}),
      });
    } catch (error) {
      log.close();
      group?.remove();
      throw error;
    }
    // Somebody may be writing to it when it ends.
    child.stdin?.on("error", () => undefined);
    const { promise: ended, resolve } = Promise.withResolvers<Exit>();
    const container: Live = {
      spec,
      child,
      confined,
      cwd: launch.cwd ?? "/",
      env: launch.env,
      log,
      output: new Set(),
      reading: [],
      group,
      outOfMemory: false,
      ended,
    };
    live.set(spec.id, container);
    const failed = new Promise<string>((tell) => {
      child.once("error", (error) => {
        tell("code" in error && error.code === "ENOENT" ? notFound(spec.command[0] ?? "") : error.message);
        finish(container, resolve, () => ({ exitCode: 128 }));
      });
    });
    const report = confined ? setUpReport(child.stdio[3] as Duplex, () => readPipes(container)) : undefined;
    child.once("exit", (code, name) => {
      if (!confined && child.pid !== undefined) signal(-child.pid, "SIGKILL");
      finish(container, resolve, () => {
        if (container.outOfMemory || group?.killed()) return { exitCode: 137, reason: "OOMKilled" };
        return { exitCode: report ? (report.exitCode() ?? signalled("SIGKILL")) : (code ?? signalled(name)) };
      });
    });
    if (child.stdout && child.stderr) {
      carry(container, "stdout", child.stdout);
      carry(container, "stderr", child.stderr);
    }
    if (!confined && child.pid !== undefined) record(stateDir, spec.id, child.pid);
    const started = report?.problem ?? (child.pid === undefined ? failed : undefined);
    const problem = await Promise.race([failed, started]);
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
      if (group) clock.after(removeAgainAfter, group.remove, { background: true });
      live.delete(spec.id);
      forget(stateDir, spec.id);
      rmSync(folderOf(spec.id), { recursive: true, force: true });
      resolve(exit);
      for (const listener of listeners) listener({ type: "exited", id: spec.id, exit });
    };
    const cancel = clock.after(lastOutputWithin, conclude);
    if (child.pid === undefined) conclude();
    else child.once("close", () => void Promise.all(container.reading).then(conclude));
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
    lowestPort({ user: { uid = 0 }, capabilities, unconfined }) {
      const granted = variant === "namespaced" && !unconfined && capabilities.add.includes("NET_BIND_SERVICE");
      return !rootless && (uid === 0 || granted) ? 0 : lowestUnprivilegedPort();
    },
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

/** The reading end of a named pipe; opening it does not wait for a writer. */
const openPipe = (path: string): Readable =>
  new Socket({ fd: openSync(path, fileModes.O_RDONLY | fileModes.O_NONBLOCK), readable: true, writable: false });

/** Source: ip_sysctl of Linux; where there is none, the customary limit. */
function lowestUnprivilegedPort(): number {
  const path = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  return existsSync(path) ? Number(readFileSync(path, "latin1")) : 1024;
}

const signalled = (name: NodeJS.Signals | null) => 128 + (name ? constants.signals[name] : 0);
