/** What the state of a pod means to those that own pods, beyond what package objects says. */
import { isAvailable, isReady, type Pod } from "@flotilla/objects";
import { millis } from "./timestamp.ts";

/** When it became ready, in ms; NaN when it is not. */
export const readySince = (pod: Pod): number =>
  isReady(pod)
    ? millis(pod.status?.conditions?.find((condition) => condition.type === "Ready")?.lastTransitionTime)
    : Number.NaN;

/** Milliseconds until a ready pod becomes available; undefined when it is already, or is not ready. */
export const availableIn = (pod: Pod, minReadySeconds: number, now: Date): number | undefined =>
  isReady(pod) && !isAvailable(pod, minReadySeconds, now)
    ? readySince(pod) + minReadySeconds * 1000 - now.getTime()
    : undefined;

/** The highest restart count among its containers. */
export const restarts = (pod: Pod): number =>
  Math.max(
    0,
    ...[...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].map(
      (container) => container.restartCount ?? 0,
    ),
  );
