/** Services and their EndpointSlices as listeners and clusters. Pure. */
import type { EndpointSlice, Service, ServicePort } from "@flotilla/objects";
import { clusterKey, type ServiceListener, type TableCluster, type TableEndpoint } from "./table.ts";

const serviceLabel = "kubernetes.io/service-name";

/** Source: kubernetes pkg/apis/core, DefaultClientIPServiceAffinitySeconds. */
const defaultAffinitySeconds = 10_800;

/** Values of appProtocol that are HTTP/1.1. h2c is passed through as TCP, so it is balanced by connection. */
const httpProtocols = new Set(["http", "kubernetes.io/ws", "kubernetes.io/http"]);

/** What a port speaks is stated, never sniffed: by appProtocol, else by a name that is or begins with "http". */
export function protocolOf({ appProtocol, name }: ServicePort): "http" | "tcp" {
  if (appProtocol) return httpProtocols.has(appProtocol.toLowerCase()) ? "http" : "tcp";
  return name === "http" || name?.startsWith("http-") ? "http" : "tcp";
}

export const isTcp = ({ protocol }: ServicePort): boolean => (protocol ?? "TCP") === "TCP";

const hasAddress = ({ spec }: Service): boolean => Boolean(spec.clusterIP) && spec.clusterIP !== "None";

export interface ServiceTable {
  readonly clusters: Record<string, TableCluster>;
  readonly services: ServiceListener[];
}

export function serviceTable(services: readonly Service[], slices: readonly EndpointSlice[]): ServiceTable {
  const slicesOf = Map.groupBy(
    slices,
    ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[serviceLabel] ?? ""}`,
  );
  const table: ServiceTable = { clusters: {}, services: [] };
  for (const service of services) {
    const { namespace = "", name } = service.metadata;
    const own = slicesOf.get(`${namespace}/${name}`) ?? [];
    for (const port of service.spec.ports?.filter(isTcp) ?? []) {
      const cluster = clusterKey(namespace, name, port.port);
      table.clusters[cluster] = clusterOf(service, port, own);
      if (!hasAddress(service)) continue;
      const address = service.spec.clusterIP as string;
      const protocol = service.spec.type === "ExternalName" ? "tcp" : protocolOf(port);
      table.services.push({ namespace, name, address, port: port.port, protocol, cluster });
    }
  }
  return table;
}

function clusterOf(service: Service, port: ServicePort, slices: readonly EndpointSlice[]): TableCluster {
  const { namespace, name, labels } = service.metadata;
  const { type, externalName, sessionAffinity, sessionAffinityConfig } = service.spec;
  const app = labels?.["app.kubernetes.io/part-of"];
  const named = { service: `${namespace}/${name}`, ...(app && { app }), port: port.port };
  if (type === "ExternalName" && externalName) {
    const endpoints = [{ address: externalName, port: port.port, state: "ready" as const }];
    return { ...named, endpoints, unready: 0 };
  }
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  return {
    ...named,
    ...endpointsOf(port, slices),
    ...(sessionAffinity === "ClientIP" && { affinity: seconds * 1000 }),
  };
}

/** An endpoint may be in two slices for a moment; the better state counts. */
function endpointsOf({ name = "" }: ServicePort, slices: readonly EndpointSlice[]) {
  const found = new Map<string, TableEndpoint>();
  const unready = new Set<string>();
  for (const { endpoints, ports } of slices) {
    const port = ports?.find((each) => (each.name ?? "") === name && (each.protocol ?? "TCP") === "TCP")?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions } of endpoints ?? []) {
      const address = addresses[0];
      if (!address) continue;
      const key = `${address} ${port}`;
      // Source: discovery/v1 EndpointConditions: nil means ready; nil serving means as ready.
      const ready = conditions?.ready ?? true;
      const draining = Boolean(conditions?.terminating) && (conditions?.serving ?? ready);
      if (ready) found.set(key, { address, port, state: "ready" });
      else if (draining && !found.has(key)) found.set(key, { address, port, state: "draining" });
      else if (!draining) unready.add(key);
    }
  }
  const endpoints = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
  return { endpoints, unready: [...unready].filter((key) => !found.has(key)).length };
}
