/**
 * Containers that the agent runs by itself, without an API: the control plane and the data plane. They are started again
 * whenever they end. What they are is shown in the API by `mirror-controller.ts`, when there is one.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Cancel, Clock } from "@flotilla/ambient";
import type { Source } from "@flotilla/client";
import { staticPrefix, staticUid } from "./pod-worker.ts";
import type { Runtime } from "./runtime.ts";

export interface StaticPod {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** Written before each start. Absolute paths. */
  readonly files?: readonly { readonly path: string; readonly content: string; readonly mode?: number }[];
  /** It is first started when this is settled: until then the machine is for the others. */
  readonly after?: Promise<unknown>;
}

export interface StaticPodState {
  readonly name: string;
  readonly command: readonly string[];
  readonly restartCount: number;
  /** Undefined: it does not run at the moment. */
  readonly run?: { readonly id: string; readonly startedAt: number };
  readonly last?: {
    readonly id: string;
    readonly exitCode: number;
    readonly startedAt: number;
    readonly finishedAt: number;
    readonly message?: string;
  };
}

export interface StaticPods {
  readonly source: Source<StaticPodState>;
  states(): readonly StaticPodState[];
  /** Ends all, the last one of the list first. */
  stop(graceMs: number): Promise<void>;
}

export interface StaticPodsOptions {
  readonly pods: readonly StaticPod[];
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logsDir: string;
  readonly onError: (error: Error) => void;
}

/** Milliseconds. One that ran for the longest time starts from the shortest again. */
const shortest = 100;
const longest = 5000;

export const staticLogPath = (logsDir: string, name: string, restartCount: number): string =>
  join(logsDir, `kube-system_${name}_${staticUid}`, name, `${restartCount}.log`);

export function startStaticPods({ pods, runtime, clock, logsDir, onError }: StaticPodsOptions): StaticPods {
  const states = new Map<string, StaticPodState>();
  const waiting = new Map<string, Cancel>();
  const delays = new Map<string, number>();
  let publish: ((key: string, state: StaticPodState) => void) | undefined;
  let stopping = false;

  function set(state: StaticPodState) {
    states.set(state.name, state);
    publish?.(state.name, state);
  }

  async function start(pod: StaticPod) {
    const { restartCount = 0, last } = states.get(pod.name) ?? {};
    const id = `${staticPrefix}${pod.name}-${restartCount}-${clock.now()}`;
    const startedAt = clock.now();
    // Known before it runs: it may end before the start has been answered.
    set({ name: pod.name, command: pod.command, restartCount, last, run: { id, startedAt } });
    for (const { path, content, mode = 0o600 } of pod.files ?? []) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { mode });
    }
    await runtime.start({
      id,
      hostname: pod.name,
      command: pod.command,
      env: { ...pod.env },
      workingDir: pod.workingDir ?? process.cwd(),
      user: { groups: [] },
      mounts: [],
      readOnlyRoot: false,
      noNewPrivileges: false,
      privileged: true,
      capabilities: { add: [], drop: [] },
      logPath: staticLogPath(logsDir, pod.name, restartCount),
      unconfined: true,
    });
  }

  function begin(pod: StaticPod) {
    if (stopping) return;
    void start(pod).catch((error: Error) => {
      onError(new Error(`static pod ${pod.name}: ${error.message}`));
      ended(pod, 128, error.message);
    });
  }

  function ended(pod: StaticPod, exitCode: number, message?: string) {
    const { run, restartCount = 0 } = states.get(pod.name) ?? {};
    if (!run) return;
    const finishedAt = clock.now();
    const last = { ...run, exitCode, finishedAt, message };
    set({ name: pod.name, command: pod.command, restartCount: restartCount + 1, last });
    if (stopping) return;
    const ran = finishedAt - run.startedAt;
    const delay = ran > longest ? shortest : Math.min((delays.get(pod.name) ?? shortest / 2) * 2, longest);
    delays.set(pod.name, delay);
    waiting.set(
      pod.name,
      clock.after(delay, () => begin(pod)),
    );
  }

  const unwatch = runtime.watch(({ id, exit }) => {
    const pod = pods.find(({ name }) => states.get(name)?.run?.id === id);
    if (pod) ended(pod, exit.exitCode);
  });
  for (const pod of pods) {
    if (!pod.after) begin(pod);
    else
      void pod.after.then(
        () => begin(pod),
        () => begin(pod),
      );
  }

  return {
    source: {
      name: "static-pods",
      start: (setValue) => {
        publish = setValue;
        for (const state of states.values()) setValue(state.name, state);
      },
      keys: (name) => [{ namespace: "kube-system", name }],
    },
    states: () => [...states.values()],
    async stop(graceMs) {
      stopping = true;
      for (const cancel of waiting.values()) cancel();
      for (const { name } of pods.toReversed()) {
        const id = states.get(name)?.run?.id;
        if (id) await runtime.stop(id, graceMs);
      }
      unwatch();
    },
  };
}
