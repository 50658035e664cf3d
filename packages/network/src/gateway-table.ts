/** Gateways and the HTTPRoutes that are attached to them as listeners with rules. Pure. */
import { type HTTPRoute, type HTTPRouteFilter, type HTTPRouteRule, parseDuration } from "@flotilla/objects";
import type { Attachments } from "./attach.ts";
import { type Referable, resolveBackend } from "./backend.ts";
import type { GatewayListener, TableBackend, TableFilters, TableRule } from "./table.ts";

/** `portOf`: the port to bind for a listener's. */
export function gatewayTable(
  { gateways }: Attachments,
  known: Referable,
  portOf: (port: number) => number,
): GatewayListener[] {
  return gateways.flatMap(({ gateway, listeners }) =>
    listeners
      .filter(({ accepted }) => accepted.ok)
      .map(({ listener: { name, port, hostname }, routes }) => ({
        namespace: gateway.metadata.namespace ?? "",
        gateway: gateway.metadata.name,
        name,
        port: portOf(port),
        ...(hostname && { hostname: hostname.toLowerCase() }),
        routes: routes.map(({ route, hostnames }) => ({
          route: `${route.metadata.namespace}/${route.metadata.name}`,
          created: route.metadata.creationTimestamp ?? "",
          hostnames: hostnames.map((each) => each.toLowerCase()),
          rules: (route.spec.rules ?? [{}]).map((rule) => tableRule(rule, route, known)),
        })),
      })),
  );
}

const everything = { path: { type: "PathPrefix", value: "/" } } as const;

function tableRule(rule: HTTPRouteRule, route: HTTPRoute, known: Referable): TableRule {
  const { request, backendRequest } = rule.timeouts ?? {};
  return {
    matches: rule.matches?.length ? rule.matches : [everything],
    ...tableFilters(rule.filters, route, known),
    backends: (rule.backendRefs ?? []).map((ref): TableBackend => {
      const resolved = resolveBackend(ref, route, known);
      const named = "cluster" in resolved ? resolved : { problem: resolved.problem.message };
      return { weight: ref.weight ?? 1, ...tableFilters(ref.filters, route, known), ...named };
    }),
    // "0s" means none.
    ...(request && parseDuration(request) > 0 && { requestTimeout: parseDuration(request) }),
    ...(backendRequest && parseDuration(backendRequest) > 0 && { backendTimeout: parseDuration(backendRequest) }),
  };
}

/** A copy that cannot be sent is left out: it is the condition ResolvedRefs that tells. */
function tableFilters(filters: readonly HTTPRouteFilter[] = [], route: HTTPRoute, known: Referable): TableFilters {
  return {
    filters: filters.filter(({ type }) => type !== "RequestMirror"),
    mirrors: filters.flatMap(({ requestMirror }) => {
      if (!requestMirror) return [];
      const { backendRef, percent = 100, fraction } = requestMirror;
      const resolved = resolveBackend(backendRef, route, known);
      if ("problem" in resolved) return [];
      const share = fraction ? fraction.numerator / (fraction.denominator ?? 100) : percent / 100;
      return [{ cluster: resolved.cluster, share }];
    }),
  };
}
