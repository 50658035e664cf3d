/**
 * The status of a pod, from what runs.
 *
 * Source: kubernetes pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses), pkg/kubelet/status/generate.go.
 */
import {
  type ContainerState as ApiContainerState,
  type Container,
  type ContainerStatus,
  type Pod,
  type PodCondition,
  type PodStatus,
  timeOf,
} from "@flotilla/objects";
import { allContainers, type Ended, isRunning, type LocalPod, localContainer } from "./local-pod.ts";
import type { PodActions } from "./pod-actions.ts";

export interface StatusFacts {
  readonly hostIP: string;
  readonly scheme: string;
  readonly now: number;
}

/** Why the pod is ended by the node itself. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
}

const time = (ms: number) => timeOf(new Date(ms));

export function podStatus(
  pod: Pod,
  local: LocalPod,
  actions: PodActions | undefined,
  facts: StatusFacts,
  verdict?: Verdict,
): PodStatus {
  const statusOf = (container: Container) => containerStatus(pod, container, local, actions, facts);
  const phase = phaseOf(pod, local, actions, verdict);
  const initContainerStatuses = pod.spec.initContainers?.map(statusOf);
  const containerStatuses = pod.spec.containers.map(statusOf);
  const before = pod.status ?? {};
  return {
    ...before,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    ...(verdict ? { reason: verdict.reason, message: verdict.message } : {}),
    hostIP: facts.hostIP,
    hostIPs: [{ ip: facts.hostIP }],
    podIP: local.podIP,
    podIPs: [{ ip: local.podIP }],
    startTime: local.startTime,
    ...(initContainerStatuses?.length ? { initContainerStatuses } : {}),
    containerStatuses,
    qosClass: before.qosClass ?? qosClass(pod),
    conditions: conditions(
      pod,
      local,
      actions,
      phase,
      [...(initContainerStatuses ?? []), ...containerStatuses],
      facts.now,
    ),
  };
}

function phaseOf(
  pod: Pod,
  local: LocalPod,
  actions: PodActions | undefined,
  verdict?: Verdict,
): NonNullable<PodStatus["phase"]> {
  const before = pod.status?.phase;
  if (before === "Succeeded" || before === "Failed") return before;
  const running = pod.spec.containers.some(({ name }) => isRunning(localContainer(local, name)));
  if (verdict) return running ? "Running" : "Failed";
  if (actions?.outcome && !Object.values(local.containers).some(isRunning)) return actions.outcome;
  const begun = ({ name }: Container) => {
    const { state, last } = localContainer(local, name);
    return state.is === "running" || state.is === "exited" || last !== undefined;
  };
  return pod.spec.containers.every(begun) ? "Running" : "Pending";
}

function containerStatus(
  pod: Pod,
  container: Container,
  local: LocalPod,
  actions: PodActions | undefined,
  { scheme }: StatusFacts,
): ContainerStatus {
  const known = localContainer(local, container.name);
  const { state, last, restartCount, imageID = "", ready, started, fault } = known;
  const waits = actions?.waiting.get(container.name);
  const isInit = pod.spec.initContainers?.some(({ name }) => name === container.name) ?? false;
  const runs = state.is === "running";
  const ended = state.is === "exited" ? state : undefined;
  // One that waits for its restart shows why it waits, and its end as the last state.
  const shown: ApiContainerState = runs
    ? { running: { startedAt: time(state.startedAt) } }
    : ended && !waits
      ? terminated(ended, scheme)
      : { waiting: waits ?? defaultWaiting(pod, actions, isInit) };
  const lastEnded = ended && waits ? ended : last;
  const id = runs ? state.id : (ended ?? last)?.id;
  const completedInit = isInit && ended?.exitCode === 0;
  return {
    name: container.name,
    state: shown,
    lastState: lastEnded ? terminated(lastEnded, scheme) : {},
    ready: completedInit || (runs && ready && started && !fault),
    restartCount,
    image: container.image ?? "",
    imageID,
    ...(id ? { containerID: `${scheme}://${id}` } : {}),
    started: runs && started,
  };
}

const defaultWaiting = (pod: Pod, actions: PodActions | undefined, isInit: boolean) => ({
  reason:
    (pod.spec.initContainers?.length && !actions?.initialized) || isInit ? "PodInitializing" : "ContainerCreating",
});

const terminated = (ended: Ended, scheme: string): ApiContainerState => ({
  terminated: {
    exitCode: ended.exitCode,
    reason: ended.reason,
    ...(ended.message ? { message: ended.message } : {}),
    startedAt: time(ended.startedAt),
    finishedAt: time(ended.finishedAt),
    containerID: `${scheme}://${ended.id}`,
  },
});

function conditions(
  pod: Pod,
  local: LocalPod,
  actions: PodActions | undefined,
  phase: string,
  statuses: readonly ContainerStatus[],
  now: number,
): PodCondition[] {
  const done = phase === "Succeeded" ? "PodCompleted" : phase === "Failed" ? "PodFailed" : undefined;
  const sidecarsAndRegular = allContainers(pod).filter(({ kind }) => kind !== "init");
  const unready = sidecarsAndRegular
    .map(({ container }) => container.name)
    .filter((name) => !statuses.find((status) => status.name === name)?.ready);
  const notReady = done
    ? { reason: done }
    : unready.length > 0
      ? { reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` }
      : undefined;
  const gates = (pod.spec.readinessGates ?? []).filter(
    ({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status !== "True",
  );
  const gated = gates.map(
    ({ conditionType }) => `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
  );
  const initialized =
    actions?.initialized ||
    phase === "Succeeded" ||
    pod.spec.containers.some(({ name }) => localContainer(local, name).state.is !== "idle");
  const incomplete = (pod.spec.initContainers ?? [])
    .map(({ name }) => name)
    .filter((name) => {
      const { state } = localContainer(local, name);
      return !(state.is === "exited" && state.exitCode === 0);
    });
  const faults = Object.entries(local.containers).flatMap(([name, { fault }]) => (fault ? [{ ...fault, name }] : []));
  const wanted: (Pick<PodCondition, "type" | "status"> & { reason?: string; message?: string })[] = [
    { type: "PodReadyToStartContainers", status: done || local.volumes.hash === undefined ? "False" : "True" },
    initialized
      ? { type: "Initialized", status: "True", ...(phase === "Succeeded" ? { reason: "PodCompleted" } : {}) }
      : {
          type: "Initialized",
          status: "False",
          reason: "ContainersNotInitialized",
          message: `containers with incomplete status: [${incomplete.join(" ")}]`,
        },
    notReady || gated.length > 0
      ? {
          type: "Ready",
          status: "False",
          ...(notReady ?? { reason: "ReadinessGatesNotReady", message: gated.join(", ") }),
        }
      : { type: "Ready", status: "True" },
    { type: "ContainersReady", status: notReady ? "False" : "True", ...notReady },
    { type: "PodScheduled", status: "True" },
    ...(faults.length > 0
      ? [
          {
            type: "flotilla.dev/Reachable",
            status: "False",
            reason: faults[0]?.reason,
            message: faults.map(({ name, message }) => `${name} ${message}`).join("; "),
          } as const,
        ]
      : []),
    ...(local.shortcomings.length > 0
      ? [
          {
            type: "flotilla.dev/Confined",
            status: "False",
            reason: "PlainProcesses",
            message: `this machine refuses namespaces; not honoured: ${local.shortcomings.join(", ")}`,
          } as const,
        ]
      : []),
  ];
  const before = pod.status?.conditions ?? [];
  const mine = new Set([...wanted.map(({ type }) => type), "flotilla.dev/Reachable", "flotilla.dev/Confined"]);
  const others = before.filter(({ type }) => !mine.has(type));
  return [
    ...wanted.map((condition) => {
      const old = before.find(({ type }) => type === condition.type);
      const since = old?.status === condition.status ? old?.lastTransitionTime : undefined;
      return { ...condition, lastTransitionTime: since ?? time(now) };
    }),
    ...others,
  ];
}

/** Source: kubernetes pkg/apis/core/v1/helper/qos/qos.go. */
export function qosClass({ spec }: Pod): NonNullable<PodStatus["qosClass"]> {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const amounts = containers.flatMap(({ resources }) => [
    ...Object.entries(resources?.requests ?? {}),
    ...Object.entries(resources?.limits ?? {}),
  ]);
  if (!amounts.some(([name]) => name === "cpu" || name === "memory")) return "BestEffort";
  const guaranteed = containers.every(({ resources }) =>
    ["cpu", "memory"].every((name) => {
      const limit = resources?.limits?.[name];
      return limit !== undefined && (resources?.requests?.[name] ?? limit) === limit;
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
