/** pods/eviction: a deletion that disruption budgets may refuse. Source: kubernetes pkg/registry/core/pod/storage/eviction.go */
import {
  badRequest,
  failure,
  isReady,
  type KubeObject,
  matchesSelector,
  notFound,
  type Pod,
  type PodDisruptionBudget,
  PodDisruptionBudgets,
  Pods,
  resourceName,
  StatusError,
  tooManyRequests,
} from "@flotilla/objects";
import type { DeleteOptions } from "../../registry.ts";
import { clone } from "../clone.ts";
import { checkPreconditions, deleteObject } from "../deleting.ts";
import { keyOf, keyOfObject, type Place, timestamp, type Writing } from "../parts.ts";
import { replaceObject } from "../updating.ts";
import { success } from "./binding.ts";

interface EvictionBody extends Partial<KubeObject> {
  deleteOptions?: DeleteOptions;
}

export function evictPod(writing: Writing, { namespace, name }: Omit<Place, "resource">, body: unknown): KubeObject {
  const { metadata, deleteOptions = {} } = (body ?? {}) as EvictionBody;
  if (metadata?.name !== undefined && metadata.name !== name)
    throw badRequest("name in URL does not match name in Eviction object");
  const pod = writing.transaction.get("pods", keyOf(namespace, name)) as Pod | undefined;
  if (!pod) throw notFound(Pods, name);
  checkPreconditions(Pods, pod, deleteOptions);
  if (!ignoresBudgets(pod)) askBudget(writing, pod);
  markDisrupted(writing, pod);
  const { resourceVersion: _, ...preconditions } = deleteOptions.preconditions ?? {};
  deleteObject(writing, { resource: Pods, namespace, name }, { ...deleteOptions, preconditions });
  return success();
}

const ignoresBudgets = ({ metadata, status }: Pod) =>
  ["Succeeded", "Failed", "Pending"].includes(status?.phase ?? "") || metadata.deletionTimestamp !== undefined;

function askBudget(writing: Writing, pod: Pod): void {
  const budgets = (
    writing.transaction.list(resourceName(PodDisruptionBudgets), pod.metadata.namespace) as PodDisruptionBudget[]
  ).filter(({ spec }) => spec.selector && matchesSelector(spec.selector, pod.metadata.labels));
  const [budget, second] = budgets;
  if (second)
    throw failure(
      500,
      undefined,
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  if (!budget || unhealthyAnyway(pod, budget)) return;
  const { status } = budget;
  const name = budget.metadata.name;
  if ((status?.observedGeneration ?? 0) < (budget.metadata.generation ?? 0))
    throw refused(`The disruption budget ${name} is still being processed by the server.`, 10);
  if ((status?.disruptionsAllowed ?? 0) <= 0)
    throw refused(
      `The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
      0,
    );
  const after = clone(budget);
  const disruptedPods = {
    ...status?.disruptedPods,
    [pod.metadata.name]: timestamp(writing.parts.clock.now()),
  };
  after.status = {
    ...status,
    disruptionsAllowed: (status?.disruptionsAllowed ?? 0) - 1,
    disruptedPods,
  } as NonNullable<PodDisruptionBudget["status"]>;
  writing.transaction.put(resourceName(PodDisruptionBudgets), keyOfObject(budget), after);
}

/** An unready pod protects nobody: it may go when the budget says so, or when enough others are healthy. */
function unhealthyAnyway(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isReady(pod)) return false;
  if (spec.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  return (status?.desiredHealthy ?? 0) > 0 && (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0);
}

function refused(cause: string, retryAfterSeconds: number): StatusError {
  const { status } = tooManyRequests(
    "Cannot evict pod as it would violate the pod's disruption budget.",
    retryAfterSeconds,
  );
  return new StatusError({
    ...status,
    details: { ...status.details, causes: [{ reason: "DisruptionBudget", message: cause }] },
  });
}

function markDisrupted(writing: Writing, before: Pod): void {
  const pod = clone(before);
  const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: timestamp(writing.parts.clock.now()),
  };
  pod.status = { ...pod.status, conditions: [...conditions, condition] } as NonNullable<Pod["status"]>;
  replaceObject(writing, Pods, before, pod, { subresource: "status" });
}
