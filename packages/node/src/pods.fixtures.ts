/** Pods, containers and what a node knows of them, for tests of decisions. */
import { newObject, type Pod, Pods } from "@flotilla/objects";
import { idle, type LocalContainer, type LocalPod } from "./local-pod.ts";
import type { PodInputs } from "./pod-inputs.ts";
import type { AgentFacts } from "./pod-observation.ts";

export const now = Date.UTC(2026, 0, 1, 12);
export const facts: AgentFacts = {
  nodeName: "local",
  hostIP: "127.0.0.1",
  allocatable: { cpu: "4", memory: "8Gi" },
  scheme: "process",
};
export const nothing: PodInputs = { configMaps: new Map(), secrets: new Map(), services: [], claims: new Map() };

type Spec = Partial<Pod["spec"]>;
export type Container = Partial<Pod["spec"]["containers"][number]>;

export const podOf = (spec: Spec = {}, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  ...newObject(Pods, {
    metadata: { name: "a", namespace: "default", uid: "u", resourceVersion: "1", ...metadata },
    spec: { nodeName: "local", containers: [{ name: "main", image: "i" }], ...spec },
  }),
});

export const withContainer = (container: Container, spec: Spec = {}): Pod =>
  podOf({ ...spec, containers: [{ name: "main", image: "i", ...container }] });

export const running = (more: Partial<LocalContainer> = {}): LocalContainer => ({
  ...idle,
  started: true,
  ready: true,
  state: { is: "running", id: "r", startedAt: now - 5000 },
  ...more,
});

export const exited = (exitCode: number, secondsAgo = 1, more: Partial<LocalContainer> = {}): LocalContainer => ({
  ...idle,
  state: {
    is: "exited",
    id: "r",
    startedAt: now - 60_000,
    finishedAt: now - secondsAgo * 1000,
    exitCode,
    reason: exitCode === 0 ? "Completed" : "Error",
  },
  ...more,
});

export const localOf = (
  pod: Pod,
  containers: Readonly<Record<string, LocalContainer>> = {},
  more: Partial<LocalPod> = {},
): LocalPod => ({
  pod,
  uid: pod.metadata.uid ?? "",
  podIP: "127.96.1.7",
  holdsAddress: true,
  startTime: "2026-01-01T11:00:00Z",
  containers,
  volumes: { busy: false, hash: "h" },
  shortcomings: [],
  notes: [],
  ...more,
});
