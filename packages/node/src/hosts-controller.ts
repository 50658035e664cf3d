/** Keeps the names of Services, and of the pods behind headless ones, in the hosts file of every pod. */
import { type Controller, type Effect, type Key, watchMapped } from "@flotilla/client";
import { type EndpointSlice, EndpointSlices, type Service, Services } from "@flotilla/objects";

export interface HostName {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Names of single pods behind it, with their address. */
  readonly pods: readonly { readonly hostname: string; readonly address: string }[];
}

export interface HostsEffect {
  readonly names: readonly HostName[];
}

/** Everything is one file, so everything is one key. */
const everything: Key = { name: "hosts" };

interface Observed {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
}

export const hostsController: Controller<Observed> = {
  name: "hosts",
  watches: [watchMapped(Services, () => [everything]), watchMapped(EndpointSlices, () => [everything])],
  observe: (_key, cache) => ({ services: cache.list(Services), slices: cache.list(EndpointSlices) }),
  decide: ({ services, slices }) => ({ effects: [toHosts({ names: hostNames(services, slices) })] }),
};

const toHosts = (effect: HostsEffect): Effect<HostsEffect> => ({ to: "hosts", do: effect });

export function hostNames(services: readonly Service[], slices: readonly EndpointSlice[]): HostName[] {
  const endpoints = Map.groupBy(
    slices,
    ({ metadata: { namespace, labels } }) => `${namespace}/${labels?.["kubernetes.io/service-name"]}`,
  );
  return services.flatMap(({ metadata: { namespace = "", name }, spec }) => {
    const ip = spec?.clusterIP;
    if (ip && ip !== "None") return [{ namespace, name, addresses: [ip], pods: [] }];
    const behind = (endpoints.get(`${namespace}/${name}`) ?? []).flatMap((slice) => slice.endpoints ?? []);
    const found = behind.filter(({ conditions }) => spec?.publishNotReadyAddresses || conditions?.ready !== false);
    const pods = found.flatMap(({ hostname, targetRef, addresses: [address] }) => {
      const known = hostname ?? targetRef?.name;
      return known && address ? [{ hostname: known, address }] : [];
    });
    return [{ namespace, name, addresses: found.flatMap((endpoint) => endpoint.addresses.slice(0, 1)), pods }];
  });
}

/** The lines for pods of one namespace: its own Services by their short names too. Sorted, so that equal is equal. */
export function hostLines(names: readonly HostName[], namespace: string): string {
  const lines: string[] = [];
  for (const each of names.toSorted((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))) {
    const forms = (name: string) => [
      ...(each.namespace === namespace ? [name] : []),
      `${name}.${each.namespace}`,
      `${name}.${each.namespace}.svc`,
      `${name}.${each.namespace}.svc.cluster.local`,
    ];
    for (const address of each.addresses.toSorted()) lines.push(`${address}\t${forms(each.name).join("\t")}\n`);
    for (const { hostname, address } of each.pods.toSorted((a, b) => (a.hostname < b.hostname ? -1 : 1)))
      lines.push(`${address}\t${forms(`${hostname}.${each.name}`).join("\t")}\n`);
  }
  return lines.join("");
}
