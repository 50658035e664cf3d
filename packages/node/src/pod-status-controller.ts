/** Writes what runs into the pods' status, and deletes a pod from the API when all of it has ended. */
import type { Controller, Decision, Source, Write } from "@flotilla/client";
import { status } from "@flotilla/client";
import { isDeleted, type Pod, Pods } from "@flotilla/objects";
import { anyRunning, type LocalPod } from "./local-pod.ts";
import { podActions } from "./pod-actions.ts";
import { type AgentFacts, observePod, type PodObservation, podWatches } from "./pod-observation.ts";
import { podStatus } from "./pod-status.ts";
import { endingOf } from "./pod-verdict.ts";

export const podStatusController = (
  facts: AgentFacts,
  locals: Source<readonly LocalPod[]>,
): Controller<PodObservation> => ({
  name: "kubelet-status",
  watches: podWatches(facts.nodeName),
  sources: [locals],
  observe: (key, cache) => observePod(key, cache, locals),
  decide: (observed, { now }) => decidePodStatus(observed, facts, now.getTime()),
});

export function decidePodStatus({ pod, locals }: PodObservation, facts: AgentFacts, now: number): Decision {
  if (!pod) return {};
  const local = locals.find(({ uid }) => uid === pod.metadata.uid);
  // Deleted before anything of it ran here.
  if (!local) return isDeleted(pod) ? { writes: [letGo(pod)] } : {};
  const ending = endingOf(pod, local, now);
  const actions = podActions(pod, local, now);
  const ended = ending !== undefined && !anyRunning(local);
  const newStatus = podStatus(
    pod,
    local,
    actions,
    { hostIP: facts.hostIP, scheme: facts.scheme, now },
    ending?.verdict,
  );
  const final = ended && isDeleted(pod) ? { ...newStatus, phase: finalPhase(pod, local, newStatus.phase) } : newStatus;
  return {
    writes: [status(pod, final), ...(ended && isDeleted(pod) ? [letGo(pod)] : [])],
    ...(actions.lookAgainIn === undefined ? {} : { lookAgainIn: actions.lookAgainIn }),
  };
}

const letGo = (pod: Pod): Write => ({
  verb: "delete",
  resource: Pods,
  namespace: pod.metadata.namespace,
  name: pod.metadata.name,
  preconditions: { uid: pod.metadata.uid },
  gracePeriodSeconds: 0,
});

/** A pod that was ended is never shown as running. Source: kubernetes pkg/kubelet/kubelet_pods.go (generateAPIPodStatus). */
function finalPhase(pod: Pod, local: LocalPod, phase: NonNullable<Pod["status"]>["phase"]) {
  if (phase === "Succeeded" || phase === "Failed") return phase;
  const failed = pod.spec.containers.some(({ name }) => {
    const state = local.containers[name]?.state;
    return state?.is !== "exited" || state.exitCode !== 0;
  });
  return failed ? "Failed" : "Succeeded";
}
