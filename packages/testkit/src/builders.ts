/** Small valid objects, in namespace "default" unless said otherwise. */
import {
  type Deployment,
  Deployments,
  type Node,
  Nodes,
  newObject,
  type ObjectMeta,
  type Pod,
  Pods,
} from "@flotilla/objects";

type Meta = Partial<ObjectMeta>;

const meta = (name: string, more: Meta = {}): ObjectMeta => ({ name, namespace: "default", ...more });
/** With a probe, so that a simulated container is ready when it says so. */
const container = (version: string) => ({
  name: "main",
  image: `app:${version}`,
  ports: [{ containerPort: 8080 }],
  readinessProbe: { httpGet: { path: "/", port: 8080 } },
});

/** Of app "web", running one container. */
export const pod = (name: string, status: Pod["status"] = {}, more: Meta = {}): Pod =>
  newObject(Pods, {
    metadata: meta(name, { uid: `uid-${name}`, resourceVersion: "1", labels: { app: "web" }, ...more }),
    spec: { containers: [container("1")] },
    status,
  });

const condition = (status: "True" | "False") => [{ type: "Ready", status, lastTransitionTime: "2026-01-01T00:00:00Z" }];

export const ready = (name: string, more?: Meta): Pod =>
  pod(name, { phase: "Running", conditions: condition("True") }, more);

export const unready = (name: string, more?: Meta): Pod =>
  pod(name, { phase: "Running", conditions: condition("False") }, more);

export const pending = (name: string, more?: Meta): Pod => pod(name, { phase: "Pending" }, more);

/** `version` is that of its image; changing it is a rollout. */
export const deployment = (
  name: string,
  replicas: number,
  { version = "1", ...spec }: Partial<Deployment["spec"]> & { version?: string } = {},
): Deployment =>
  newObject(Deployments, {
    metadata: meta(name),
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } } as unknown as ObjectMeta,
        spec: { containers: [container(version)], terminationGracePeriodSeconds: 5 },
      },
      ...spec,
    },
  });

export const node = (name: string, pods = 110): Node =>
  newObject(Nodes, {
    metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
    spec: {},
    status: { capacity: { cpu: "8", memory: "16Gi", pods: String(pods) } },
  });
