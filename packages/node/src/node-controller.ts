/**
 * Keeps this node's object and its Lease in the API: registers them, reports what the node has, and that it is alive.
 *
 * Source: kubernetes pkg/kubelet/kubelet_node_status.go, component-helpers apimachinery/lease (a quarter of 40 s).
 */
import { type Controller, type Key, status, type Write, watchMapped } from "@flotilla/client";
import {
  apiVersionOf,
  type Lease,
  Leases,
  microTimeOf,
  type Node,
  type NodeCondition,
  type NodeStatus,
  Nodes,
  timeOf,
} from "@flotilla/objects";

export interface NodeDescription {
  readonly name: string;
  readonly podCIDR: string;
  readonly hostIP: string;
  readonly hostname: string;
  readonly kubeletPort?: number;
  /** Quantities. */
  readonly capacity: Readonly<Record<string, string>>;
  readonly info: NonNullable<NodeStatus["nodeInfo"]>;
  readonly os: string;
  readonly architecture: string;
}

/** Milliseconds. */
const renewEvery = 10_000;
const reportEvery = 300_000;
const leaseSeconds = 40;
const leaseNamespace = "kube-node-lease";

interface Observed {
  readonly node: Node | undefined;
  readonly lease: Lease | undefined;
}

export function nodeController(description: NodeDescription): Controller<Observed> {
  const { name } = description;
  const key: Key = { name };
  const lease: Key = { namespace: leaseNamespace, name };
  const only = { fieldSelector: `metadata.name=${name}` };
  return {
    name: "node-status",
    watches: [
      watchMapped(Nodes, () => [key], only),
      // Our own renewals must not wake us: only when it was removed.
      watchMapped(Leases, () => [], { ...only, namespace: leaseNamespace }),
    ],
    sources: [{ name: "node-begin", start: (set) => set(name, true), keys: () => [key] }],
    observe: (_key, cache) => ({ node: cache.get(Nodes, key), lease: cache.get(Leases, lease) }),
    decide: ({ node, lease }, { now }) => decideNode(description, node, lease, now),
  };
}

export function decideNode(description: NodeDescription, node: Node | undefined, lease: Lease | undefined, now: Date) {
  if (!node) return { writes: [register(description)], lookAgainIn: 1000 };
  return {
    writes: [...report(description, node, now), renewal(description.name, node, lease, now)],
    lookAgainIn: renewEvery,
  };
}

const register = ({ name, podCIDR, hostname, os, architecture }: NodeDescription): Write<Node> => ({
  verb: "create",
  resource: Nodes,
  object: {
    apiVersion: apiVersionOf(Nodes),
    kind: Nodes.kind,
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": hostname,
        "kubernetes.io/os": os,
        "kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": os,
        "beta.kubernetes.io/arch": architecture,
      },
    },
    spec: { podCIDR, podCIDRs: [podCIDR] },
  },
});

const healthy = [
  ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
  ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
  ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
  ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
] as const;

function report(description: NodeDescription, node: Node, now: Date): Write[] {
  const wanted = nodeStatus(description, node, now);
  const beats = node.status?.conditions?.map(({ lastHeartbeatTime }) => Date.parse(lastHeartbeatTime ?? "")) ?? [];
  const stale = beats.length === 0 || now.getTime() - Math.min(...beats) >= reportEvery;
  // Heartbeats alone are no reason to write.
  const bare = (each: NodeStatus | undefined) =>
    JSON.stringify({ ...each, conditions: each?.conditions?.map(({ lastHeartbeatTime: _, ...rest }) => rest) });
  const taints = node.spec?.taints?.filter(({ key }) => key !== "node.kubernetes.io/not-ready") ?? [];
  const tainted = taints.length !== (node.spec?.taints?.length ?? 0);
  const untaint: Write<Node> = {
    verb: "patch",
    type: "merge",
    resource: Nodes,
    name: description.name,
    patch: { spec: { taints: taints.length > 0 ? taints : null } },
  };
  return [
    ...(stale || bare(wanted) !== bare(node.status) ? [status(node, wanted, Nodes) as Write] : []),
    ...(tainted ? [untaint as Write] : []),
  ];
}

function nodeStatus(description: NodeDescription, node: Node, now: Date): NodeStatus {
  const { hostIP, hostname, capacity, info, kubeletPort } = description;
  const conditions: NodeCondition[] = healthy.map(([type, conditionStatus, reason, message]) => {
    const before = node.status?.conditions?.find((each) => each.type === type);
    const since = before?.status === conditionStatus ? before.lastTransitionTime : undefined;
    return {
      type,
      status: conditionStatus,
      lastHeartbeatTime: timeOf(now),
      lastTransitionTime: since ?? timeOf(now),
      reason,
      message,
    };
  });
  const others = node.status?.conditions?.filter(({ type }) => !healthy.some(([each]) => each === type)) ?? [];
  return {
    ...node.status,
    capacity: { ...capacity },
    allocatable: { ...capacity },
    conditions: [...conditions, ...others],
    addresses: [
      { type: "InternalIP", address: hostIP },
      { type: "Hostname", address: hostname },
    ],
    ...(kubeletPort === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } }),
    nodeInfo: info,
  };
}

function renewal(name: string, node: Node, lease: Lease | undefined, now: Date): Write {
  const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: microTimeOf(now) };
  if (lease)
    return { verb: "update", resource: Leases, object: { ...lease, spec: { ...lease.spec, ...spec } } } as Write;
  return {
    verb: "create",
    resource: Leases,
    object: {
      apiVersion: apiVersionOf(Leases),
      kind: Leases.kind,
      metadata: {
        name,
        namespace: leaseNamespace,
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid: node.metadata.uid ?? "" }],
      },
      spec,
    },
  } as unknown as Write;
}
