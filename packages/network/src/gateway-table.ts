/** Gateways and the HTTPRoutes that are attached to them as listeners with rules. Pure. */
import { type HTTPRoute, type HTTPRouteRule, parseDuration } from "@flotilla/objects";
import type { Attachments } from "./attach.ts";
import { resolveBackend, type Services } from "./backend.ts";
import type { GatewayListener, TableBackend, TableRule } from "./table.ts";

/** `portOf`: the port to bind for a listener's. */
export function gatewayTable(
  { gateways }: Attachments,
  services: Services,
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
          rules: (route.spec.rules ?? [{}]).map((rule) => tableRule(rule, route, services)),
        })),
      })),
  );
}

const everything = { path: { type: "PathPrefix", value: "/" } } as const;

function tableRule(rule: HTTPRouteRule, route: HTTPRoute, services: Services): TableRule {
  const { request, backendRequest } = rule.timeouts ?? {};
  return {
    matches: rule.matches?.length ? rule.matches : [everything],
    filters: rule.filters ?? [],
    backends: (rule.backendRefs ?? []).map((ref): TableBackend => {
      const resolved = resolveBackend(ref, route, services);
      const named = "cluster" in resolved ? resolved : { problem: resolved.problem.message };
      return { weight: ref.weight ?? 1, filters: ref.filters ?? [], ...named };
    }),
    // "0s" means none.
    ...(request && parseDuration(request) > 0 && { requestTimeout: parseDuration(request) }),
    ...(backendRequest && parseDuration(backendRequest) > 0 && { backendTimeout: parseDuration(backendRequest) }),
  };
}
