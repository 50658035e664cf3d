/**
 * Which containers of a pod to start and which to end, now. Pure: everything it knows is in its arguments.
 *
 * Source: kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions), kuberuntime_container.go.
 */
import type { Pod } from "@flotilla/objects";
import {
  allContainers,
  type ContainerKind,
  isRunning,
  type LocalContainer,
  type LocalPod,
  localContainer,
} from "./local-pod.ts";

/** Milliseconds. Source: kubernetes pkg/kubelet/kubelet.go (MaxContainerBackOff, backOffPeriod). */
const restartBackOff = { first: 10_000, most: 300_000, forgottenAfter: 600_000 };

export interface Start {
  readonly name: string;
  readonly restartCount: number;
  readonly backOff?: { readonly delay: number; readonly at: number };
}

export interface Stop {
  readonly name: string;
  readonly message: string;
}

export interface PodActions {
  readonly starts: readonly Start[];
  readonly stops: readonly Stop[];
  /** Why containers that do not run wait. */
  readonly waiting: ReadonlyMap<string, { readonly reason: string; readonly message?: string }>;
  /** All init containers are through. */
  readonly initialized: boolean;
  /** How the pod has ended, when nothing will be started again. */
  readonly outcome?: "Succeeded" | "Failed";
  readonly lookAgainIn?: number;
}

interface Plan {
  readonly starts: Start[];
  readonly stops: Stop[];
  readonly waiting: Map<string, { reason: string; message?: string }>;
  lookAgainIn?: number;
}

export function podActions(pod: Pod, local: LocalPod, now: number): PodActions {
  const plan: Plan = { starts: [], stops: [], waiting: new Map() };
  const of = (name: string) => localContainer(local, name);
  const done = (outcome: "Succeeded" | "Failed", initialized: boolean): PodActions => {
    for (const { container } of allContainers(pod))
      if (of(container.name).state.is === "running")
        plan.stops.push({ name: container.name, message: `Stopping container ${container.name}` });
    return { ...plan, starts: [], outcome, initialized };
  };

  for (const { container } of allContainers(pod)) {
    const { state, unhealthy } = of(container.name);
    if (state.is === "running" && unhealthy && !state.stopping)
      plan.stops.push({ name: container.name, message: `Container ${container.name} ${unhealthy}, will be restarted` });
  }

  let initialized = true;
  for (const { container, kind } of allContainers(pod)) {
    const { name } = container;
    const known = of(name);
    if (kind === "regular") break;
    if (kind === "sidecar") {
      if (!isRunning(known)) startOrWait(pod, name, known, now, plan);
      if (!(known.state.is === "running" && known.started)) initialized = false;
    } else {
      if (known.state.is === "exited" && known.state.exitCode === 0) continue;
      initialized = false;
      if (known.state.is === "exited" && pod.spec.restartPolicy === "Never") return done("Failed", false);
      if (!isRunning(known)) startOrWait(pod, name, known, now, plan);
    }
    if (!initialized) break;
  }
  // Once regular containers run, a sidecar that restarts does not send the pod back to its beginning.
  const begun = pod.spec.containers.some(({ name }) => of(name).state.is !== "idle");
  if (!initialized && !begun) return { ...plan, initialized: false };

  let unfinished = 0;
  let failed = 0;
  for (const container of pod.spec.containers) {
    const known = of(container.name);
    if (isRunning(known)) unfinished++;
    else if (known.state.is === "exited" && !restarts(pod, known.state.exitCode)) {
      if (known.state.exitCode !== 0) failed++;
    } else {
      unfinished++;
      startOrWait(pod, container.name, known, now, plan);
    }
  }
  if (unfinished === 0) return done(failed > 0 ? "Failed" : "Succeeded", true);
  return { ...plan, initialized: true };
}

const restarts = ({ spec: { restartPolicy = "Always" } }: Pod, exitCode: number) =>
  restartPolicy === "Always" || (restartPolicy === "OnFailure" && exitCode !== 0);

function startOrWait(pod: Pod, name: string, known: LocalContainer, now: number, plan: Plan) {
  const soonest = (ms: number) => {
    plan.lookAgainIn = Math.min(plan.lookAgainIn ?? ms, ms);
  };
  const { state, failure, backOff } = known;
  if (failure) {
    const wait = failure.at + delayOf(failure.count) - now;
    if (wait > 0 && !failure.awaitsObjects) {
      plan.waiting.set(name, waitingFor(failure));
      return soonest(wait);
    }
    plan.waiting.set(name, { reason: failure.reason, message: failure.message });
  }
  if (state.is !== "exited") return void plan.starts.push({ name, restartCount: known.restartCount, backOff });
  const forgotten = backOff && now - backOff.at > restartBackOff.forgottenAfter;
  const wait = backOff && !forgotten ? state.finishedAt + backOff.delay - now : 0;
  if (wait > 0) {
    plan.waiting.set(name, {
      reason: "CrashLoopBackOff",
      message: `back-off ${durationText(backOff?.delay ?? 0)} restarting failed container=${name} pod=${podText(pod)}`,
    });
    return soonest(wait);
  }
  const delay = backOff && !forgotten ? Math.min(backOff.delay * 2, restartBackOff.most) : restartBackOff.first;
  plan.starts.push({ name, restartCount: known.restartCount + 1, backOff: { delay, at: now } });
}

const delayOf = (count: number) => Math.min(restartBackOff.first * 2 ** Math.max(0, count - 1), restartBackOff.most);

/** A pull that failed is called a back-off while it waits. */
const waitingFor = ({ reason, message, count }: NonNullable<LocalContainer["failure"]>) =>
  reason === "ErrImagePull" && count > 1
    ? { reason: "ImagePullBackOff", message: `Back-off pulling image: ${message}` }
    : { reason, message };

/** As Go prints it: 10s, 2m40s, 5m0s. */
function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

const podText = ({ metadata: { name, namespace, uid } }: Pod): string => `${name}_${namespace}(${uid})`;

/**
 * The containers to end, in order, when a pod ends: first the regular ones together, then sidecars, the last one first.
 * Only those whose turn it is.
 */
export function nextToEnd(pod: Pod, local: LocalPod): readonly string[] {
  const running = allContainers(pod).filter(({ container }) => isRunning(localContainer(local, container.name)));
  const turn = (kind: ContainerKind) =>
    running.filter((each) => each.kind === kind).map(({ container }) => container.name);
  const first = [...turn("regular"), ...turn("init")];
  return first.length > 0 ? first : turn("sidecar").slice(-1);
}
