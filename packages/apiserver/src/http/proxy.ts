/** The proxy subresources of nodes, pods and services: HTTP to what runs in the cluster, through the API server. */
import { badRequest, serviceUnavailable } from "@flotilla/objects";
import { endpointOf, kubeletOf, parseProxyName, podOf } from "./backends.ts";
import type { Upstream } from "./forward.ts";
import type { ResourcePath } from "./resource-path.ts";
import type { Serving } from "./serving.ts";

/** Where a proxy request goes; `search` is the query with its question mark, or "". */
export function proxyTarget(
  serving: Serving,
  { plural, namespace, name = "", rest }: ResourcePath,
  search: string,
): Upstream {
  const path = `${rest || "/"}${search}`;
  if (plural === "nodes") {
    const { name: node } = parseProxyName(name);
    const headers = { authorization: `Bearer ${serving.kubeletToken}` };
    return { protocol: "http", ...kubeletOf(serving, node), path, headers };
  }
  const { scheme, name: target, port } = parseProxyName(name);
  if (plural === "services") return { protocol: scheme, ...endpointOf(serving, namespace, target, port), path };
  const pod = podOf(serving, namespace, target);
  const host = pod.status?.podIP;
  if (!host) throw serviceUnavailable(`pod ${target} has no address yet`);
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const named = ports.find((each) => each.name === port)?.containerPort;
  const number = port ? (named ?? Number(port)) : (ports[0]?.containerPort ?? 80);
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    throw badRequest(`pod ${target} has no port ${JSON.stringify(port)}`);
  return { protocol: scheme, host, port: number, path };
}
