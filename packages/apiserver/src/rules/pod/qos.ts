/** How much a pod is promised: the class by which the machine chooses what to end first. Source: kubernetes pkg/apis/core/helper/qos */
import {
  addQuantities,
  compareQuantities,
  type Pod,
  type PodSpec,
  type Quantity,
  type ResourceRequirements,
} from "@flotilla/objects";

type QosClass = NonNullable<NonNullable<Pod["status"]>["qosClass"]>;
type Amounts = Record<string, Quantity>;

const counted = ["cpu", "memory"];

export function qosClass(spec: PodSpec): QosClass {
  const parts: (ResourceRequirements | undefined)[] = spec.resources
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources);
  const requests: Amounts = {};
  const limits: Amounts = {};
  let guaranteed = true;
  for (const part of parts) {
    add(requests, part?.requests);
    // A pod-level part without limits says nothing here; limits that differ from requests do below.
    const found = add(limits, part?.limits);
    if (found < counted.length && !(spec.resources && !part?.limits)) guaranteed = false;
  }
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  const same = counted.every((name) => requests[name] === undefined || equal(limits[name], requests[name]));
  return guaranteed && same && Object.keys(requests).length === Object.keys(limits).length ? "Guaranteed" : "Burstable";
}

const equal = (limit: Quantity | undefined, request: Quantity | undefined) =>
  limit !== undefined && request !== undefined && compareQuantities(limit, request) === 0;

/** How many of the counted resources are there at all. */
function add(total: Amounts, more: Amounts | undefined): number {
  let found = 0;
  for (const name of counted) {
    const amount = more?.[name];
    if (amount === undefined || compareQuantities(amount, "0") <= 0) continue;
    total[name] = addQuantities(total[name] ?? "0", amount);
    found++;
  }
  return found;
}
