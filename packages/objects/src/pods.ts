/** What state a pod is in, and what it asks for. Source: kubernetes pkg/api/v1/pod, pkg/controller; component-helpers resource. */
import { isTrue } from "./conditions.ts";
import type { Container, Pod, Quantity } from "./generated/types.ts";
import { isDeleted } from "./owners.ts";
import { addQuantities, compareQuantities } from "./quantity.ts";

/** It has run to its end. */
export const isTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** It runs or will: neither ended nor being deleted. */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && !isDeleted(pod);

export const isReady = (pod: Pod): boolean => isTrue(pod.status?.conditions, "Ready");

/** Ready for at least that long. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: Date): boolean {
  if (!isReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const since = pod.status?.conditions?.find((condition) => condition.type === "Ready")?.lastTransitionTime;
  return since !== undefined && Date.parse(since) + minReadySeconds * 1000 <= now.getTime();
}

type Requests = Record<string, Quantity>;

/**
 * What a node must have free for the pod, by resource: all containers together with the sidecars (init containers that
 * restart always), or the largest init container with the sidecars started before it, whichever is more; plus overhead.
 * Requests of the pod as a whole (cpu, memory, huge pages) stand before those of its containers.
 *
 * Source: KEP-753, as in component-helpers resource.PodRequests.
 */
export function podRequests(pod: Pod): Requests {
  const total: Requests = {};
  for (const container of pod.spec.containers) add(total, container.resources?.requests);
  const sidecars: Requests = {};
  const starting: Requests = {};
  for (const container of pod.spec.initContainers ?? []) {
    if (isSidecar(container)) {
      add(total, container.resources?.requests);
      add(sidecars, container.resources?.requests);
      raise(starting, sidecars);
    } else {
      const need = { ...sidecars };
      add(need, container.resources?.requests);
      raise(starting, need);
    }
  }
  raise(total, starting);
  for (const [name, quantity] of Object.entries(pod.spec.resources?.requests ?? {})) {
    if (name === "cpu" || name === "memory" || name.startsWith("hugepages-")) total[name] = quantity;
  }
  add(total, pod.spec.overhead);
  return total;
}

/** An init container that goes on running beside the others. */
export const isSidecar = (container: Pick<Container, "restartPolicy">): boolean => container.restartPolicy === "Always";

function add(to: Requests, more: Requests | undefined): void {
  for (const [name, quantity] of Object.entries(more ?? {})) to[name] = addQuantities(to[name] ?? "0", quantity);
}

function raise(to: Requests, least: Requests): void {
  for (const [name, quantity] of Object.entries(least)) {
    const has = to[name];
    if (has === undefined || compareQuantities(has, quantity) < 0) to[name] = quantity;
  }
}
