/** Defaults of what runs in a pod. What the table states itself is in normal-form.ts. Source: kubernetes pkg/apis/core/v1/defaults.go */
import {
  addQuantities,
  type Container,
  type HTTPGetAction,
  type ObjectFieldSelector,
  type Pod,
  type PodSpec,
  type PodTemplateSpec,
  type Probe,
  podRequests,
  type Quantity,
  type Volume,
} from "@flotilla/objects";
import { fill } from "../fill.ts";
import { tagOf } from "./image-name.ts";

/** For a pod and for a template of pods. */
export function defaultPodSpec(spec: PodSpec): void {
  fill(spec, {
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    schedulerName: "default-scheduler",
  });
  spec.securityContext ??= {};
  // The older name of the same field; both are always written.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  // Rules for single containers are behind a switch that is off by default.
  for (const container of spec.containers ?? []) delete container.restartPolicy;
  for (const container of spec.initContainers ?? [])
    if (container.restartPolicy !== "Always") delete container.restartPolicy;
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of containersOf(spec)) defaultContainer(container);
}

export function defaultTemplate({ spec }: PodTemplateSpec): void {
  if (spec) defaultPodSpec(spec);
}

/** For pods only: templates stay as they are written. */
export function defaultPod({ spec }: Pod): void {
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const { limits } = container.resources ?? {};
    if (!limits || !container.resources) continue;
    container.resources.requests = { ...limits, ...container.resources.requests };
  }
  defaultPodResources(spec);
  spec.enableServiceLinks ??= true;
  if (!spec.hostNetwork) return;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])])
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}

const supportsPodLevel = (name: string) => name === "cpu" || name === "memory" || name.startsWith("hugepages-");

/** Requests and limits of the pod as a whole follow from those of its containers, but only where there are any. */
function defaultPodResources(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources || (!resources.limits && !resources.requests)) return;
  const limits = { ...resources.limits };
  for (const [name, amount] of Object.entries(hugePageLimits(spec)))
    if (resources.requests?.[name] === undefined) limits[name] ??= amount;
  if (Object.keys(limits).length > 0) resources.limits = limits;
  if (!resources.limits) return;
  const requests: Record<string, Quantity> = { ...resources.requests };
  const { resources: _, overhead: __, ...ofContainers } = spec;
  const needed = podRequests({ apiVersion: "v1", kind: "Pod", metadata: { name: "" }, spec: ofContainers });
  for (const [name, amount] of Object.entries(needed))
    if (name === "cpu" || name === "memory") requests[name] ??= amount;
  for (const [name, amount] of Object.entries(resources.limits)) if (supportsPodLevel(name)) requests[name] ??= amount;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

function hugePageLimits(spec: PodSpec): Record<string, Quantity> {
  const total: Record<string, Quantity> = {};
  for (const { resources } of spec.containers ?? [])
    for (const [name, amount] of Object.entries(resources?.limits ?? {}))
      if (name.startsWith("hugepages-")) total[name] = addQuantities(total[name] ?? "0", amount);
  return total;
}

export const containersOf = (spec: PodSpec): Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...((spec.ephemeralContainers ?? []) as Container[]),
];

function defaultContainer(container: Container): void {
  fill(container, {
    imagePullPolicy: tagOf(container.image ?? "") === "latest" ? "Always" : "IfNotPresent",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  });
  for (const { valueFrom } of container.env ?? []) defaultFieldRef(valueFrom?.fieldRef);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe) defaultProbe(probe);
  defaultHttpGet(container.lifecycle?.postStart?.httpGet);
  defaultHttpGet(container.lifecycle?.preStop?.httpGet);
}

function defaultProbe(probe: Probe): void {
  fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  defaultHttpGet(probe.httpGet);
}

function defaultHttpGet(action: HTTPGetAction | undefined): void {
  if (action) fill(action, { path: "/", scheme: "HTTP" });
}

function defaultFieldRef(selector: ObjectFieldSelector | undefined): void {
  if (selector) fill(selector, { apiVersion: "v1" });
}

/** Octal 0644. */
const fileMode = 0o644;

function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === "name")) volume.emptyDir = {};
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected])
    if (source) source.defaultMode ??= fileMode;
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.image)
    fill(volume.image, {
      pullPolicy: tagOf(volume.image.reference ?? "") === "latest" ? "Always" : "IfNotPresent",
    });
  if (volume.ephemeral?.volumeClaimTemplate) volume.ephemeral.volumeClaimTemplate.spec.volumeMode ??= "Filesystem";
  for (const { fieldRef } of volume.downwardAPI?.items ?? []) defaultFieldRef(fieldRef);
  for (const { downwardAPI, serviceAccountToken } of volume.projected?.sources ?? []) {
    for (const { fieldRef } of downwardAPI?.items ?? []) defaultFieldRef(fieldRef);
    if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= 3600;
  }
}
