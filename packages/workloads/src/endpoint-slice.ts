/**
 * Keeps the EndpointSlices of each Service that has a selector: which pods answer, where, and in which state.
 *
 * Source: kubernetes pkg/controller/endpointslice, k8s.io/endpointslice. Pods stay in the slice that they are in; new ones fill
 * what has room, so that one change rewrites one slice.
 */
import {
  type Controller,
  create,
  remove,
  update,
  type Write,
  watch,
  watchMapped,
  watchSelected,
} from "@flotilla/client";
import {
  type DiscoveryEndpointPort,
  type Endpoint,
  type EndpointSlice,
  EndpointSlices,
  hasLabels,
  isControlledBy,
  isDeleted,
  newObject,
  ownerReference,
  type Pod,
  Pods,
  type Service,
  Services,
} from "@flotilla/objects";
import { canonical, sameMeaning } from "./canonical.ts";
import { addressesOf, endpointOf, isEndpoint, portsOf } from "./endpoint.ts";
import { freeNames } from "./name-hash.ts";

export interface ObservedService {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly slices: readonly EndpointSlice[];
}

export const maxEndpoints = 100;
export const serviceLabel = "kubernetes.io/service-name";
const managerLabel = "endpointslice.kubernetes.io/managed-by";
const manager = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";

export const endpointSliceController: Controller<ObservedService> = {
  name: "endpointslice",
  watches: [
    watch(Services),
    watchSelected(Pods, Services),
    watchMapped(EndpointSlices, ({ metadata: { namespace, labels } }) => {
      const name = labels?.[serviceLabel];
      return name && labels[managerLabel] === manager ? [{ namespace, name }] : [];
    }),
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
      slices: cache.list(EndpointSlices, {
        namespace,
        where: ({ metadata: { labels } }) => labels?.[serviceLabel] === key.name && labels[managerLabel] === manager,
      }),
    };
  },

  decide({ service, pods, slices }) {
    if (isDeleted(service)) return {};
    const mine = slices.filter((slice) => isControlledBy(slice, service) && !isDeleted(slice));
    const families = service.spec?.ipFamilies?.length ? service.spec.ipFamilies : ["IPv4"];
    const strange = mine.filter((slice) => !families.includes(slice.addressType as "IPv4"));
    const plans = families.flatMap((family) => planned(service, pods, mine, family));
    const taken = new Set(slices.map(({ metadata }) => metadata.name));
    const fresh = plans.filter(({ slice }) => !slice);
    const names = freeNames({ name: service.metadata.name, uid: service.metadata.uid ?? "" }, taken, fresh.length);
    return {
      writes: [
        // What gets endpoints is written before what loses them, so that none is ever in no slice.
        ...fresh.map((plan, i) => create(EndpointSlices, newSlice(service, plan, names[i] ?? ""))),
        ...plans.flatMap((plan) => changed(service, plan)),
        ...strange.map((slice) => remove(slice)),
      ],
    };
  },
};

interface Plan {
  readonly family: string;
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
  /** The slice that exists; none: to be made. */
  readonly slice?: EndpointSlice;
  readonly drop?: boolean;
}

/** The slices of one address family: pods whose ports are the same share slices. */
function planned(service: Service, pods: readonly Pod[], mine: readonly EndpointSlice[], family: string): Plan[] {
  const groups = new Map<string, { ports: DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (!isEndpoint(pod) || addressesOf(pod, family).length === 0) continue;
    const ports = portsOf(service, pod);
    const group = groups.get(canonical(ports)) ?? { ports, endpoints: [] };
    groups.set(canonical(ports), group);
    group.endpoints.push(endpointOf(service, pod, family));
  }
  const existing = mine.filter((slice) => slice.addressType === family);
  const plans: Plan[] = [];
  for (const [ports, group] of groups) {
    const own = existing.filter((slice) => canonical(slice.ports ?? []) === ports);
    plans.push(...distributed(group.endpoints, own).map((plan) => ({ ...plan, ports: group.ports, family })));
  }
  const orphaned = existing.filter((slice) => !groups.has(canonical(slice.ports ?? [])));
  if (groups.size > 0)
    return [...plans, ...orphaned.map((slice) => ({ family, ports: [], endpoints: [], slice, drop: true }))];
  // A Service without pods keeps one empty slice: it says that there are none.
  const [first, ...rest] = orphaned;
  return [
    { family, ports: first?.ports ?? [], endpoints: [], slice: first },
    ...rest.map((slice) => ({ family, ports: [], endpoints: [], slice, drop: true })),
  ];
}

function distributed(
  endpoints: readonly Endpoint[],
  slices: readonly EndpointSlice[],
): Omit<Plan, "ports" | "family">[] {
  const left = new Map(endpoints.map((endpoint) => [endpoint.targetRef?.uid, endpoint]));
  const filled = slices.map((slice) => {
    const kept: Endpoint[] = [];
    for (const { targetRef } of slice.endpoints ?? []) {
      const endpoint = left.get(targetRef?.uid);
      if (endpoint && kept.length < maxEndpoints && left.delete(targetRef?.uid)) kept.push(endpoint);
    }
    return { slice, endpoints: kept };
  });
  const rest = [...left.values()];
  // The fullest first: few slices, and few of them change.
  for (const plan of [...filled].sort((a, b) => b.endpoints.length - a.endpoints.length))
    plan.endpoints.push(...rest.splice(0, maxEndpoints - plan.endpoints.length));
  const fresh: Omit<Plan, "ports" | "family">[] = [];
  while (rest.length > 0) fresh.push({ endpoints: rest.splice(0, maxEndpoints) });
  return [...fresh, ...filled.map((plan) => ({ ...plan, drop: plan.endpoints.length === 0 }))];
}

const isHeadless = (service: Service) => service.spec?.clusterIP === "None";

function labelsOf(service: Service): Record<string, string> {
  return {
    ...service.metadata.labels,
    [serviceLabel]: service.metadata.name,
    [managerLabel]: manager,
    ...(isHeadless(service) && { [headlessLabel]: "" }),
  };
}

const newSlice = (service: Service, { family, ports, endpoints }: Plan, name: string): EndpointSlice =>
  newObject(EndpointSlices, {
    metadata: {
      name,
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels: labelsOf(service),
      ownerReferences: [ownerReference(service, Services)],
    },
    addressType: family,
    endpoints: [...endpoints],
    ports: [...ports],
  });

function changed(service: Service, { slice, drop, endpoints, ports }: Plan): Write[] {
  if (!slice) return [];
  if (drop) return [remove(slice)];
  const labels = labelsOf(service);
  const same =
    sameMeaning(slice.endpoints ?? [], endpoints) &&
    sameMeaning(slice.ports ?? [], ports) &&
    sameMeaning(slice.metadata.labels, labels);
  if (same) return [];
  return [update({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: [...endpoints], ports: [...ports] })];
}
