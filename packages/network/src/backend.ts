/** Where a backendRef leads. Pure. */
import type { HTTPBackendRef, HTTPRoute, HTTPRouteFilter, ReferenceGrant, Service } from "@flotilla/objects";
import { type Verdict, verdict } from "./attach.ts";
import { isGranted } from "./reference-grant.ts";
import { isTcp } from "./service-table.ts";
import { clusterKey } from "./table.ts";

export interface Referable {
  /** By "namespace/name". */
  readonly services: ReadonlyMap<string, Service>;
  readonly grants: readonly ReferenceGrant[];
}

export const referable = (services: readonly Service[], grants: readonly ReferenceGrant[]): Referable => ({
  services: new Map(services.map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each])),
  grants,
});

export type Resolved = { readonly cluster: string } | { readonly problem: Verdict };

type Reference = Pick<HTTPBackendRef, "group" | "kind" | "name" | "namespace" | "port">;

export function resolveBackend(ref: Reference, route: HTTPRoute, { services, grants }: Referable): Resolved {
  const { group = "", kind = "Service", name, namespace = route.metadata.namespace ?? "", port } = ref;
  const problem = (reason: string, message: string): Resolved => ({ problem: verdict(false, reason, message) });
  if (group !== "" || kind !== "Service")
    return problem("InvalidKind", `backend ${kind} ${name}: only Services are supported`);
  const from = route.metadata.namespace ?? "";
  if (namespace !== from && !isGranted(grants, { from, namespace, service: name })) {
    const remedy = `no ReferenceGrant in ${namespace} lets HTTPRoutes of ${from} use it`;
    return problem("RefNotPermitted", `backend ${namespace}/${name} is in another namespace, and ${remedy}`);
  }
  const service = services.get(`${namespace}/${name}`);
  if (!service) return problem("BackendNotFound", `there is no Service ${namespace}/${name}`);
  if (port === undefined) return problem("InvalidKind", `backend ${namespace}/${name}: a Service needs a port`);
  if (!service.spec.ports?.some((each) => each.port === port && isTcp(each))) {
    return problem("BackendNotFound", `Service ${namespace}/${name} has no TCP port ${port}`);
  }
  return { cluster: clusterKey(namespace, name, port) };
}

/** All references of a route: its backends' and its mirrors'. */
export function referencesOf({ spec }: HTTPRoute): Reference[] {
  return (spec.rules ?? []).flatMap(({ backendRefs = [], filters = [] }) => [
    ...backendRefs,
    ...mirrorsOf(filters),
    ...backendRefs.flatMap((ref) => mirrorsOf(ref.filters ?? [])),
  ]);
}

const mirrorsOf = (filters: readonly HTTPRouteFilter[]): Reference[] =>
  filters.flatMap(({ requestMirror }) => (requestMirror ? [requestMirror.backendRef] : []));

/** The first reference that leads nowhere, or that all is well. */
export function resolvedRefs(route: HTTPRoute, known: Referable): Verdict {
  for (const ref of referencesOf(route)) {
    const resolved = resolveBackend(ref, route, known);
    if ("problem" in resolved) return resolved.problem;
  }
  return verdict(true, "ResolvedRefs");
}
