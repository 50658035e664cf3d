/** The ports of a service, and the address that others reach it by. */
import type { App } from "../model/model.ts";
import type { Port, Protocol, Service } from "../model/service.ts";

export interface NamedPort extends Required<Port> {
  readonly name: string;
}

const named = (name: string, port: Port): NamedPort => ({
  name,
  port: port.port,
  targetPort: port.targetPort ?? port.port,
  protocol: port.protocol ?? "http",
});

/** In the order in which they are written; the first is the one meant where none is named. */
export function portsOf(service: Pick<Service, "port" | "ports">): NamedPort[] {
  if (service.port !== undefined) return [named("http", { port: service.port })];
  return Object.entries(service.ports ?? {}).map(([name, port]) => named(name, port));
}

/** What Kubernetes calls the protocol of the transport. */
export const transport = (protocol: Protocol): "TCP" | "UDP" => (protocol === "udp" ? "UDP" : "TCP");

/** Source: Kubernetes' standard application protocols (KEP-3726) and IANA's "http". */
export const appProtocol: Readonly<Record<Protocol, string | undefined>> = {
  http: "http",
  grpc: "kubernetes.io/h2c",
  ws: "kubernetes.io/ws",
  tcp: undefined,
  udp: undefined,
};

/** Where something is reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

const address = (scheme: string, host: string, port: number): Address => {
  const standard = (scheme === "http" && port === 80) || (scheme === "https" && port === 443);
  return { host, port, url: `${scheme}://${host}${standard ? "" : `:${port}`}` };
};

/** The port of the databases that can be used. */
export const databasePort = 5432;

/** The address of a service (its first port), a backing service or an external; undefined when it has no port. */
export function addressOf(app: App, name: string): Address | undefined {
  const service = app.services[name];
  if (service) {
    const first = portsOf(service)[0];
    return first && address(first.protocol, name, first.port);
  }
  const external = app.external?.[name];
  if (external) return address(external.protocol ?? "https", external.host, external.port ?? 443);
  if (app.backing?.[name]) return address("postgresql", `${name}-postgres`, databasePort);
  return undefined;
}
