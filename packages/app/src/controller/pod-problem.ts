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

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

function ending(terminated: Terminated | undefined): string | undefined {
  if (!terminated) return undefined;
  if (terminated.reason === "OOMKilled")
    return "it was killed because it used more memory than its limit; raise resources.memory";
  const said = terminated.message?.trim();
  const how = terminated.signal
    ? `was ended by signal ${terminated.signal}`
    : `exited with code ${terminated.exitCode}`;
  return said ? `it ${how}: ${said}` : `it ${how}`;
}

function problemOf(container: ContainerStatus, always: boolean): string | undefined {
  const { waiting, terminated } = container.state ?? {};
  const last = ending(container.lastState?.terminated);
  if (waiting?.reason === "CrashLoopBackOff")
    return `CrashLoopBackOff: ${last ?? waiting.message ?? "it ends again and again"}`;
  if (waiting?.reason && stuck.has(waiting.reason))
    return waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason;
  if (terminated && (always || terminated.exitCode !== 0)) return ending(terminated);
  return undefined;
}

/** Undefined for a pod that works, and for one that may still come to it. */
export function podProblem(pod: Pod): string | undefined {
  if (isDeleted(pod) || isReady(pod) || pod.status?.phase === "Succeeded") return undefined;
  const conditions = pod.status?.conditions ?? [];
  const scheduled = conditions.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable")
    return `Unschedulable: ${scheduled.message ?? ""}`;
  for (const container of pod.status?.initContainerStatuses ?? []) {
    const problem = problemOf(container, false);
    if (problem) return `${container.name}: ${problem}`;
  }
  // A container that restarts always should not end at all.
  const always = (pod.spec.restartPolicy ?? "Always") === "Always";
  for (const container of pod.status?.containerStatuses ?? []) {
    const problem = problemOf(container, always);
    if (problem) return (pod.status?.containerStatuses?.length ?? 0) > 1 ? `${container.name}: ${problem}` : problem;
  }
  // It listens elsewhere than where it is looked for: said by the node agent.
  const fault = conditions.find(
    (condition) => condition.type === "flotilla.dev/Reachable" && condition.status === "False",
  );
  if (fault) return fault.message;
  if (isTerminal(pod)) return pod.status?.message ?? pod.status?.reason;
  return undefined;
}
