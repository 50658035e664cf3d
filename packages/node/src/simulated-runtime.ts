/**
 * A runtime without processes, for simulated clusters and for tests: containers get ready, crash, ignore SIGTERM or run out of memory on
 * a simulated clock, each as its behaviour says. Also what the agent needs beside a runtime: checks, volumes and images.
 */
import { PassThrough } from "node:stream";
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import type { Checks } from "./checks.ts";
import type { Images } from "./images.ts";
import { notFound } from "./namespaces.ts";
import type { ContainerSpec, ExecSession, Exit, Runtime, RuntimeEvent } from "./runtime.ts";
import { StartError } from "./runtime.ts";
import type { Volumes } from "./volumes.ts";

/** What a container does. Times in milliseconds after its start. */
export interface Behaviour {
  /** Its probes succeed from then on; default: at once. */
  readonly readyAfter?: number;
  /** It ends by itself. */
  readonly exits?: { readonly after: number; readonly code: number };
  /** It takes more memory than any limit. */
  readonly outOfMemoryAfter?: number;
  /** Between SIGTERM and its end; default: none. */
  readonly stopsWithin?: number;
  readonly ignoresTerm?: boolean;
  /** It cannot be started at all. */
  readonly startError?: string;
  /** Its liveness probe fails from then on. */
  readonly hangsAfter?: number;
}

export interface SimulatedRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Asked at each start. */
  readonly behaviours?: (spec: ContainerSpec) => Behaviour | undefined;
  /** How long a start takes. Milliseconds. */
  readonly startTakes?: number;
}

export interface SimulatedRuntime extends Runtime {
  readonly checks: Checks;
  readonly volumes: Volumes;
  /** Knows every image. */
  readonly images: Images;
  /** Ends everything at once and says nothing: the machine, or the agent with its children, is gone. */
  crash(): void;
}

interface Simulated {
  readonly spec: ContainerSpec;
  readonly behaviour: Behaviour;
  readonly startedAt: number;
  readonly cancels: Cancel[];
  readonly ended: Promise<Exit>;
  readonly end: (exit: Exit) => void;
}

const killed = 137;

export function simulatedRuntime(options: SimulatedRuntimeOptions): SimulatedRuntime {
  const { clock, random, behaviours, startTakes = 20 } = options;
  const live = new Map<string, Simulated>();
  const listeners = new Set<(event: RuntimeEvent) => void>();
  const age = (container: Simulated) => clock.now() - container.startedAt;
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));

  async function start(spec: ContainerSpec) {
    await wait(startTakes * (0.5 + random.next()));
    const behaviour = behaviours?.(spec) ?? {};
    if (behaviour.startError !== undefined) throw new StartError(behaviour.startError);
    const { promise: ended, resolve } = Promise.withResolvers<Exit>();
    const end = (exit: Exit) => {
      if (live.get(spec.id) !== container) return;
      live.delete(spec.id);
      for (const cancel of container.cancels) cancel();
      resolve(exit);
      for (const listener of listeners) listener({ type: "exited", id: spec.id, exit });
    };
    const container: Simulated = { spec, behaviour, startedAt: clock.now(), cancels: [], ended, end };
    live.set(spec.id, container);
    const { exits, outOfMemoryAfter } = behaviour;
    if (exits) container.cancels.push(clock.after(exits.after, () => end({ exitCode: exits.code })));
    if (outOfMemoryAfter !== undefined && spec.memoryBytes !== undefined)
      container.cancels.push(clock.after(outOfMemoryAfter, () => end({ exitCode: killed, reason: "OOMKilled" })));
  }

  async function stop(id: string, graceMs: number) {
    const container = live.get(id);
    if (!container) return;
    const { ignoresTerm, stopsWithin = 0 } = container.behaviour;
    if (graceMs <= 0) return container.end({ exitCode: killed });
    if (!ignoresTerm && stopsWithin <= graceMs)
      container.cancels.push(clock.after(stopsWithin, () => container.end({ exitCode: 0 })));
    container.cancels.push(clock.after(graceMs, () => container.end({ exitCode: killed })));
    await container.ended;
  }

  function session(out: string, code: number): ExecSession {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    stdout.end(out);
    stderr.end();
    return { stdin: undefined, stdout, stderr, resize() {}, exited: Promise.resolve(code), kill() {} };
  }

  const checks: Checks = {
    async check(_action, { id }) {
      const container = live.get(id);
      if (!container) return { ok: false, message: "connect: connection refused" };
      const { readyAfter = 0, hangsAfter = Number.POSITIVE_INFINITY } = container.behaviour;
      const ok = age(container) >= readyAfter && age(container) < hangsAfter;
      return { ok, message: ok ? "ok" : "connect: connection refused" };
    },
    async fault() {
      return undefined;
    },
  };

  return {
    scheme: "simulated",
    shortcomings: () => [],
    start,
    stop,
    /** Knows `echo $NAME; exit CODE`, which is what tests ask. */
    async exec(id, command) {
      const container = live.get(id);
      if (!container) throw new StartError("the container does not run");
      const line = command.at(-1) ?? "";
      const [, name, code] = /^echo \$(\w+); exit (\d+)$/.exec(line) ?? [];
      if (name === undefined) throw new StartError(notFound(command[0] ?? ""));
      return session(`${container.spec.env[name] ?? ""}\n`, Number(code));
    },
    async attach(id) {
      const container = live.get(id);
      if (!container) throw new StartError("the container does not run");
      return { ...session("", 0), exited: container.ended.then(({ exitCode }) => exitCode) };
    },
    async list() {
      return [...live.values()].map((container) => ({
        id: container.spec.id,
        pids: [],
        cpuNanoseconds: age(container) * 10_000,
        memoryBytes: 32 * 1024 * 1024,
      }));
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      for (const container of live.values()) container.end({ exitCode: killed });
    },
    checks,
    volumes: {
      async prepare(_pod, plans) {
        return new Map(plans.map(({ name }) => [name, `/volumes/${name}`]));
      },
      async remove() {},
      async keepOnly() {},
    },
    images: {
      async resolve(reference) {
        return { digest: `sha256:${reference}`, mounts: [], config: { cmd: ["run"] } };
      },
    },
    crash() {
      for (const container of live.values()) for (const cancel of container.cancels) cancel();
      live.clear();
      listeners.clear();
    },
  };
}
