/** Small objects for tests: valid, with what a case needs and nothing else. */
import {
  type Deployment,
  Deployments,
  type KubeObject,
  newObject,
  ownerReference,
  type Pod,
  type PodSpec,
  Pods,
  type PodTemplateSpec,
  type ReplicaSet,
  ReplicaSets,
  type Resource,
} from "@flotilla/objects";

export const start = new Date("2026-01-01T00:00:00Z");
/** Long enough after `start` that all that was ready then is available. */
export const later = new Date("2026-01-01T01:00:00Z");
export const calm = { now: later, failures: [] };

/** `$name`, `$uid` of the object under test. */
export const meta = (name: string, more: Partial<KubeObject["metadata"]> = {}): KubeObject["metadata"] => ({
  name,
  namespace: "shop",
  uid: `uid-${name}`,
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...more,
});

export const template = (version = "1", spec: Partial<PodSpec> = {}): PodTemplateSpec => ({
  metadata: { labels: { app: "web" } } as unknown as KubeObject["metadata"],
  spec: { containers: [{ name: "main", image: `web:${version}` }], ...spec },
});

export const wants = (replicas: number, more: Partial<ReplicaSet["spec"]> = {}): ReplicaSet =>
  newObject(ReplicaSets, {
    metadata: meta("web"),
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template: template(), ...more },
  });

export const deployment = (replicas: number, more: Partial<Deployment["spec"]> = {}): Deployment =>
  newObject(Deployments, {
    metadata: meta("web"),
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template: template(), ...more },
  });

const ownedBy = (owner: KubeObject, resource: Resource) => [ownerReference(owner, resource)];

type Change = Omit<Partial<Pod>, "metadata" | "spec"> & {
  metadata?: Partial<Pod["metadata"]>;
  spec?: Partial<PodSpec>;
};

/** A pod of the ReplicaSet `wants`. */
export const pod = (name: string, { metadata, spec, ...more }: Change = {}): Pod =>
  newObject(Pods, {
    metadata: meta(name, { labels: { app: "web" }, ownerReferences: ownedBy(wants(0), ReplicaSets), ...metadata }),
    spec: { containers: [{ name: "main", image: "web:1" }], nodeName: "node-1", ...spec },
    ...more,
  });

export const readiness = (ready: boolean, since = "2026-01-01T00:00:00Z"): NonNullable<Pod["status"]> => ({
  phase: "Running",
  podIP: "10.0.0.1",
  podIPs: [{ ip: "10.0.0.1" }],
  conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }],
});

export const ready = (name: string, more: Change = {}): Pod => pod(name, { status: readiness(true), ...more });
export const unready = (name: string, more: Change = {}): Pod => pod(name, { status: readiness(false), ...more });
export const pending = (name: string, more: Change = {}): Pod =>
  pod(name, { status: { phase: "Pending" }, ...more, spec: { nodeName: undefined, ...more.spec } });
export const ended = (name: string, phase: "Succeeded" | "Failed" = "Failed", more: Change = {}): Pod =>
  pod(name, { status: { phase }, ...more });
export const terminating = (name: string, more: Change = {}): Pod =>
  ready(name, { ...more, metadata: { deletionTimestamp: "2026-01-01T00:00:05Z", ...more.metadata } });

/** What nodes do: every pod that runs becomes ready; `unless` says of which it does not. */
export const makeReady = (p: Pod, now: Date): void => {
  p.spec.nodeName ??= "node-1";
  p.status = readiness(true, `${now.toISOString().slice(0, 19)}Z`);
};
