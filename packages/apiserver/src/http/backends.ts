/** Finds where pods, services and nodes are reached: addresses and ports for forwarding. */
import {
  badRequest,
  EndpointSlices,
  type Node,
  Nodes,
  notFound,
  type Pod,
  Pods,
  type Service,
  Services,
  serviceUnavailable,
} from "@flotilla/objects";
import type { Serving } from "./serving.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const podOf = ({ registry }: Serving, namespace: string | undefined, name: string): Pod =>
  registry.get(Pods, { namespace, name }) as Pod;

/** Where the node's agent serves the kubelet's API. Throws when the node has not said. */
export function kubeletOf({ registry }: Serving, nodeName: string): Address {
  const { status } = registry.get(Nodes, { name: nodeName }) as Node;
  const host = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  // In the table the field is named as in the API: "Port".
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (!host || !port)
    throw serviceUnavailable(
      `node ${nodeName} does not say where its kubelet is (status.addresses, status.daemonEndpoints)`,
    );
  return { host, port };
}

export const isKubelet = ({ registry }: Serving, { host, port }: Address): boolean =>
  (registry.list(Nodes).items as Node[]).some(
    ({ status }) =>
      status?.daemonEndpoints?.kubeletEndpoint?.Port === port &&
      status?.addresses?.some(({ address }) => address === host),
  );

/** A ready address behind a Service's port, by the port's number or name; without one, its only port. */
export function endpointOf(serving: Serving, namespace: string | undefined, name: string, port: string): Address {
  const { registry, random } = serving;
  const service = registry.get(Services, { namespace, name }) as Service;
  const ports = service.spec.ports ?? [];
  const asked = port
    ? ports.find((each) => each.name === port || String(each.port) === port)
    : ports.length === 1
      ? ports[0]
      : undefined;
  if (!asked) throw notFound({ group: "", plural: "services" }, port ? `${name}:${port}` : name);
  const slices = registry.list(EndpointSlices, {
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  }).items as NonNullable<(typeof EndpointSlices)["~object"]>[];
  const found = slices.flatMap(({ ports, endpoints }) => {
    const number = (ports ?? []).find((each) => (each.name ?? "") === (asked.name ?? ""))?.port;
    if (!number) return [];
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.map((host) => ({ host, port: number })));
  });
  const chosen = found[Math.floor(random.next() * found.length)];
  if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return chosen;
}

/** The address of "name", "name:port" or "scheme:name:port" as proxy URLs spell it. */
export function parseProxyName(text: string): { scheme: "http" | "https"; name: string; port: string } {
  const parts = text.split(":");
  if (parts.length === 3) {
    const [scheme = "", name = "", port = ""] = parts;
    if (scheme !== "" && scheme !== "http" && scheme !== "https")
      throw badRequest(`invalid request ${JSON.stringify(text)}: the scheme must be http or https`);
    return { scheme: scheme || "http", name, port };
  }
  const [name = "", port = ""] = parts;
  return { scheme: "http", name, port };
}
