/**
 * The older form of EndpointSlices, one object a Service, for clients that still read it.
 *
 * Source: kubernetes pkg/controller/endpoint; terminating pods are left out, as there.
 */
import { type Controller, create, update, watch, watchMapped, watchSelected } from "@flotilla/client";
import {
  type EndpointAddress,
  type EndpointSubset,
  Endpoints,
  hasLabels,
  isDeleted,
  isReady,
  type Pod,
  Pods,
  type Service,
  Services,
} from "@flotilla/objects";
import { canonical, sameMeaning } from "./canonical.ts";
import { addressesOf, isEndpoint, portsOf } from "./endpoint.ts";

export interface ObservedEndpoints {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly endpoints: Endpoints | undefined;
}

/** More addresses than this are not listed; the annotation says so. */
const maxAddresses = 1000;
const overCapacity = "endpoints.kubernetes.io/over-capacity";

export const endpointsController: Controller<ObservedEndpoints> = {
  name: "endpoints",
  watches: [
    watch(Services),
    watchSelected(Pods, Services),
    watchMapped(Endpoints, ({ metadata: { name, namespace } }) => [{ name, namespace }]),
  ],

  observe(key, cache) {
    const service = cache.get(Services, key);
    const selector = service?.spec?.selector;
    if (!service || !selector || Object.keys(selector).length === 0 || service.spec?.type === "ExternalName")
      return undefined;
    const { namespace } = key;
    return {
      service,
      pods: cache.list(Pods, { namespace, where: (pod) => hasLabels(pod.metadata.labels, selector) }),
      endpoints: cache.get(Endpoints, key),
    };
  },

  decide({ service, pods, endpoints }) {
    if (isDeleted(service)) return {};
    const { name, namespace } = service.metadata;
    const listed = pods.filter((pod) => isEndpoint(pod) && (!isDeleted(pod) || service.spec?.publishNotReadyAddresses));
    const subsets = subsetsOf(service, listed.slice(0, maxAddresses));
    const labels = { ...service.metadata.labels, "endpoints.kubernetes.io/managed-by": "endpoint-controller" };
    const cut = listed.length > maxAddresses ? { annotations: { [overCapacity]: "truncated" } } : {};
    if (!endpoints) return { writes: [create(Endpoints, { metadata: { name, namespace, labels, ...cut }, subsets })] };
    if (sameMeaning(endpoints.subsets ?? [], subsets) && sameMeaning(endpoints.metadata.labels, labels)) return {};
    return { writes: [update({ ...endpoints, metadata: { ...endpoints.metadata, labels, ...cut }, subsets })] };
  },
};

/** Pods whose ports are the same are one subset. */
function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const family = service.spec?.ipFamilies?.[0] ?? "IPv4";
  const groups = new Map<string, EndpointSubset>();
  for (const pod of pods) {
    const [ip] = addressesOf(pod, family);
    if (!ip) continue;
    const ports = portsOf(service, pod);
    const subset = groups.get(canonical(ports)) ?? {
      ports: ports.map(({ name, port = 0, ...rest }) => ({ ...(name && { name }), port, ...rest })),
    };
    groups.set(canonical(ports), subset);
    const { name, namespace, uid } = pod.metadata;
    const address: EndpointAddress = {
      ip,
      ...(pod.spec.hostname && pod.spec.subdomain === service.metadata.name && { hostname: pod.spec.hostname }),
      ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
      targetRef: { kind: "Pod", namespace, name, uid },
    };
    if (isReady(pod) || service.spec?.publishNotReadyAddresses)
      subset.addresses = [...(subset.addresses ?? []), address];
    else subset.notReadyAddresses = [...(subset.notReadyAddresses ?? []), address];
  }
  return [...groups.values()];
}
