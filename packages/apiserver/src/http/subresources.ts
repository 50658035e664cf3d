/** What discovery says of each subresource. Source: kubernetes api/discovery. */
import type { Resource } from "@flotilla/objects";

export interface Subresource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

const readWrite = ["get", "patch", "update"];
const connect = ["create", "get"];
const forward = ["create", "delete", "get", "patch", "update"];

const core = (kind: string, verbs: readonly string[]): Subresource => ({ group: "", version: "v1", kind, verbs });

const known: Readonly<Record<string, Subresource>> = {
  scale: { group: "autoscaling", version: "v1", kind: "Scale", verbs: readWrite },
  eviction: { group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
  token: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] },
  binding: core("Binding", ["create"]),
  log: core("Pod", ["get"]),
  finalize: core("Namespace", ["update"]),
  exec: core("PodExecOptions", connect),
  attach: core("PodAttachOptions", connect),
  portforward: core("PodPortForwardOptions", connect),
};

const proxies: Readonly<Record<string, string>> = {
  pods: "PodProxyOptions",
  services: "ServiceProxyOptions",
  nodes: "NodeProxyOptions",
};

export function subresourceOf(resource: Resource, name: string): Subresource {
  if (name === "proxy") return core(proxies[resource.plural] ?? resource.kind, forward);
  const { group, version, kind } = resource;
  return known[name] ?? { group, version, kind, verbs: readWrite };
}
