/**
 * What one pod is to one Service: its endpoint, and the ports at which it answers.
 *
 * Source: k8s.io/endpointslice utils.go, and kubernetes pkg/api/v1/pod for ports.
 */
import {
  type DiscoveryEndpointPort,
  type Endpoint,
  isDeleted,
  isReady,
  isTerminal,
  type Pod,
  type Service,
  type ServicePort,
} from "@flotilla/objects";

/** A pod without an address, or one that has ended, is none. */
export function isEndpoint(pod: Pod): boolean {
  return !isTerminal(pod) && Boolean(pod.status?.podIP);
}

export const familyOf = (address: string): "IPv4" | "IPv6" => (address.includes(":") ? "IPv6" : "IPv4");

export const addressesOf = (pod: Pod, family: string): string[] =>
  (pod.status?.podIPs?.map(({ ip }) => ip ?? "") ?? [pod.status?.podIP ?? ""]).filter(
    (ip) => ip && familyOf(ip) === family,
  );

export function endpointOf(service: Service, pod: Pod, family: string): Endpoint {
  const serving = isReady(pod);
  const terminating = isDeleted(pod);
  const { hostname, subdomain } = pod.spec;
  return {
    addresses: addressesOf(pod, family).slice(0, 1),
    conditions: {
      // Terminating is never ready, except where the Service wants addresses whatever their state.
      ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    ...(hostname && subdomain === service.metadata.name && { hostname }),
    targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  };
}

/** The ports of the Service as this pod has them: a port that it does not name is left out. */
export const portsOf = (service: Service, pod: Pod): DiscoveryEndpointPort[] =>
  (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? "",
        port: number,
        protocol: port.protocol ?? "TCP",
        ...(port.appProtocol && { appProtocol: port.appProtocol }),
      },
    ];
  });

function targetPort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target === 0 ? port.port : target;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...pod.spec.containers, ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name, protocol }) => name === target && (protocol ?? "TCP") === (port.protocol ?? "TCP"))?.containerPort;
}
