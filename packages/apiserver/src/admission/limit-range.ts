/** LimitRanges: defaults for containers that say nothing, and bounds for all. Source: kubernetes plugin/pkg/admission/limitranger */
import {
  type Container,
  compareQuantities,
  forbidden,
  type LimitRange,
  type LimitRangeItem,
  type PersistentVolumeClaim,
  type Pod,
  podRequests,
  type Quantity,
  quantityMilliValue,
  resourceName,
} from "@flotilla/objects";
import type { AdmissionRequest, AdmissionStep } from "./request.ts";

type Amounts = Record<string, Quantity>;

const annotation = "kubernetes.io/limit-ranger";

const rangesFor = ({ transaction, object }: AdmissionRequest) =>
  transaction.list("limitranges", object.metadata.namespace) as LimitRange[];

const isNewPod = ({ resource, operation, subresource }: AdmissionRequest) =>
  resourceName(resource) === "pods" && operation === "CREATE" && !subresource;

export const setDefaultLimits: AdmissionStep = (request) => {
  if (!isNewPod(request)) return;
  const { spec, metadata } = request.object as Pod;
  for (const range of rangesFor(request)) {
    const items = range.spec.limits.filter(({ type }) => type === "Container");
    const limits: Amounts = Object.assign({}, ...items.map((item) => item.default));
    const requests: Amounts = Object.assign({}, ...items.map((item) => item.defaultRequest));
    const notes = [
      ...spec.containers.flatMap((container) => fill(container, limits, requests, "container")),
      ...(spec.initContainers ?? []).flatMap((container) => fill(container, limits, requests, "init container")),
    ];
    if (notes.length > 0)
      metadata.annotations = { ...metadata.annotations, [annotation]: `LimitRanger plugin set: ${notes.join("; ")}` };
  }
};

/** Sets what is missing; says what that was. */
function fill(container: Container, limits: Amounts, requests: Amounts, what: string): string[] {
  const resources = container.resources ?? {};
  const missing = (defaults: Amounts, own: Amounts = {}) =>
    Object.keys(defaults)
      .filter((name) => !(name in own))
      .sort();
  const setRequests = missing(requests, resources.requests);
  const setLimits = missing(limits, resources.limits);
  if (setRequests.length > 0) resources.requests = { ...requests, ...resources.requests };
  if (setLimits.length > 0) resources.limits = { ...limits, ...resources.limits };
  if (setRequests.length + setLimits.length > 0) container.resources = resources;
  return [
    ...(setRequests.length > 0 ? [`${setRequests.join(", ")} request for ${what} ${container.name}`] : []),
    ...(setLimits.length > 0 ? [`${setLimits.join(", ")} limit for ${what} ${container.name}`] : []),
  ];
}

export const checkLimits: AdmissionStep = (request) => {
  const { resource, operation, object, subresource } = request;
  const isClaim = resourceName(resource) === "persistentvolumeclaims";
  if (subresource || operation === "DELETE" || !(isNewPod(request) || isClaim)) return;
  const mistakes: string[] = [];
  for (const range of rangesFor(request))
    for (const item of range.spec.limits)
      mistakes.push(...(isClaim ? claimMistakes(item, object) : podMistakes(item, object)));
  if (mistakes.length === 0) return;
  throw forbidden(
    resource,
    object.metadata.name,
    mistakes.length > 1 ? `[${mistakes.join(", ")}]` : (mistakes[0] as string),
  );
};

function claimMistakes(item: LimitRangeItem, object: object): string[] {
  if (item.type !== "PersistentVolumeClaim") return [];
  const requests = (object as PersistentVolumeClaim).spec.resources?.requests ?? {};
  // Claims have no limits: the bounds hold for the request.
  return bounds(item, requests, requests, "PersistentVolumeClaim").filter((text) => !text.includes("but limit is"));
}

function podMistakes(item: LimitRangeItem, object: object): string[] {
  const pod = object as Pod;
  if (item.type === "Container")
    return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) =>
      bounds(item, resources?.requests ?? {}, resources?.limits ?? {}, "Container"),
    );
  if (item.type === "Pod") return bounds(item, podRequests(pod), podLimits(pod), "Pod");
  return [];
}

/** The sum as for requests, of the limits. */
export function podLimits(pod: Pod): Amounts {
  const swap = (container: Container): Container => ({
    ...container,
    resources: { requests: container.resources?.limits },
  });
  const { initContainers } = pod.spec;
  return podRequests({
    ...pod,
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map(swap),
      ...(initContainers ? { initContainers: initContainers.map(swap) } : {}),
    },
  });
}

function bounds(item: LimitRangeItem, requests: Amounts, limits: Amounts, type: string): string[] {
  const mistakes: string[] = [];
  for (const [name, least] of Object.entries(item.min ?? {})) {
    const [request, limit] = [requests[name], limits[name]];
    const says = `minimum ${name} usage per ${type} is ${least}`;
    if (request === undefined) mistakes.push(`${says}.  No request is specified`);
    else if (compareQuantities(request, least) < 0) mistakes.push(`${says}, but request is ${request}`);
    else if (limit !== undefined && compareQuantities(limit, least) < 0)
      mistakes.push(`${says}, but limit is ${limit}`);
  }
  for (const [name, most] of Object.entries(item.max ?? {})) {
    const [request, limit] = [requests[name], limits[name]];
    const says = `maximum ${name} usage per ${type} is ${most}`;
    if (limit === undefined) mistakes.push(`${says}.  No limit is specified`);
    else if (compareQuantities(limit, most) > 0)
      mistakes.push(`${says}, but ${type === "PersistentVolumeClaim" ? "request" : "limit"} is ${limit}`);
    else if (request !== undefined && compareQuantities(request, most) > 0)
      mistakes.push(`${says}, but request is ${request}`);
  }
  for (const [name, most] of Object.entries(item.maxLimitRequestRatio ?? {})) {
    const request = quantityMilliValue(requests[name] ?? 0);
    const limit = quantityMilliValue(limits[name] ?? 0);
    const says = `${name} max limit to request ratio per ${type} is ${most}`;
    if (request === 0) mistakes.push(`${says}, but no request is specified or request is 0`);
    else if (limit === 0) mistakes.push(`${says}, but no limit is specified or limit is 0`);
    else if ((limit / request) * 1000 > quantityMilliValue(most))
      mistakes.push(`${says}, but provided ratio is ${(limit / request).toFixed(6)}`);
  }
  return mistakes;
}
