/**
 * What an API serves. Aggregated discovery (two requests) where the server has it, else one request for each group and
 * version. Source: Kubernetes KEP-3352.
 */
import { isNotFound, type Resource, resourceOf } from "@flotilla/objects";
import type { Request } from "./http-connection.ts";

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind?: { readonly kind: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}
interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  /** The preferred version first. */
  readonly versions: readonly {
    readonly version: string;
    readonly freshness?: string;
    readonly resources?: readonly DiscoveredResource[];
  }[];
}
interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }[];
}

/** Known kinds as their constants of the table, others as the API describes them. Groups whose server is down are left out. */
export async function discoverResources(request: Request): Promise<Resource[]> {
  const both = await Promise.all(["/api", "/apis"].map((path) => discover(request, path)));
  return both.flat();
}

async function discover(request: Request, path: string): Promise<Resource[]> {
  const answer = await request(path, { headers: { accept: `${aggregated},application/json` } });
  const value = JSON.parse(await answer.text()) as {
    kind: string;
    items?: readonly GroupDiscovery[];
    versions?: readonly string[];
    groups?: readonly { name: string; versions: readonly { version: string }[] }[];
  };
  if (value.kind === "APIGroupDiscoveryList") return (value.items ?? []).flatMap(ofGroup);
  const groups = value.groups ?? [{ name: "", versions: (value.versions ?? []).map((version) => ({ version })) }];
  const lists = await Promise.all(
    groups.flatMap(({ name, versions }) => versions.map(({ version }) => ofVersion(request, path, name, version))),
  );
  return lists.flat();
}

const ofGroup = ({ metadata, versions }: GroupDiscovery): Resource[] =>
  versions.flatMap(({ version, resources = [] }) =>
    resources.flatMap((each) => {
      const kind = each.responseKind?.kind;
      if (!kind) return [];
      return asResource({
        group: metadata?.name ?? "",
        version,
        kind,
        plural: each.resource,
        singular: each.singularResource ?? kind.toLowerCase(),
        shortNames: each.shortNames ?? [],
        categories: each.categories ?? [],
        namespaced: each.scope === "Namespaced",
        subresources: (each.subresources ?? []).map(({ subresource }) => subresource),
        verbs: each.verbs,
      });
    }),
  );

async function ofVersion(request: Request, path: string, group: string, version: string): Promise<Resource[]> {
  let list: ResourceList;
  try {
    const answer = await request(group ? `${path}/${group}/${version}` : `${path}/${version}`);
    list = JSON.parse(await answer.text()) as ResourceList;
  } catch (error) {
    // Gone since the groups were listed.
    if (isNotFound(error)) return [];
    throw error;
  }
  return list.resources
    .filter(({ name }) => !name.includes("/"))
    .map((each) =>
      asResource({
        group,
        version,
        kind: each.kind,
        plural: each.name,
        singular: each.singularName || each.kind.toLowerCase(),
        shortNames: each.shortNames ?? [],
        categories: each.categories ?? [],
        namespaced: each.namespaced,
        subresources: list.resources
          .filter(({ name }) => name.startsWith(`${each.name}/`))
          .map(({ name }) => name.slice(each.name.length + 1)),
        verbs: each.verbs,
      }),
    );
}

const asResource = (found: Resource): Resource => {
  const known = resourceOf(found.group, found.version, found.plural);
  return known ? { ...known, ...found } : found;
};
