/** What the API serves, told in the old form (one document a group version) and the new one (all at once). Built when asked for. */
import type { Resource } from "@flotilla/objects";
import { aggregatedDiscovery } from "./accept.ts";
import type { Aggregation, RemoteVersion } from "./aggregation.ts";
import { answer, type KeptDocument, keptDocument, sendKept } from "./answer.ts";
import type { Exchange, Serving } from "./serving.ts";
import { subresourceOf } from "./subresources.ts";

// In order of preference; groups that are not named here follow in alphabetical order. Source: kube-aggregator
// (priorities of local APIServices), as seen in kubernetes api/discovery/aggregated_v2.json.
const groupOrder = (
  " apiregistration.k8s.io apps events.k8s.io authentication.k8s.io authorization.k8s.io autoscaling batch " +
  "certificates.k8s.io networking.k8s.io policy rbac.authorization.k8s.io storage.k8s.io admissionregistration.k8s.io " +
  "apiextensions.k8s.io scheduling.k8s.io coordination.k8s.io node.k8s.io discovery.k8s.io"
).split(" ");

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

interface Version {
  readonly version: string;
  /** Undefined for one that another server answers for. */
  readonly resources?: readonly Resource[];
  readonly remote?: RemoteVersion;
}

interface Group {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly Version[];
}

export interface Discovery {
  /** Answers what is at /api, /apis and one or two steps below; false when there is nothing. */
  serve(exchange: Exchange): Promise<boolean>;
}

export function createDiscovery(serving: Serving, aggregation: Aggregation): Discovery {
  let kept = new Map<string, KeptDocument>();
  serving.registry.onResourcesChange(() => {
    kept = new Map();
  });

  async function document(
    key: string,
    build: (groups: readonly Group[]) => unknown,
  ): Promise<KeptDocument | undefined> {
    const remote = await aggregation.versions();
    const fullKey = `${key} ${remote.map(({ revision }) => revision).join(" ")}`;
    let found = kept.get(fullKey);
    if (!found) {
      const value = build(groupsOf(serving.registry.resources(), remote));
      if (value === undefined) return undefined;
      // Documents of remote groups as they were before are of no use any more.
      if (kept.size > 200) kept.clear();
      found = keptDocument(value);
      kept.set(fullKey, found);
    }
    return found;
  }

  return {
    async serve(exchange) {
      const [, root, first, second, ...more] = exchange.path.replace(/\/$/, "").split("/");
      if ((root !== "api" && root !== "apis") || more.length > 0) return false;
      const isCore = root === "api";
      if (first === undefined) {
        const version = aggregatedDiscovery(exchange.request);
        if (version) {
          const found = await document(`${root} ${version}`, (groups) =>
            aggregated(
              groups.filter(({ name }) => (name === "") === isCore),
              version,
            ),
          );
          const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
          if (found) await sendKept(exchange, found, type);
          return found !== undefined;
        }
        if (isCore) {
          await answer(exchange, 200, coreVersions(exchange));
          return true;
        }
        return sendIfFound(exchange, await document(root, groupList));
      }
      const group = isCore ? "" : first;
      const version = isCore ? first : second;
      if (isCore && second !== undefined) return false;
      const found = await document(`${root}/${first}/${second ?? ""}`, (groups) => {
        const known = groups.find(({ name }) => name === group);
        if (version === undefined) return known && { kind: "APIGroup", apiVersion: "v1", ...groupEntry(known) };
        const served = known?.versions.find((each) => each.version === version);
        return served?.resources && resourceList(group, version, served.resources);
      });
      return sendIfFound(exchange, found);
    },
  };
}

async function sendIfFound(exchange: Exchange, found: KeptDocument | undefined): Promise<boolean> {
  if (found) await sendKept(exchange, found, "application/json");
  return found !== undefined;
}

function groupsOf(resources: readonly Resource[], remote: readonly RemoteVersion[]): Group[] {
  const groups = new Map<string, Map<string, Version>>();
  const versionsOf = (group: string): Map<string, Version> => {
    const versions = groups.get(group) ?? new Map<string, Version>();
    groups.set(group, versions);
    return versions;
  };
  for (const resource of resources) {
    const versions = versionsOf(resource.group);
    const known = versions.get(resource.version);
    const { version } = resource;
    versions.set(version, { version, resources: [...(known?.resources ?? []), resource] });
  }
  for (const each of remote) {
    const versions = versionsOf(each.group);
    if (!versions.has(each.version)) versions.set(each.version, { version: each.version, remote: each });
  }
  const rank = (name: string): number => (groupOrder.includes(name) ? groupOrder.indexOf(name) : groupOrder.length);
  return [...groups]
    .map(([name, versions]) => ({
      name,
      versions: [...versions.values()].sort((a, b) => compareVersions(a.version, b.version)),
    }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** v2 before v1 before v1beta2 before v1alpha1 before foo. Source: apimachinery pkg/version (CompareKubeAwareVersionStrings). */
export function compareVersions(a: string, b: string): number {
  const parse = (version: string) => /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  const [left, right] = [parse(a), parse(b)];
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0;
  const stage = (match: RegExpExecArray): number => (match[2] === undefined ? 2 : match[2] === "beta" ? 1 : 0);
  return (
    stage(right) - stage(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}

const coreVersions = ({ request }: Exchange): object => ({
  kind: "APIVersions",
  versions: ["v1"],
  serverAddressByClientCIDRs: [
    { clientCIDR: "0.0.0.0/0", serverAddress: `${request.socket.localAddress}:${request.socket.localPort}` },
  ],
});

const groupList = (groups: readonly Group[]): object => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: groups.filter(({ name }) => name !== "").map(groupEntry),
});

function groupEntry({ name, versions }: Group) {
  const entries = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

const resourceList = (group: string, version: string, resources: readonly Resource[]): object => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: group ? `${group}/${version}` : version,
  resources: resources.flatMap((resource) => [
    {
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs: resource.verbs ?? allVerbs,
      ...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
      ...(resource.categories.length > 0 && { categories: resource.categories }),
    },
    ...resource.subresources.map((name) => {
      const { group, version, kind, verbs } = subresourceOf(resource, name);
      const own = kind !== resource.kind && group !== resource.group && { group, version };
      return {
        name: `${resource.plural}/${name}`,
        singularName: "",
        namespaced: resource.namespaced,
        ...own,
        kind,
        verbs,
      };
    }),
  ]),
});

// Source: api/apidiscovery/v2 types.
const aggregated = (groups: readonly Group[], version: string): object => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: groups.map(({ name, versions }) => ({
    metadata: { name: name || undefined, creationTimestamp: null },
    versions: versions.map(({ version, resources, remote }) => ({
      version,
      resources: resources ? resources.map(aggregatedResource) : (remote?.resources ?? []),
      freshness: !resources && remote?.isStale ? "Stale" : "Current",
    })),
  })),
});

const aggregatedResource = (resource: Resource): object => ({
  resource: resource.plural,
  responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
  scope: resource.namespaced ? "Namespaced" : "Cluster",
  singularResource: resource.singular,
  verbs: resource.verbs ?? allVerbs,
  ...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
  ...(resource.categories.length > 0 && { categories: resource.categories }),
  ...(resource.subresources.length > 0 && {
    subresources: resource.subresources.map((name) => {
      const { verbs, ...responseKind } = subresourceOf(resource, name);
      return { subresource: name, responseKind, verbs };
    }),
  }),
});
