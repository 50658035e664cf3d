/** Probes of a service's container. */
import type { Container, Probe as KubeProbe } from "@flotilla/objects";
import { seconds } from "../model/formats.ts";
import type { Probe, Service } from "../model/service.ts";
import { type NamedPort, portsOf } from "./ports.ts";

type Action = Pick<KubeProbe, "httpGet" | "tcpSocket" | "grpc" | "exec">;

function action(probe: Probe, ports: readonly NamedPort[]): Action {
  const port = probe.port ?? ports[0]?.name ?? 0;
  if (probe.exec) return { exec: { command: [...probe.exec] } };
  if (probe.http !== undefined) return { httpGet: { path: probe.http, port, scheme: "HTTP" } };
  if (probe.grpc !== undefined) {
    // The only probe whose port must be a number.
    const number = ports.find((known) => known.name === port)?.targetPort ?? Number(port);
    return { grpc: { port: number, ...(probe.grpc && { service: probe.grpc }) } };
  }
  return { tcpSocket: { port } };
}

function probeOf(stated: string | Probe, ports: readonly NamedPort[]): KubeProbe {
  const probe: Probe = typeof stated === "string" ? { http: stated } : stated;
  return {
    ...action(probe, ports),
    periodSeconds: seconds(probe.period ?? "5s"),
    timeoutSeconds: seconds(probe.timeout ?? "2s"),
    failureThreshold: probe.failures ?? 3,
  };
}

/**
 * Readiness is never left out where there is a port. Without a stated path it is a connection, also for http and gRPC: many
 * services answer "/" with 404 and few implement the gRPC health protocol, and a wrong guess would keep a good service away
 * from its callers for ever. There is no liveness unless stated: a restart is a remedy that only the team can prescribe.
 */
export function probesOf(service: Service): Pick<Container, "startupProbe" | "readinessProbe" | "livenessProbe"> {
  const ports = portsOf(service);
  const { startup, readiness, liveness } = service.probes ?? {};
  const connectable = ports.find((port) => port.protocol !== "udp");
  const ready = readiness ?? (connectable && { tcp: true, port: connectable.name });
  return {
    ...(startup && {
      startupProbe: probeOf(typeof startup === "string" ? { http: startup, failures: 60 } : startup, ports),
    }),
    ...(ready && { readinessProbe: probeOf(ready, ports) }),
    ...(liveness && { livenessProbe: probeOf(liveness, ports) }),
  };
}
