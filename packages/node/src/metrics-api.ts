/** metrics.k8s.io of the pods of this node, and the kubelet's own summary. Source: kubernetes k8s.io/metrics, pkg/kubelet/stats. */
import { totalmem } from "node:os";
import { matchesRequirements, Nodes, notFound, type Pod, Pods, parseLabelSelector, timeOf } from "@flotilla/objects";
import type { LocalPod } from "./local-pod.ts";
import type { Usage } from "./usage.ts";

const group = "metrics.k8s.io";
const version = "v1beta1";
const apiVersion = `${group}/${version}`;

export interface MetricsFacts {
  readonly nodeName: string;
  readonly pods: readonly LocalPod[];
  readonly usage: ReadonlyMap<string, Usage>;
  readonly now: number;
}

/** The answer to GET <path>; undefined: there is no such path. Throws a StatusError for what is not there. */
export function metricsAnswer(path: string, query: URLSearchParams, facts: MetricsFacts): object | undefined {
  if (path === `/apis/${group}`) return groupDocument();
  if (path === `/apis/${apiVersion}`) return resourceList();
  const rest = path.startsWith(`/apis/${apiVersion}/`) ? path.slice(`/apis/${apiVersion}/`.length).split("/") : [];
  const selects = selector(query.get("labelSelector"));
  if (rest[0] === "nodes") {
    const node = nodeMetrics(facts);
    if (rest.length === 1) return list("NodeMetricsList", selects(node.metadata.labels) ? [node] : []);
    if (rest[1] !== facts.nodeName) throw notFound(Nodes, rest[1] ?? "");
    return node;
  }
  const namespace = rest[0] === "namespaces" ? rest[1] : undefined;
  const [kind, name] = rest[0] === "namespaces" ? rest.slice(2) : rest;
  if (kind !== "pods") return undefined;
  const named = query.get("fieldSelector")?.match(/^metadata\.name=(.+)$/)?.[1];
  const pods = facts.pods.filter(
    ({ pod: { metadata } }) => namespace === undefined || metadata.namespace === namespace,
  );
  if (name !== undefined) {
    const found = pods.find(({ pod }) => pod.metadata.name === name);
    const metrics = found && podMetrics(found, facts);
    if (!metrics) throw notFound(Pods, name);
    return metrics;
  }
  const chosen = pods.filter(
    ({ pod: { metadata } }) => selects(metadata.labels) && (named === undefined || metadata.name === named),
  );
  return list(
    "PodMetricsList",
    chosen.flatMap((local) => podMetrics(local, facts) ?? []),
  );
}

function selector(text: string | null): (labels: Readonly<Record<string, string>> | undefined) => boolean {
  if (!text) return () => true;
  const requirements = parseLabelSelector(text);
  return (labels) => matchesRequirements(requirements, labels);
}

const groupDocument = () => ({
  kind: "APIGroup",
  apiVersion: "v1",
  name: group,
  versions: [{ groupVersion: apiVersion, version }],
  preferredVersion: { groupVersion: apiVersion, version },
});

const resourceList = () => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: apiVersion,
  resources: [
    { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ],
});

const list = (kind: string, items: readonly object[]) => ({ kind, apiVersion, metadata: {}, items });

const quantities = (nanocores: number, bytes: number) => ({
  cpu: `${nanocores}n`,
  memory: `${Math.ceil(bytes / 1024)}Ki`,
});

const measured = (usages: readonly Usage[], now: number) => ({
  timestamp: timeOf(new Date(Math.max(0, ...usages.map(({ at }) => at)) || now)),
  window: `${(Math.max(0, ...usages.map(({ windowMs }) => windowMs)) / 1000).toFixed(3).replace(/\.?0+$/, "")}s`,
});

function podMetrics({ pod, containers }: LocalPod, { usage, now }: MetricsFacts) {
  const running = Object.entries(containers).flatMap(([name, { state }]) => {
    const found = state.is === "running" ? usage.get(state.id) : undefined;
    return found ? [{ name, found }] : [];
  });
  if (running.length === 0) return undefined;
  const { name, namespace, labels, creationTimestamp } = pod.metadata;
  return {
    kind: "PodMetrics",
    apiVersion,
    metadata: { name, namespace, labels, creationTimestamp },
    ...measured(
      running.map(({ found }) => found),
      now,
    ),
    containers: running.map((each) => ({
      name: each.name,
      usage: quantities(each.found.cpuNanocores, each.found.memoryBytes),
    })),
  };
}

function nodeMetrics({ nodeName, usage, now }: MetricsFacts) {
  const all = [...usage.values()];
  const sum = (of: (each: Usage) => number) => all.reduce((total, each) => total + of(each), 0);
  return {
    kind: "NodeMetrics",
    apiVersion,
    metadata: { name: nodeName, labels: { "kubernetes.io/hostname": nodeName } },
    ...measured(all, now),
    usage: quantities(
      sum(({ cpuNanocores }) => cpuNanocores),
      sum(({ memoryBytes }) => memoryBytes),
    ),
  };
}

/** As /stats/summary of a kubelet, with what is known here. */
export function statsSummary(facts: MetricsFacts): object {
  const time = timeOf(new Date(facts.now));
  const stats = (usage: Usage) => ({
    cpu: { time, usageNanoCores: usage.cpuNanocores, usageCoreNanoSeconds: usage.cpuNanosecondsTotal },
    memory: { time, workingSetBytes: usage.memoryBytes, rssBytes: usage.memoryBytes },
  });
  const podRef = ({ metadata: { name, namespace, uid } }: Pod) => ({ name, namespace, uid });
  const all = [...facts.usage.values()];
  const total = {
    cpuNanocores: all.reduce((sum, each) => sum + each.cpuNanocores, 0),
    cpuNanosecondsTotal: all.reduce((sum, each) => sum + each.cpuNanosecondsTotal, 0),
    memoryBytes: all.reduce((sum, each) => sum + each.memoryBytes, 0),
    at: facts.now,
    windowMs: 0,
  };
  return {
    node: { nodeName: facts.nodeName, ...stats(total), memory: { ...stats(total).memory, availableBytes: totalmem() } },
    pods: facts.pods.map(({ pod, containers, startTime }) => ({
      podRef: podRef(pod),
      startTime,
      containers: Object.entries(containers).flatMap(([name, { state }]) => {
        const usage = state.is === "running" ? facts.usage.get(state.id) : undefined;
        return usage ? [{ name, ...stats(usage) }] : [];
      }),
    })),
  };
}
