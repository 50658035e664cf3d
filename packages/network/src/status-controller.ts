/** Says in Gateways, their classes and HTTPRoutes what became of them, and in Events why a Service cannot be reached at its address. */
import { type Controller, type EventNote, event, status, type Write } from "@flotilla/client";
import {
  type Condition,
  deepEqual,
  type Gateway,
  type GatewayClass,
  type HTTPRoute,
  setCondition,
} from "@flotilla/objects";
import {
  attach,
  controllerName,
  type GatewayAttachment,
  isOurs,
  type ParentAttachment,
  type Verdict,
  verdict,
} from "./attach.ts";
import { type Referable, referable, resolvedRefs } from "./backend.ts";
import type { ListenerProblems, ListenerSource } from "./listener-source.ts";
import { observeRoutes, type RouteObjects, routeWatches } from "./route-controller.ts";
import { isTcp } from "./service-table.ts";

export interface GatewayPlace {
  readonly addresses: readonly string[];
  /** Where port 80 is; undefined: 80. */
  readonly port?: number;
}

type Observed = Omit<RouteObjects, "slices" | "pods">;

export function statusController(place: GatewayPlace, source: ListenerSource): Controller<Observed> {
  return {
    name: "route-status",
    watches: routeWatches,
    sources: [source],
    observe: (_, cache) => observeRoutes(cache, source),
    decide(objects, { now }) {
      const { problems = {} } = objects;
      const known = referable(objects.services, objects.grants);
      const { gateways, parents } = attach(objects);
      const parentsOf = Map.groupBy(parents, ({ route }) => route);
      return {
        writes: [
          ...objects.classes.filter(isOurs).map((each) => classStatus(each, now)),
          ...gateways.map((each) => gatewayStatus(each, place, problems, now)),
          ...objects.routes.map((route) => routeStatus(route, parentsOf.get(route) ?? [], known, now)),
        ],
        events: [...unreachable(objects.services, problems), ...unserved(objects.services)],
      };
    },
  };
}

/** In the order given; those of other types stay. */
function conditions(
  before: readonly Condition[] | undefined,
  generation: number | undefined,
  now: Date,
  verdicts: Readonly<Record<string, Verdict>>,
): Condition[] {
  let after = [...(before ?? [])];
  for (const [type, { ok, reason, message }] of Object.entries(verdicts)) {
    const stated = { type, status: ok ? "True" : "False", reason, message, observedGeneration: generation } as const;
    after = setCondition<Condition>(after, stated, now);
  }
  return after;
}

function classStatus(gatewayClass: GatewayClass, now: Date): Write {
  const { generation } = gatewayClass.metadata;
  return status(gatewayClass, {
    ...gatewayClass.status,
    conditions: conditions(gatewayClass.status?.conditions, generation, now, { Accepted: verdict(true, "Accepted") }),
  }) as Write;
}

function gatewayStatus(
  { gateway, listeners }: GatewayAttachment,
  place: GatewayPlace,
  problems: ListenerProblems,
  now: Date,
): Write {
  const { generation } = gateway.metadata;
  const before = gateway.status;
  const stated = listeners.map(({ listener, accepted, resolved, routes }) => {
    const port = listener.port === 80 ? (place.port ?? 80) : listener.port;
    const failed = place.addresses.map((address) => problems[`${address}:${port}`]);
    // One address is enough: not every machine has IPv6.
    const cannot = failed.every((problem) => problem !== undefined);
    const programmed = !accepted.ok
      ? verdict(false, "Invalid", accepted.message)
      : cannot
        ? verdict(false, "Pending", failed.join("; "))
        : verdict(true, "Programmed", `listening on port ${port}`);
    const known = before?.listeners?.find(({ name }) => name === listener.name);
    return {
      programmed,
      accepted,
      status: {
        name: listener.name,
        supportedKinds: accepted.ok ? [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute" }] : [],
        attachedRoutes: routes.length,
        conditions: conditions(known?.conditions, generation, now, {
          Accepted: accepted.ok && cannot ? verdict(false, "PortUnavailable", failed.join("; ")) : accepted,
          Programmed: programmed,
          Conflicted: verdict(false, "NoConflicts"),
          ResolvedRefs: resolved,
        }),
      },
    };
  });
  const refused = stated.filter(({ accepted }) => !accepted.ok);
  const running = stated.filter(({ programmed }) => programmed.ok);
  const all = {
    Accepted:
      refused.length > 0
        ? verdict(refused.length < stated.length, "ListenersNotValid", refused[0]?.accepted.message)
        : verdict(true, "Accepted"),
    Programmed:
      running.length > 0 ? verdict(true, "Programmed") : verdict(false, "Invalid", stated[0]?.programmed.message ?? ""),
  };
  return status(gateway, {
    ...before,
    addresses: place.addresses.map((value) => ({ type: "IPAddress", value })),
    conditions: conditions(before?.conditions, generation, now, all),
    listeners: stated.map((each) => each.status),
  } satisfies Gateway["status"]) as Write;
}

/** What other controllers say of their own Gateways stays. */
function routeStatus(
  route: HTTPRoute,
  parents: readonly ParentAttachment[],
  known: Referable,
  now: Date,
): Write | undefined {
  const before = route.status?.parents ?? [];
  const others = before.filter((each) => each.controllerName !== controllerName);
  if (parents.length === 0 && others.length === before.length) return undefined;
  const resolved = resolvedRefs(route, known);
  const ours = parents.map(({ parentRef, accepted }) => ({
    parentRef,
    controllerName,
    conditions: conditions(
      before.find((each) => each.controllerName === controllerName && deepEqual(each.parentRef, parentRef))?.conditions,
      route.metadata.generation,
      now,
      { Accepted: accepted, ResolvedRefs: resolved },
    ),
  }));
  return status(route, { ...route.status, parents: [...others, ...ours] } satisfies HTTPRoute["status"]) as Write;
}

const unreachable = (services: RouteObjects["services"], problems: ListenerProblems): EventNote[] =>
  services.flatMap((service) =>
    (service.spec.ports ?? []).flatMap(({ port }) => {
      const problem = problems[`${service.spec.clusterIP}:${port}`];
      return problem ? [event(service, "Warning", "AddressUnavailable", problem)] : [];
    }),
  );

const unserved = (services: RouteObjects["services"]): EventNote[] =>
  services.flatMap((service) =>
    service.spec.clusterIP === "None"
      ? []
      : (service.spec.ports ?? [])
          .filter((port) => !isTcp(port))
          .map(({ port, protocol }) =>
            event(service, "Warning", "UnsupportedProtocol", `port ${port}: ${protocol} is not carried, only TCP`),
          ),
  );
