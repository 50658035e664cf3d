/** What a laptop's cluster has beside the API's own objects: the one Gateway, and the way to the metrics of the node. */
import { type Api, applyObject, create } from "@flotilla/client";
import {
  APIServices,
  EndpointSlices,
  Gateways,
  isAlreadyExists,
  type KubeObject,
  Namespaces,
  type Resource,
  Services,
} from "@flotilla/objects";

const gatewayNamespace = "flotilla-system";
const metrics = { namespace: "kube-system", name: "metrics-server" };

export async function ensureSystemObjects(api: Api, host: string, kubeletPort: number): Promise<void> {
  await api.write(create(Namespaces, { metadata: { name: gatewayNamespace }, spec: {} })).catch((error) => {
    if (!isAlreadyExists(error)) throw error;
  });
  const apply = <T extends KubeObject>(resource: Resource<T>, object: Omit<T, "apiVersion" | "kind">) =>
    api.write(applyObject(resource, object, "flotilla"));
  await Promise.all([
    // Every App's routes attach to it. On a cluster its operators make their own.
    apply(Gateways, {
      metadata: { namespace: gatewayNamespace, name: "flotilla" },
      spec: {
        gatewayClassName: "flotilla",
        listeners: [{ name: "http", protocol: "HTTP", port: 80, allowedRoutes: { namespaces: { from: "All" } } }],
      },
    }),
    // The node agent answers for metrics.k8s.io; for the API it is a server like any other.
    apply(Services, {
      metadata: metrics,
      spec: { clusterIP: "None", ports: [{ name: "http", port: 443, protocol: "TCP" }] },
    }),
    apply(EndpointSlices, {
      metadata: { ...metrics, labels: { "kubernetes.io/service-name": metrics.name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [host], conditions: { ready: true } }],
      ports: [{ name: "http", port: kubeletPort, protocol: "TCP" }],
    }),
    apply(APIServices, {
      metadata: { name: "v1beta1.metrics.k8s.io" },
      spec: {
        group: "metrics.k8s.io",
        version: "v1beta1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { ...metrics, port: 443 },
      },
    }),
  ]);
}
