/** Why a pod does not work, in words for the person who wrote the program. */
import type { ContainerStatus, Pod } from "@flotilla/objects";
import { isDeleted, isReady, isTerminal } from "@flotilla/objects";

/** Reasons to wait that do not go away by themselves. Source: kubernetes pkg/kubelet, pkg/kubelet/images. */
const stuck = new Set([
  "CrashLoopBackOff",
  "ImagePullBackOff",
  "ErrImagePull",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "StartError",
]);

export interface Problem {
  readonly message: string;
  /** When it begins to count as a failure, in ms since 1970; until then it may pass by itself. Absent: at once. */
  readonly failsFrom?: number;
}

/** Milliseconds for which no room may be found: claims are bound and nodes freed meanwhile. */
const unschedulablePatience = 5000;
/** Milliseconds for which a program that runs may be not ready, where nothing else says how long it may take to start. */
const unreadyPatience = 15_000;

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

/** `again`: its container is started again whenever it ends. */
function ending(terminated: Terminated, again: boolean): string {
  if (terminated.reason === "OOMKilled")
    return "it was killed because it used more memory than its limit; raise resources.memory";
  const said = terminated.message?.trim();
  const how = terminated.signal
    ? `was ended by signal ${terminated.signal}`
    : `exited with code ${terminated.exitCode}`;
  return `it ${how}${again ? " and is started again" : ""}${said ? `: ${said}` : ""}`;
}

/** A container that the node lost sight of was stopped with the node: it did not fail. */
const failed = (terminated: Terminated | undefined, always: boolean): terminated is Terminated =>
  terminated !== undefined && terminated.reason !== "ContainerStatusUnknown" && (always || terminated.exitCode !== 0);

function problemOf(container: ContainerStatus, always: boolean): string | undefined {
  const { waiting, terminated } = container.state ?? {};
  const last = container.lastState?.terminated;
  if (waiting?.reason !== undefined && waiting.reason !== "CrashLoopBackOff" && stuck.has(waiting.reason))
    return waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason;
  if (failed(terminated, always)) return ending(terminated, always);
  // One that has failed stays under suspicion until it is ready: its next end is told in the same words.
  if (!container.ready && failed(last, always)) return ending(last, true);
  if (waiting?.reason === "CrashLoopBackOff") return waiting.message ?? "it ends again and again";
  return undefined;
}

/** A program that runs, and does not say that it is ready. What it still may take is for its startup probe to say. */
function unready(pod: Pod): Problem | undefined {
  const since = (pod.status?.containerStatuses ?? []).flatMap(({ name, state, ready, started }) => {
    const spec = pod.spec.containers.find((container) => container.name === name);
    if (!state?.running || ready || (spec?.startupProbe && !started)) return [];
    return [Date.parse(state.running.startedAt ?? "")];
  });
  const changed = pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  const from = Math.max(...since, Date.parse(changed ?? ""));
  if (since.length === 0 || !Number.isFinite(from)) return undefined;
  return { message: "it runs, but does not get ready", failsFrom: from + unreadyPatience };
}

const said = (message: string | undefined): Problem | undefined => (message === undefined ? undefined : { message });

/** Undefined for a pod that works, and for one of which nothing can be said yet. */
export function podProblem(pod: Pod): Problem | undefined {
  if (isDeleted(pod) || isReady(pod) || pod.status?.phase === "Succeeded") return undefined;
  const conditions = pod.status?.conditions ?? [];
  const scheduled = conditions.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable")
    return {
      message: `Unschedulable: ${scheduled.message ?? ""}`,
      failsFrom: Date.parse(scheduled.lastTransitionTime ?? "") + unschedulablePatience || 0,
    };
  for (const container of pod.status?.initContainerStatuses ?? []) {
    const problem = problemOf(container, false);
    if (problem) return { message: `${container.name}: ${problem}` };
  }
  // A container that restarts always should not end at all.
  const always = (pod.spec.restartPolicy ?? "Always") === "Always";
  for (const container of pod.status?.containerStatuses ?? []) {
    const problem = problemOf(container, always);
    if (problem)
      return {
        message: (pod.status?.containerStatuses?.length ?? 0) > 1 ? `${container.name}: ${problem}` : problem,
      };
  }
  // It listens elsewhere than where it is looked for: said by the node agent.
  const fault = conditions.find(
    (condition) => condition.type === "flotilla.dev/Reachable" && condition.status === "False",
  );
  if (fault) return said(fault.message);
  if (isTerminal(pod)) return said(pod.status?.message ?? pod.status?.reason);
  return unready(pod);
}
