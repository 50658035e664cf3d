/**
 * Takes back what the API still says of pods whose containers cannot run: they are the agent's children, so none does before it
 * begins, nor after it has ended them. Nobody shall believe a Ready of its last life.
 */
import type { Api } from "@flotilla/client";
import { status } from "@flotilla/client";
import { isTerminal, type Pod, type PodCondition, type PodStatus, Pods, timeOf } from "@flotilla/objects";
import { mirrorAnnotation } from "./pod-observation.ts";

/** Resolves when no pod of the node claims to be ready; rejects with the first error when all have been tried. */
export async function takeBackReadiness(api: Api, nodeName: string, now: number): Promise<void> {
  const { items } = await api.list(Pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  const writes = items.flatMap((pod) => {
    const corrected = unready(pod, now);
    return corrected ? [api.write(status(pod, corrected))] : [];
  });
  const failed = (await Promise.allSettled(writes)).find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

/** Undefined: it claims nothing that does not hold. */
export function unready(pod: Pod, now: number): PodStatus | undefined {
  const { status: before } = pod;
  const isClaim = ({ type, status: value }: PodCondition) => isReadiness(type) && value === "True";
  // Mirrors of static pods are written by whom they mirror.
  if (!before || isTerminal(pod) || isMirror(pod) || !before.conditions?.some(isClaim)) return undefined;
  const names = pod.spec.containers.map(({ name }) => name).join(" ");
  return {
    ...before,
    conditions: before.conditions.map((condition) =>
      isClaim(condition)
        ? {
            ...condition,
            status: "False",
            reason: "ContainersNotReady",
            message: `containers with unready status: [${names}]`,
            lastTransitionTime: timeOf(new Date(now)),
          }
        : condition,
    ),
    containerStatuses: before.containerStatuses?.map((each) => ({ ...each, ready: false, started: false })),
  };
}

const isReadiness = (type: string) => type === "Ready" || type === "ContainersReady";
const isMirror = ({ metadata: { annotations } }: Pod) => annotations?.[mirrorAnnotation] !== undefined;
