/**
 * Which routes are attached to which listeners of our Gateways, and why others are not. Pure.
 * Source of the rules and reasons: gateway.networking.k8s.io/v1.
 */
import {
  type Gateway,
  type GatewayClass,
  type GatewayParentReference,
  type HTTPRoute,
  type Listener,
  matchesSelector,
  type Namespace,
} from "@flotilla/objects";
import { hostFits } from "./route-match.ts";

export const controllerName = "flotilla.dev/gateway";
const gatewayGroup = "gateway.networking.k8s.io";

export interface Verdict {
  readonly ok: boolean;
  readonly reason: string;
  readonly message: string;
}

export const verdict = (ok: boolean, reason: string, message = ""): Verdict => ({ ok, reason, message });

export interface ListenerAttachment {
  readonly listener: Listener;
  readonly accepted: Verdict;
  readonly resolved: Verdict;
  /** With the hostnames that both accept; empty: every host. */
  readonly routes: readonly { readonly route: HTTPRoute; readonly hostnames: readonly string[] }[];
}

export interface GatewayAttachment {
  readonly gateway: Gateway;
  readonly listeners: readonly ListenerAttachment[];
}

export interface ParentAttachment {
  readonly route: HTTPRoute;
  readonly parentRef: GatewayParentReference;
  readonly accepted: Verdict;
}

export interface Attachments {
  readonly gateways: readonly GatewayAttachment[];
  readonly parents: readonly ParentAttachment[];
}

export interface Attachable {
  readonly classes: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  readonly routes: readonly HTTPRoute[];
  readonly namespaces: readonly Namespace[];
}

export function attach({ classes, gateways, routes, namespaces }: Attachable): Attachments {
  const ours = new Set(classes.filter(isOurs).map(({ metadata }) => metadata.name));
  const labelsOf = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels]));
  const parents: ParentAttachment[] = [];
  const attached = gateways
    .filter(({ spec }) => ours.has(spec.gatewayClassName))
    .map((gateway) => ({
      gateway,
      listeners: gateway.spec.listeners.map((listener) => ({
        listener,
        ...listenerVerdicts(listener),
        routes: [] as { route: HTTPRoute; hostnames: readonly string[] }[],
      })),
    }));
  for (const route of routes) {
    for (const parentRef of route.spec.parentRefs ?? []) {
      const found = attached.find(({ gateway }) => isParent(parentRef, route, gateway));
      if (!found) continue;
      const named = found.listeners.filter(
        ({ listener: { name, port } }) =>
          (parentRef.sectionName === undefined || parentRef.sectionName === name) &&
          (parentRef.port === undefined || parentRef.port === port),
      );
      const allowed = named.filter(
        ({ listener, accepted }) => accepted.ok && allows(found.gateway, listener, route, labelsOf),
      );
      const fitting = allowed.flatMap((listener) => {
        const hostnames = commonHostnames(listener.listener.hostname, route.spec.hostnames);
        return hostnames ? [{ listener, hostnames }] : [];
      });
      const wrong = unsupported(route);
      if (!wrong) for (const { listener, hostnames } of fitting) listener.routes.push({ route, hostnames });
      parents.push({ route, parentRef, accepted: wrong ?? routeVerdict(named, allowed, fitting) });
    }
  }
  return { gateways: attached, parents };
}

export const isOurs = ({ spec }: GatewayClass): boolean => spec.controllerName === controllerName;

const isParent = (ref: GatewayParentReference, route: HTTPRoute, { metadata }: Gateway): boolean =>
  (ref.group ?? gatewayGroup) === gatewayGroup &&
  (ref.kind ?? "Gateway") === "Gateway" &&
  ref.name === metadata.name &&
  (ref.namespace ?? route.metadata.namespace) === metadata.namespace;

function listenerVerdicts({ protocol, allowedRoutes }: Listener): { accepted: Verdict; resolved: Verdict } {
  const kinds = allowedRoutes?.kinds;
  const resolved =
    !kinds || kinds.every(({ group, kind }) => kind === "HTTPRoute" && (group ?? gatewayGroup) === gatewayGroup)
      ? verdict(true, "ResolvedRefs")
      : verdict(false, "InvalidRouteKinds", "only HTTPRoute is supported");
  const accepted =
    protocol === "HTTP"
      ? verdict(true, "Accepted")
      : verdict(false, "UnsupportedProtocol", `protocol ${protocol} is not supported; use HTTP`);
  return { accepted, resolved };
}

function allows(
  gateway: Gateway,
  { allowedRoutes }: Listener,
  route: HTTPRoute,
  labelsOf: ReadonlyMap<string, Record<string, string> | undefined>,
): boolean {
  const { namespace = "" } = route.metadata;
  if (allowedRoutes?.kinds && !allowedRoutes.kinds.some(({ kind }) => kind === "HTTPRoute")) return false;
  const from = allowedRoutes?.namespaces?.from ?? "Same";
  if (from === "All") return true;
  if (from === "Same") return namespace === gateway.metadata.namespace;
  return labelsOf.has(namespace) && matchesSelector(allowedRoutes?.namespaces?.selector, labelsOf.get(namespace) ?? {});
}

/** Undefined: the two have no host in common. */
export function commonHostnames(listener: string | undefined, route: readonly string[] = []): string[] | undefined {
  if (!listener) return [...route];
  if (route.length === 0) return [listener];
  const common = route.flatMap((hostname) => {
    if (hostname === listener || hostFits(listener, hostname)) return [hostname];
    return hostFits(hostname, listener) ? [listener] : [];
  });
  return common.length > 0 ? [...new Set(common)] : undefined;
}

function routeVerdict(named: readonly unknown[], allowed: readonly unknown[], fitting: readonly unknown[]): Verdict {
  if (named.length === 0) return verdict(false, "NoMatchingParent", "the Gateway has no such listener");
  if (allowed.length === 0)
    return verdict(false, "NotAllowedByListeners", "no listener accepts routes of this namespace and kind");
  if (fitting.length === 0)
    return verdict(false, "NoMatchingListenerHostname", "no listener accepts any of the hostnames");
  return verdict(true, "Accepted");
}

/** What the gateway cannot do is refused whole: a rule that half works misleads. */
function unsupported({ spec }: HTTPRoute): Verdict | undefined {
  for (const [index, { matches = [], filters = [], backendRefs = [] }] of (spec.rules ?? []).entries()) {
    const at = `spec.rules[${index}]`;
    const all = [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])];
    const unknown = all.find(({ type }) => !supportedFilters.has(type));
    if (unknown) return verdict(false, "UnsupportedValue", `${at}: filter ${unknown.type} is not supported`);
    if (all.some(({ type }) => type === "RequestRedirect") && all.some(({ type }) => type === "URLRewrite")) {
      return verdict(false, "IncompatibleFilters", `${at}: RequestRedirect and URLRewrite exclude each other`);
    }
    for (const { path, headers = [], queryParams = [] } of matches) {
      const wrong = [path, ...headers, ...queryParams].find(
        (each) => each?.type === "RegularExpression" && !isPattern(each.value ?? ""),
      );
      if (wrong)
        return verdict(false, "UnsupportedValue", `${at}: ${JSON.stringify(wrong.value)} is no regular expression`);
    }
  }
  return undefined;
}

const supportedFilters = new Set([
  "RequestHeaderModifier",
  "ResponseHeaderModifier",
  "RequestMirror",
  "RequestRedirect",
  "URLRewrite",
]);

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
