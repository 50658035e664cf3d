/**
 * Objects to the table that the proxy works by. It writes nothing, so that traffic follows endpoints whatever becomes of
 * statuses (`status-controller.ts`). One key for everything: a route needs its Gateway, its Services and their slices.
 */
import { type Cache, type Controller, type Watch, watchMapped } from "@flotilla/client";
import {
  type EndpointSlice,
  EndpointSlices,
  type Gateway,
  type GatewayClass,
  GatewayClasses,
  Gateways,
  type HTTPRoute,
  HTTPRoutes,
  type Namespace,
  Namespaces,
  type Pod,
  Pods,
  type ReferenceGrant,
  ReferenceGrants,
  type Service,
  Services,
} from "@flotilla/objects";
import { attach } from "./attach.ts";
import { referable } from "./backend.ts";
import { gatewayTable } from "./gateway-table.ts";
import type { ListenerProblems, listenerSource } from "./listener-source.ts";
import { serviceTable } from "./service-table.ts";
import { type Table, tableFormat } from "./table.ts";
import { podsByAddress, sameIdentity } from "./telemetry/pods.ts";

export const routesKey = { name: "routes" };

export interface RouteObjects {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly pods: readonly Pod[];
  readonly classes: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  readonly routes: readonly HTTPRoute[];
  readonly namespaces: readonly Namespace[];
  readonly grants: readonly ReferenceGrant[];
  /** Undefined until the proxy has tried to listen. */
  readonly problems: ListenerProblems | undefined;
}

const toRoutes = () => [routesKey];

export const routeWatches = [
  watchMapped(Services, toRoutes),
  watchMapped(GatewayClasses, toRoutes),
  watchMapped(Gateways, toRoutes),
  watchMapped(HTTPRoutes, toRoutes),
  watchMapped(Namespaces, toRoutes),
  watchMapped(ReferenceGrants, toRoutes),
];

export const observeRoutes = (
  cache: Cache,
  source: ReturnType<typeof listenerSource>,
): Omit<RouteObjects, "slices" | "pods"> => ({
  services: cache.list(Services),
  classes: cache.list(GatewayClasses),
  gateways: cache.list(Gateways),
  routes: cache.list(HTTPRoutes),
  namespaces: cache.list(Namespaces),
  grants: cache.list(ReferenceGrants),
  problems: cache.source(source, routesKey.name)?.value,
});

/** `gatewayPort`: where port 80 of a Gateway is on this machine. */
export function tableOf(objects: Omit<RouteObjects, "problems">, gatewayPort: number | undefined): Table {
  const known = referable(objects.services, objects.grants);
  return {
    format: tableFormat,
    ...serviceTable(objects.services, objects.slices),
    gateways: gatewayTable(attach(objects), known, (port) => (port === 80 ? (gatewayPort ?? port) : port)),
    pods: podsByAddress(objects.pods),
  };
}

/** Pods change often, who they are does not. */
const podWatch: Watch = {
  resource: Pods,
  keys: (before, after) => (sameIdentity(before as Pod | undefined, after as Pod | undefined) ? [] : toRoutes()),
};

export function routeController(
  gatewayPort: number | undefined,
  source: ReturnType<typeof listenerSource>,
): Controller<RouteObjects> {
  return {
    name: "routes",
    watches: [...routeWatches, watchMapped(EndpointSlices, toRoutes), podWatch],
    // It wakes the controller where there is no object at all.
    sources: [source],
    observe: (_, cache) => ({
      ...observeRoutes(cache, source),
      slices: cache.list(EndpointSlices),
      pods: cache.list(Pods),
    }),
    decide: (objects) => ({ effects: [{ to: "data-plane", do: tableOf(objects, gatewayPort) }] }),
  };
}
