/** Where a backendRef leads. Pure. */
import type { HTTPBackendRef, HTTPRoute, HTTPRouteFilter, Service } from "@flotilla/objects";
import { type Verdict, verdict } from "./attach.ts";
import { isTcp } from "./service-table.ts";
import { clusterKey } from "./table.ts";

export type Services = ReadonlyMap<string, Service>;

export type Resolved = { readonly cluster: string } | { readonly problem: Verdict };

type Reference = Pick<HTTPBackendRef, "group" | "kind" | "name" | "namespace" | "port">;

export function resolveBackend(ref: Reference, route: HTTPRoute, services: Services): Resolved {
  const { group = "", kind = "Service", name, namespace = route.metadata.namespace ?? "", port } = ref;
  const problem = (reason: string, message: string): Resolved => ({ problem: verdict(false, reason, message) });
  if (group !== "" || kind !== "Service")
    return problem("InvalidKind", `backend ${kind} ${name}: only Services are supported`);
  // ReferenceGrants are not known here, so nothing is granted.
  if (namespace !== route.metadata.namespace) {
    return problem("RefNotPermitted", `backend ${namespace}/${name} is in another namespace`);
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
export function resolvedRefs(route: HTTPRoute, services: Services): Verdict {
  for (const ref of referencesOf(route)) {
    const resolved = resolveBackend(ref, route, services);
    if ("problem" in resolved) return resolved.problem;
  }
  return verdict(true, "ResolvedRefs");
}
