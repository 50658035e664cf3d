/** Why a pod has to end, if it has to. */
import { isTerminal, type Pod } from "@flotilla/objects";
import type { LocalPod } from "./local-pod.ts";
import type { Verdict } from "./pod-status.ts";

export interface Ending {
  readonly graceSeconds: number;
  readonly verdict?: Verdict;
}

/** Source: kubernetes pkg/apis/core/v1/defaults.go. */
const defaultGraceSeconds = 30;

export const graceOf = (pod: Pod): number =>
  pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;

/** Milliseconds until the deadline; negative: it has passed. */
export const untilDeadline = (pod: Pod, local: LocalPod, now: number): number | undefined =>
  pod.spec.activeDeadlineSeconds === undefined
    ? undefined
    : Date.parse(local.startTime) + pod.spec.activeDeadlineSeconds * 1000 - now;

export function endingOf(pod: Pod, local: LocalPod, now: number): Ending | undefined {
  const graceSeconds = graceOf(pod);
  if (pod.metadata.deletionTimestamp !== undefined) return { graceSeconds };
  if (isTerminal(pod)) return { graceSeconds };
  // Source: kubernetes pkg/kubelet/active_deadline.go.
  if ((untilDeadline(pod, local, now) ?? 1) <= 0)
    return {
      graceSeconds,
      verdict: {
        reason: "DeadlineExceeded",
        message: "Pod was active on the node longer than the specified deadline",
      },
    };
  return undefined;
}
