/**
 * Runs the pods of this node: from the pod as the API has it and the containers as they are, to what the runtime shall do.
 * It writes nothing to the API, so pods are kept running while there is none; the statuses are `pod-status-controller.ts`.
 */
import type { Controller, Decision, Effect, Source } from "@flotilla/client";
import { contentHash, isDeleted, isTerminal, type Pod } from "@flotilla/objects";
import { containerEnv, type Resolved } from "./container-env.ts";
import { anyRunning, isRunning, type LocalPod, localContainer, type Note } from "./local-pod.ts";
import { nextToEnd, podActions, type Start } from "./pod-actions.ts";
import { type AgentFacts, observePod, type PodObservation, podWatches } from "./pod-observation.ts";
import { endingOf, graceOf, untilDeadline } from "./pod-verdict.ts";
import { podVolumes, type VolumePlan } from "./pod-volumes.ts";

export type PodEffect =
  | { readonly do: "admit"; readonly pod: Pod }
  /** The API's copy has changed: probes, grace periods and fields may have. */
  | { readonly do: "see"; readonly pod: Pod }
  | {
      readonly do: "mount";
      readonly uid: string;
      readonly plans: Resolved<readonly VolumePlan[]>;
      readonly hash: string;
    }
  | ({ readonly do: "start"; readonly uid: string; readonly env: Resolved<Record<string, string>> } & Start)
  | {
      readonly do: "stop";
      readonly uid: string;
      readonly name: string;
      readonly graceSeconds: number;
      readonly message: string;
    }
  | { readonly do: "told"; readonly uid: string; readonly upTo: number }
  | { readonly do: "release"; readonly uid: string }
  | { readonly do: "forget"; readonly uid: string };

/** How long to wait before volumes that could not be made are tried again. Milliseconds. */
const mountAgainAfter = 10_000;

const toNode = (effect: PodEffect): Effect<PodEffect> => ({ to: "node", do: effect });

export const podController = (facts: AgentFacts, locals: Source<readonly LocalPod[]>): Controller<PodObservation> => ({
  name: "kubelet",
  watches: podWatches(facts.nodeName),
  sources: [locals],
  observe: (key, cache) => observePod(key, cache, locals),
  decide: (observed, { now }) => decidePod(observed, facts, now.getTime()),
});

export function decidePod({ pod, locals, inputs }: PodObservation, facts: AgentFacts, now: number): Decision {
  const gone = locals.filter(({ uid }) => uid !== pod?.metadata.uid);
  const effects = gone.flatMap((local) => endWithoutObject(local));
  if (!pod) return { effects: effects.map(toNode) };
  const local = locals.find(({ uid }) => uid === pod.metadata.uid);
  if (!local) {
    // Also what has ended long ago: its logs may be asked for.
    if (!isDeleted(pod)) effects.push({ do: "admit", pod });
    return { effects: effects.map(toNode) };
  }
  const told = tell(pod, local);
  effects.push(...told.effects);
  if (local.pod.metadata.resourceVersion !== pod.metadata.resourceVersion) effects.push({ do: "see", pod });
  const ending = endingOf(pod, local, now);
  if (ending) {
    effects.push(...end(pod, local, ending.graceSeconds));
    if (isTerminal(pod) && local.holdsAddress && !anyRunning(local)) effects.push({ do: "release", uid: local.uid });
    return { effects: effects.map(toNode), events: told.events };
  }

  const plans = podVolumes(pod, inputs, local.podIP, facts);
  const hash = contentHash(plans);
  const { volumes } = local;
  const waitsForMount = volumes.problemAt === undefined ? 0 : volumes.problemAt + mountAgainAfter - now;
  if (
    !volumes.busy &&
    (volumes.hash !== hash || volumes.problem !== undefined) &&
    !(volumes.hash === hash && waitsForMount > 0)
  )
    effects.push({ do: "mount", uid: local.uid, plans, hash });
  const actions = podActions(pod, local, now);
  for (const { name, message } of actions.stops)
    effects.push({ do: "stop", uid: local.uid, name, message, graceSeconds: stopGrace(pod, name) });
  // Volumes come first; once they were there, a ConfigMap that goes missing stops nothing.
  if (local.volumes.hash !== undefined && (local.volumes.problem === undefined || anyRunning(local))) {
    for (const start of actions.starts) {
      const container = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(
        ({ name }) => name === start.name,
      );
      if (!container) continue;
      const env = containerEnv(pod, container, inputs, local.podIP, facts);
      // Said once; an object that appears, or another that is missing, changes the answer.
      if (env.problem !== undefined && localContainer(local, start.name).failure?.message === env.problem) continue;
      effects.push({ do: "start", uid: local.uid, env, ...start });
    }
  }
  const soonest = [actions.lookAgainIn, untilDeadline(pod, local, now), volumes.problem ? mountAgainAfter : undefined];
  const lookAgainIn = Math.min(...soonest.filter((ms) => ms !== undefined));
  return {
    effects: effects.map(toNode),
    events: told.events,
    ...(Number.isFinite(lookAgainIn) ? { lookAgainIn: Math.max(0, lookAgainIn) } : {}),
  };
}

function tell(pod: Pod, { uid, notes }: LocalPod): { events: NonNullable<Decision["events"]>; effects: PodEffect[] } {
  const last: Note | undefined = notes.at(-1);
  return {
    events: notes.map(({ type, reason, message, container }) => {
      const note = { about: pod, type, reason, message };
      return container === undefined ? note : { ...note, fieldPath: fieldPathOf(pod, container) };
    }),
    effects: last ? [{ do: "told", uid, upTo: last.number }] : [],
  };
}

/** Source: kubernetes pkg/kubelet/container/ref.go. */
function fieldPathOf({ spec }: Pod, name: string): string {
  const isInit = spec.initContainers?.some((each) => each.name === name) ?? false;
  return `spec.${isInit ? "initContainers" : "containers"}{${name}}`;
}

function end(pod: Pod, local: LocalPod, graceSeconds: number): PodEffect[] {
  return nextToEnd(pod, local)
    .filter((name) => {
      const { state } = localContainer(local, name);
      return state.is === "running" && (!state.stopping || graceSeconds * 1000 < state.stopping.graceMs);
    })
    .map((name) => ({ do: "stop", uid: local.uid, name, graceSeconds, message: `Stopping container ${name}` }));
}

/** Deleted at once, or replaced by another of its name: the API has let go of it, so do we. */
function endWithoutObject(local: LocalPod): PodEffect[] {
  if (!Object.values(local.containers).some(isRunning)) return [{ do: "forget", uid: local.uid }];
  // Source: kubernetes pkg/kubelet/pod_workers.go (calculateEffectiveGracePeriod): a pod without an object gets a second.
  return end(local.pod, local, Math.min(1, graceOf(local.pod)));
}

/** A probe may ask for another grace than the pod's. */
function stopGrace(pod: Pod, name: string): number {
  const container = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((each) => each.name === name);
  return (
    container?.livenessProbe?.terminationGracePeriodSeconds ??
    container?.startupProbe?.terminationGracePeriodSeconds ??
    graceOf(pod)
  );
}
