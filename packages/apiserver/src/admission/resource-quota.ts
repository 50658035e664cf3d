/**
 * ResourceQuotas: a write that would use more than is allowed is refused, and what is used is written into their status with
 * the write that changes it. Usage is counted from the objects themselves, so it cannot drift.
 * Source: apiserver pkg/admission/plugin/resourcequota
 */
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  deepEqual,
  forbidden,
  type KubeObject,
  type Quantity,
  type Resource,
  type ResourceQuota,
  resourceName,
  subtractQuantities,
} from "@flotilla/objects";
import { clone } from "../registry/clone.ts";
import { keyOfObject } from "../registry/parts.ts";
import { inScope, type Usage, unstated, usageOf } from "./quota-usage.ts";
import type { AdmissionRequest, AdmissionStep } from "./request.ts";

const quotasFor = ({ transaction, object }: AdmissionRequest) =>
  transaction.list("resourcequotas", object.metadata.namespace) as ResourceQuota[];

const applies = ({ spec }: ResourceQuota, resource: Resource, object: KubeObject) =>
  (spec.scopes ?? []).every((scope) => inScope(scope, resource, object)) &&
  (spec.scopeSelector?.matchExpressions ?? []).every(({ scopeName }) => inScope(scopeName, resource, object));

export const checkQuotas: AdmissionStep = (request) => {
  const { resource, operation, object, before, subresource } = request;
  if (operation === "DELETE" || subresource || !resource.namespaced) return;
  for (const quota of quotasFor(request)) {
    if (!applies(quota, resource, object)) continue;
    const hard = quota.spec.hard ?? {};
    const more = increase(usageOf(resource, object), before && usageOf(resource, before), hard);
    if (operation === "CREATE") {
      const silent = unstated(resource, object, Object.keys(hard));
      if (silent.length > 0)
        throw forbidden(
          resource,
          object.metadata.name,
          `failed quota: ${quota.metadata.name}: must specify ${silent.join("; ")}`,
        );
    }
    const used = usedBy(request, quota, resource);
    const exceeded = Object.keys(more).filter(
      (name) => compareQuantities(addQuantities(used[name] ?? 0, more[name] as Quantity), hard[name] as Quantity) > 0,
    );
    if (exceeded.length === 0) continue;
    const shown = (amounts: Usage) =>
      exceeded
        .toSorted()
        .map((name) => `${name}=${canonicalQuantity(amounts[name] ?? 0)}`)
        .join(",");
    throw forbidden(
      resource,
      object.metadata.name,
      `exceeded quota: ${quota.metadata.name}, requested: ${shown(more)}, used: ${shown(used)}, limited: ${shown(hard)}`,
    );
  }
};

/** By how much each bounded amount grows. */
function increase(now: Usage, before: Usage | undefined, hard: Usage): Usage {
  const more: Usage = {};
  for (const [name, amount] of Object.entries(now)) {
    if (hard[name] === undefined) continue;
    const grown = before?.[name] === undefined ? amount : subtractQuantities(amount, before[name]);
    if (compareQuantities(grown, 0) > 0) more[name] = grown;
  }
  return more;
}

/** Of the staged state: before the write has been staged, without it. */
function usedBy({ transaction }: AdmissionRequest, quota: ResourceQuota, counted: Resource): Usage {
  const used: Usage = {};
  for (const object of transaction.list(resourceName(counted), quota.metadata.namespace)) {
    if (!applies(quota, counted, object)) continue;
    for (const [name, amount] of Object.entries(usageOf(counted, object)))
      if (quota.spec.hard?.[name] !== undefined) used[name] = addQuantities(used[name] ?? 0, amount);
  }
  return used;
}

/** Runs once the write is staged. */
export const updateQuotas: AdmissionStep = (request) => {
  const { resource, object, transaction, parts } = request;
  if (!object.metadata.namespace) return;
  for (const quota of quotasFor(request)) {
    const itself = resourceName(resource) === "resourcequotas" && quota.metadata.name === object.metadata.name;
    const counted = itself ? parts.served.all().filter((each) => each.namespaced) : [resource];
    const hard = quota.spec.hard ?? {};
    const names = new Set(counted.flatMap((each) => Object.keys(hard).filter((name) => countedWith(each, name))));
    if (names.size === 0 && !itself) continue;
    const used: Usage = { ...quota.status?.used };
    for (const name of names) used[name] = "0";
    for (const each of counted)
      for (const [name, amount] of Object.entries(usedBy(request, quota, each)))
        if (names.has(name)) used[name] = addQuantities(used[name] ?? 0, amount);
    const status = { hard, used: Object.fromEntries(Object.keys(hard).map((name) => [name, used[name] ?? "0"])) };
    if (deepEqual(status, quota.status)) continue;
    const changed = clone(quota);
    changed.status = status;
    transaction.put("resourcequotas", keyOfObject(quota), changed);
  }
};

/** Whether objects of that kind may count towards the amount. */
function countedWith(resource: Resource, name: string): boolean {
  const kind = resourceName(resource);
  if (name === `count/${kind}` || name === kind) return true;
  if (kind === "pods") return /^(requests|limits)\.(?!storage$)|^(cpu|memory|ephemeral-storage)$/.test(name);
  if (kind === "services") return name.startsWith("services.");
  return kind === "persistentvolumeclaims" && (name === "requests.storage" || name.includes(".storageclass."));
}
