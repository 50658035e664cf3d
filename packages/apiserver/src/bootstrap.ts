/** What every cluster has from its first start; whoever deletes or changes some of it finds it restored or kept, as Kubernetes does. */
import {
  type ConfigMap,
  ConfigMaps,
  EndpointSlices,
  Endpoints,
  GatewayClasses,
  isAlreadyExists,
  type KubeObject,
  Namespaces,
  newObject,
  PriorityClasses,
  type Resource,
  Services,
  StorageClasses,
} from "@flotilla/objects";
import { addressText, parseCidr } from "./admission/cidr.ts";
import type { Registry, RequestContext } from "./registry.ts";

/** Where the API listens. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export async function furnish(registry: Registry, context: RequestContext, serviceCIDR: string): Promise<void> {
  const objects: [Resource, KubeObject][] = [
    ...["default", "kube-system", "kube-public", "kube-node-lease"].map(namespace),
    priorityClass(
      "system-cluster-critical",
      2_000_000_000,
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    priorityClass(
      "system-node-critical",
      2_000_001_000,
      "Used for system critical pods that must not be moved from their current node.",
    ),
    [StorageClasses, storageClass],
    [GatewayClasses, gatewayClass],
    [Services, kubernetesService(serviceCIDR)],
  ];
  // All are staged in this turn and committed together; those that exist stay as they are.
  await Promise.all(objects.map(([resource, object]) => createOnce(registry, context, resource, object)));
}

async function createOnce(
  registry: Registry,
  context: RequestContext,
  resource: Resource,
  object: KubeObject,
): Promise<void> {
  try {
    await registry.create({ resource, namespace: object.metadata.namespace }, object, context);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** Namespaces of an earlier start may carry the certificate of an earlier authority. */
export async function renewAuthority(registry: Registry, context: RequestContext, authority: string): Promise<void> {
  const name = "kube-root-ca.crt";
  const stale = (registry.list(ConfigMaps, { fieldSelector: `metadata.name=${name}` }).items as ConfigMap[]).filter(
    ({ data }) => data?.["ca.crt"] !== authority,
  );
  const patch = { type: "merge" as const, body: { data: { "ca.crt": authority } } };
  await Promise.all(
    stale.map(({ metadata }) =>
      registry.patch({ resource: ConfigMaps, namespace: metadata.namespace, name }, patch, context),
    ),
  );
}

const namespace = (name: string): [Resource, KubeObject] => [
  Namespaces,
  { apiVersion: "v1", kind: "Namespace", metadata: { name } },
];

const priorityClass = (name: string, value: number, description: string): [Resource, KubeObject] => [
  PriorityClasses,
  newObject(PriorityClasses, { metadata: { name }, value, globalDefault: false, description }),
];

const storageClass = newObject(StorageClasses, {
  metadata: { name: "local", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "flotilla.dev/local",
  reclaimPolicy: "Delete",
  volumeBindingMode: "Immediate",
});

const gatewayClass = newObject(GatewayClasses, {
  metadata: { name: "flotilla" },
  spec: { controllerName: "flotilla.dev/gateway", description: "The gateway of the embedded cluster." },
});

const service = { name: "kubernetes", namespace: "default" };

const kubernetesService = (serviceCIDR: string): KubeObject => {
  const address = addressText(parseCidr(serviceCIDR).first + 1);
  return newObject(Services, {
    metadata: { ...service, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      type: "ClusterIP",
      clusterIP: address,
      clusterIPs: [address],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      sessionAffinity: "None",
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: 6443 }],
    },
  });
};

/** Endpoints and EndpointSlice of default/kubernetes, and the target port of its Service. */
export async function publishEndpoint(registry: Registry, context: RequestContext, { address, port }: Endpoint) {
  const metadata = { ...service, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } };
  const ports = [{ name: "https", port, protocol: "TCP" }];
  const endpoints = newObject(Endpoints, { metadata, subsets: [{ addresses: [{ ip: address }], ports }] } as never);
  const slice = newObject(EndpointSlices, {
    metadata: { ...service, labels: { "kubernetes.io/service-name": service.name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports,
  } as never);
  const apply = (resource: Resource, body: KubeObject) =>
    registry.patch({ resource, ...service }, { type: "apply", body, force: true }, context);
  await Promise.all([
    apply(Endpoints, endpoints),
    apply(EndpointSlices, slice),
    registry.patch(
      { resource: Services, ...service },
      { type: "strategic", body: { spec: { ports: [{ port: 443, targetPort: port }] } } },
      context,
    ),
  ]);
}
