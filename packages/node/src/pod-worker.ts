/**
 * Does what the pod controller decides: takes addresses, makes volumes, starts and ends containers, and keeps what comes of it
 * in the pod store. Whatever takes time happens beside; its end is a change of the store, which wakes the controller.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import type { Effect } from "@flotilla/client";
import { type ContainerStatus, isTerminal, type Pod, timeOf } from "@flotilla/objects";
import type { Addresses } from "./addresses.ts";
import type { Checks } from "./checks.ts";
import { containerSpec } from "./container-spec.ts";
import { watchContainer } from "./container-watch.ts";
import { rotatedFiles } from "./cri-log.ts";
import type { Images, ResolvedImage } from "./images.ts";
import { runHook } from "./lifecycle.ts";
import {
  allContainers,
  type Ended,
  idle,
  type LocalContainer,
  type LocalPod,
  localContainer,
  type StartFailure,
} from "./local-pod.ts";
import type { PodEffect } from "./pod-controller.ts";
import type { PodFiles } from "./pod-files.ts";
import { PodStore } from "./pod-store.ts";
import type { Runtime, RuntimeEvent } from "./runtime.ts";
import type { Volumes } from "./volumes.ts";

export interface PodWorkerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly runtime: Runtime;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly checks: Checks;
  readonly addresses: Addresses;
  readonly files: PodFiles;
  readonly hostIP: string;
  readonly logsDir: string;
  readonly preload?: { readonly source: string; readonly target: string };
  readonly onError: (error: Error) => void;
}

/** A hook may use up the grace period; what is left for SIGTERM is at least this. Source: kubernetes kuberuntime_container.go. */
const leastGraceMs = 2000;
/** Tokens in volumes are looked at that often. */
const renewEvery = 60_000;

/** Logs of so many runs are kept beside the current one. Source: kubernetes maxPerPodContainer. */
const keptLogs = 2;
/** In the place of the uid in the log folders of static pods. */
export const staticUid = "static";
/** Of the ids of containers that are no pod's. */
export const staticPrefix = "static-";

const startingLookEvery = 20;

type StartEffect = Extract<PodEffect, { do: "start" }>;

export class PodWorker {
  readonly store = new PodStore();
  readonly #options: PodWorkerOptions;
  readonly #folders = new Map<string, ReadonlyMap<string, string>>();
  readonly #watching = new Map<string, Cancel>();
  readonly #renewals = new Map<string, Cancel>();
  readonly #unwatch: Cancel;
  skipPreStop = false;

  constructor(options: PodWorkerOptions) {
    this.#options = options;
    this.#unwatch = options.runtime.watch((event) => this.#exited(event));
  }

  /** The way into the world that the runner is given. */
  readonly perform = async (effect: Effect["do"]): Promise<void> => {
    const asked = effect as PodEffect;
    switch (asked.do) {
      case "admit":
        return this.#admit(asked.pod);
      case "see":
        return this.store.update(asked.pod.metadata.uid ?? "", () => ({ pod: asked.pod }));
      case "mount":
        return this.#mount(asked);
      case "start":
        return this.#start(asked);
      case "stop":
        return this.#stop(asked.uid, asked.name, asked.graceSeconds, asked.message);
      case "told":
        return this.store.told(asked.uid, asked.upTo);
      case "release":
        this.#options.addresses.release(asked.uid);
        return this.store.update(asked.uid, () => ({ holdsAddress: false }));
      case "forget":
        return this.#forget(asked.uid);
    }
  };

  close(): void {
    this.#unwatch();
    for (const cancel of [...this.#watching.values(), ...this.#renewals.values()]) cancel();
  }

  #admit(pod: Pod): void {
    const { addresses, clock, hostIP } = this.#options;
    const { uid = "" } = pod.metadata;
    if (this.store.get(uid)) return;
    const over = isTerminal(pod);
    const holdsAddress = !pod.spec.hostNetwork && !over;
    const podIP = holdsAddress ? addresses.take(uid, pod.status?.podIP) : (pod.status?.podIP ?? hostIP);
    const startTime = pod.status?.startTime ?? timeOf(new Date(clock.now()));
    const containers = Object.fromEntries(
      allContainers(pod).map(({ container: { name } }) => [name, remembered(pod, name, clock.now())]),
    );
    this.store.put({
      pod,
      uid,
      podIP,
      holdsAddress,
      startTime,
      containers,
      volumes: { busy: false },
      shortcomings: [],
      notes: [],
    });
    if (!over) this.#options.files.prepare(pod, podIP);
  }

  #mount({ uid, plans, hash }: Extract<PodEffect, { do: "mount" }>): void {
    const { clock, volumes } = this.#options;
    const failed = (problem: string) => {
      const before = this.store.get(uid)?.volumes.problem;
      this.store.update(uid, (local) => ({
        volumes: { ...local.volumes, busy: false, problem, problemAt: clock.now() },
      }));
      if (before !== problem) this.store.note(uid, "Warning", "FailedMount", problem);
    };
    if (plans.problem !== undefined) {
      // Said once; it is an object that has to change.
      this.store.update(uid, (local) => ({ volumes: { ...local.volumes, hash } }));
      failed(plans.problem);
      return;
    }
    const local = this.store.get(uid);
    if (!local) return;
    this.store.update(uid, () => ({ volumes: { ...local.volumes, busy: true } }));
    const prepare = async () => {
      const pod = this.store.get(uid)?.pod;
      if (pod) this.#folders.set(uid, await volumes.prepare(pod, plans.value));
    };
    const renew = () => {
      const cancel = clock.after(renewEvery, () => void prepare().then(renew, this.#report), { background: true });
      this.#renewals.get(uid)?.();
      this.#renewals.set(uid, cancel);
    };
    void prepare().then(
      () => {
        this.store.update(uid, () => ({ volumes: { busy: false, hash } }));
        const holdsToken = plans.value.some(
          (plan) => plan.kind === "files" && plan.files.some(({ content }) => "token" in content),
        );
        if (holdsToken && this.store.get(uid)) renew();
      },
      (error: Error) => failed(error.message),
    );
  }

  readonly #report = (error: Error) => this.#options.onError(error);

  #start(asked: StartEffect): void {
    const local = this.store.get(asked.uid);
    const before = local && localContainer(local, asked.name);
    if (!local || !before || before.state.is === "running" || before.state.is === "starting") return;
    const last = before.state.is === "exited" ? before.state : before.last;
    this.store.updateContainer(asked.uid, asked.name, () => ({ state: { is: "starting" } }));
    void this.#create(asked, local, last).catch((error: Error) => {
      const failure = error instanceof StartProblem ? error : new StartProblem("CreateContainerError", error.message);
      const { reason, message, awaitsObjects } = failure;
      const at = this.#options.clock.now();
      const count = (before.failure?.count ?? 0) + 1;
      this.store.updateContainer(asked.uid, asked.name, () => ({
        ...before,
        failure: { reason, message, at, count, awaitsObjects } satisfies StartFailure,
      }));
      this.store.note(
        asked.uid,
        "Warning",
        "Failed",
        reason === "ErrImagePull" ? message : `Error: ${message}`,
        asked.name,
      );
    });
  }

  async #create({ uid, name, env, restartCount, backOff }: StartEffect, local: LocalPod, last: Ended | undefined) {
    const { clock, runtime, files, preload } = this.#options;
    const { pod, podIP } = local;
    const container = allContainers(pod).find((each) => each.container.name === name)?.container;
    if (!container) throw new StartProblem("CreateContainerError", `no container ${name} in pod ${pod.metadata.name}`);
    if (env.problem !== undefined) throw new StartProblem("CreateContainerConfigError", env.problem, true);
    const image = await this.#pull(uid, name, container.image ?? "");
    const id = Buffer.from(this.#options.random.bytes(16)).toString("hex");
    const spec = containerSpec(pod, container, {
      id,
      image,
      env: env.value,
      volumes: this.#folders.get(uid) ?? new Map(),
      logPath: logPath(this.#options.logsDir, pod, name, restartCount),
      extraMounts: files.mounts(pod),
      terminationFile: files.terminationFile(pod, name, restartCount),
      preload,
    });
    if (spec.problem !== undefined) throw new StartProblem("CreateContainerConfigError", spec.problem);
    const now = this.store.get(uid);
    // Ended while its image was fetched.
    if (!now || now.pod.metadata.deletionTimestamp !== undefined) {
      return this.store.updateContainer(uid, name, () => ({
        state: last ? { is: "exited", ...last } : { is: "idle" },
      }));
    }
    this.#dropLogs(pod, name, restartCount - keptLogs);
    const shortcomings = runtime.shortcomings(spec.value);
    this.store.update(uid, (each) => ({ shortcomings: [...new Set([...each.shortcomings, ...shortcomings])] }));
    this.store.note(uid, "Normal", "Created", `Created container: ${name}`, name);
    const startedAt = clock.now();
    const common = {
      restartCount,
      backOff,
      last,
      imageID: image.digest,
      failure: undefined,
      fault: lasting(local, name),
    };
    try {
      await runtime.start(spec.value);
    } catch (error) {
      const { message } = error as Error;
      this.#early.delete(id);
      this.store.note(uid, "Warning", "Failed", `Error: ${message}`, name);
      const ended = { id, startedAt, finishedAt: clock.now(), exitCode: 128, reason: "StartError", message };
      return this.store.updateContainer(uid, name, () => ({ ...idle, ...common, state: { is: "exited", ...ended } }));
    }
    // The answer and the end may cross: an exit that came first is in `#early`.
    const exit = this.#early.get(id);
    this.#early.delete(id);
    const running = { is: "running", id, startedAt } as const;
    this.store.updateContainer(uid, name, () => ({ ...idle, ...common, state: running }));
    this.store.note(uid, "Normal", "Started", `Started container ${name}`, name);
    if (exit) return this.#exited(exit);
    const target = { id, podIP, container, lowestPort: runtime.lowestPort?.(spec.value) };
    this.#watching.set(
      id,
      watchContainer({ uid, name, pod, container, target }, this.store, this.#options.checks, clock),
    );
  }

  #dropLogs(pod: Pod, name: string, upTo: number): void {
    const path = logPath(this.#options.logsDir, pod, name, upTo);
    if (upTo < 0 || !existsSync(path)) return;
    for (const file of [...rotatedFiles(path), path]) rmSync(file, { force: true });
  }

  /** Removes what belongs to pods that are no more: they went while no agent ran. Call when all pods are known. */
  async tidy(): Promise<void> {
    const known = new Set(this.store.list().map(({ uid }) => uid));
    const { logsDir, volumes, files } = this.#options;
    await volumes.keepOnly(known);
    files.keepOnly(known);
    for (const folder of existsSync(logsDir) ? readdirSync(logsDir) : []) {
      const uid = folder.split("_")[2] ?? "";
      if (uid !== staticUid && !known.has(uid)) rmSync(join(logsDir, folder), { recursive: true, force: true });
    }
  }

  readonly #early = new Map<string, RuntimeEvent>();

  async #pull(uid: string, name: string, image: string): Promise<ResolvedImage> {
    try {
      const resolved = await this.#options.images.resolve(image);
      this.store.note(uid, "Normal", "Pulled", `Container image "${image}" already present on machine`, name);
      return resolved;
    } catch (error) {
      throw new StartProblem("ErrImagePull", `Failed to pull image "${image}": ${(error as Error).message}`);
    }
  }

  #stop(uid: string, name: string, graceSeconds: number, message: string): void {
    const local = this.store.get(uid);
    const state = local && localContainer(local, name).state;
    if (state?.is !== "running") return;
    if (!state.stopping) this.store.note(uid, "Normal", "Killing", message, name);
    void this.end(uid, name, graceSeconds * 1000).catch(this.#report);
  }

  /** Its preStop hook, SIGTERM, SIGKILL. Resolves when it has ended; one that is being started is waited for. */
  async end(uid: string, name: string, graceMs: number): Promise<void> {
    const { clock, checks, runtime } = this.#options;
    const local = this.store.get(uid);
    const state = local && localContainer(local, name).state;
    if (!local || (state?.is !== "running" && state?.is !== "starting")) return;
    if (state.is === "starting") {
      await new Promise<void>((resolve) => void clock.after(startingLookEvery, resolve));
      return this.end(uid, name, graceMs);
    }
    this.store.updateContainer(uid, name, () => ({ state: { ...state, stopping: { graceMs } } }));
    const container = allContainers(local.pod).find((each) => each.container.name === name)?.container;
    const hook = container?.lifecycle?.preStop;
    let left = graceMs;
    if (hook && container && !state.stopping && !this.skipPreStop && graceMs > 0) {
      const begun = clock.now();
      const outcome = await runHook(hook, { id: state.id, podIP: local.podIP, container }, checks, clock, left);
      if (!outcome.ok)
        this.store.note(uid, "Warning", "FailedPreStopHook", `PreStopHook failed: ${outcome.message}`, name);
      left = Math.max(left - (clock.now() - begun), leastGraceMs);
    }
    // Probes go on during the hook: traffic may still arrive.
    this.#watching.get(state.id)?.();
    await runtime.stop(state.id, left);
  }

  #exited(event: RuntimeEvent): void {
    const { id, exit } = event;
    this.#watching.get(id)?.();
    this.#watching.delete(id);
    const found = this.store.byRun(id);
    if (!found) {
      if (!id.startsWith(staticPrefix)) this.#early.set(id, event);
      return;
    }
    const { local, name } = found;
    const known = localContainer(local, name);
    if (known.state.is !== "running") return;
    const { startedAt } = known.state;
    const container = allContainers(local.pod).find((each) => each.container.name === name)?.container;
    const message = container
      ? this.#options.files.terminationMessage(
          local.pod,
          container,
          known.restartCount,
          exit.exitCode,
          logPath(this.#options.logsDir, local.pod, name, known.restartCount),
        )
      : undefined;
    const ended: Ended = {
      id,
      startedAt,
      finishedAt: this.#options.clock.now(),
      exitCode: exit.exitCode,
      reason: exit.reason ?? (exit.exitCode === 0 ? "Completed" : "Error"),
      ...(message ? { message } : {}),
    };
    this.store.updateContainer(local.uid, name, () => ({
      state: { is: "exited", ...ended },
      started: false,
      ready: false,
      unhealthy: undefined,
      fault: lasting(local, name),
    }));
    this.#noteBackOff(local, name, known);
  }

  /** Said when the wait begins, as kubelet does. */
  #noteBackOff(local: LocalPod, name: string, { backOff, state }: LocalContainer): void {
    const restarts = local.pod.spec.restartPolicy !== "Never" && local.pod.metadata.deletionTimestamp === undefined;
    if (!backOff || !restarts || (state.is === "running" && state.stopping)) return;
    const { name: podName, namespace, uid } = local.pod.metadata;
    this.store.note(
      local.uid,
      "Warning",
      "BackOff",
      `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`,
      name,
    );
  }

  async #forget(uid: string): Promise<void> {
    const local = this.store.get(uid);
    if (!local) return;
    this.#renewals.get(uid)?.();
    this.#renewals.delete(uid);
    this.#folders.delete(uid);
    this.#options.addresses.release(uid);
    this.#options.files.remove(local.pod);
    rmSync(join(this.#options.logsDir, podFolder(local.pod)), { recursive: true, force: true });
    this.store.remove(uid);
    await this.#options.volumes.remove(uid);
  }
}

/** What does not end with the container: it will not be allowed its port the next time either. */
function lasting(local: LocalPod, name: string) {
  const { fault } = localContainer(local, name);
  return fault?.reason === "PrivilegedPort" ? fault : undefined;
}

class StartProblem extends Error {
  readonly reason: string;
  readonly awaitsObjects: boolean;
  constructor(reason: string, message: string, awaitsObjects = false) {
    super(message);
    this.reason = reason;
    this.awaitsObjects = awaitsObjects;
  }
}

const podFolder = ({ metadata: { namespace, name, uid } }: Pod) => `${namespace}_${name}_${uid}`;

export const logPath = (logsDir: string, pod: Pod, container: string, restartCount: number): string =>
  join(logsDir, podFolder(pod), container, `${restartCount}.log`);

/**
 * What the API says of a container that this node has held before: what ran has ended with the agent that ran it.
 * Source: kubernetes pkg/kubelet/kubelet_pods.go (ContainerStatusUnknown).
 */
function remembered(pod: Pod, name: string, now: number): LocalContainer {
  const statuses: readonly ContainerStatus[] = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  const before = statuses.find((status) => status.name === name);
  if (!before) return idle;
  const { restartCount, imageID, state, lastState } = before;
  const id = (containerID: string | undefined) => containerID?.replace(/^.*:\/\//, "") ?? "";
  const ended = state?.terminated ?? (state?.waiting ? lastState?.terminated : undefined);
  if (ended) {
    const past: Ended = {
      id: id(ended.containerID),
      startedAt: Date.parse(ended.startedAt ?? ended.finishedAt ?? "") || now,
      finishedAt: Date.parse(ended.finishedAt ?? "") || now,
      exitCode: ended.exitCode,
      reason: ended.reason ?? "Error",
      message: ended.message,
    };
    return { ...idle, restartCount, imageID, state: { is: "exited", ...past } };
  }
  if (!state?.running) return { ...idle, restartCount };
  const lost: Ended = {
    id: id(before.containerID),
    startedAt: Date.parse(state.running.startedAt ?? "") || now,
    finishedAt: now,
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
  };
  return { ...idle, restartCount, imageID, state: { is: "exited", ...lost } };
}
