/** Routes as HTTPRoutes of the gateway: one object for each set of hosts, at most 16 rules each (the API's own limit). */
import {
  type HTTPBackendRef,
  type HTTPRoute,
  type HTTPRouteFilter,
  type HTTPRouteMatch,
  type HTTPRouteRule,
  HTTPRoutes,
  newObject,
} from "@flotilla/objects";
import type { App } from "../model/model.ts";
import type { Route, RouteBackend } from "../model/route.ts";
import { type Expansion, metadataOf, type Part } from "./context.ts";
import { portsOf } from "./ports.ts";

const gateway = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "flotilla", namespace: "flotilla-system" };
const rulesPerRoute = 16;

function backendRef(app: App, backend: RouteBackend): HTTPBackendRef {
  const name = backend.service ?? "";
  const ports = portsOf(app.services[name] ?? {});
  const port = ports.find((known) => known.name === backend.port) ?? ports[0];
  return {
    group: "",
    kind: "Service",
    name,
    port: port?.port ?? 80,
    weight: backend.weight ?? 1,
  };
}

function matches(route: Route): HTTPRouteMatch[] {
  const headers = Object.entries(route.headers ?? {}).map(([name, value]) => ({ type: "Exact" as const, name, value }));
  const match: HTTPRouteMatch = {
    path: { type: route.pathType ?? "PathPrefix", value: route.path ?? "/" },
    ...(headers.length > 0 && { headers }),
  };
  const methods = route.methods ?? [];
  return methods.length === 0
    ? [match]
    : methods.map((method) => ({ ...match, method: method as HTTPRouteMatch["method"] }));
}

function filters(app: App, route: Route): HTTPRouteFilter[] {
  const all: HTTPRouteFilter[] = [];
  const { redirect, mirror } = route;
  if (redirect)
    all.push({
      type: "RequestRedirect",
      requestRedirect: {
        ...(redirect.scheme && { scheme: redirect.scheme }),
        ...(redirect.host && { hostname: redirect.host }),
        ...(redirect.path && { path: { type: "ReplaceFullPath", replaceFullPath: redirect.path } }),
        ...(redirect.port && { port: redirect.port }),
        statusCode: redirect.status ?? 302,
      },
    });
  if (route.rewrite !== undefined) {
    const { path, host } = typeof route.rewrite === "string" ? { path: route.rewrite, host: undefined } : route.rewrite;
    const prefix = (route.pathType ?? "PathPrefix") === "PathPrefix";
    all.push({
      type: "URLRewrite",
      urlRewrite: {
        ...(host && { hostname: host }),
        ...(path && {
          path: prefix
            ? { type: "ReplacePrefixMatch", replacePrefixMatch: path }
            : { type: "ReplaceFullPath", replaceFullPath: path },
        }),
      },
    });
  }
  if (mirror) {
    const { weight: _, ...backend } = backendRef(app, { service: mirror });
    all.push({ type: "RequestMirror", requestMirror: { backendRef: backend } });
  }
  return all;
}

/** Gateway API's durations have no fractions; ours may ("1.5s"). */
function timeout(text: string): string {
  return text.replace(/([0-9]+)\.([0-9]+)(ms|s|m|h)/g, (_, whole: string, fraction: string, unit: string) => {
    const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] ?? 1;
    return `${Math.round(Number(`${whole}.${fraction}`) * factor)}ms`;
  });
}

/** One rule, or one for each method: what takes the place of a prefix wants exactly one match (the API's own rule). */
function rules(app: App, route: Route): HTTPRouteRule[] {
  const used = filters(app, route);
  const rest = {
    ...(used.length > 0 && { filters: used }),
    ...(!route.redirect && { backendRefs: (route.backends ?? []).map((backend) => backendRef(app, backend)) }),
    timeouts: { request: timeout(route.timeout ?? "15s") },
  };
  const all = matches(route);
  const single = used.some((filter) => filter.urlRewrite?.path?.replacePrefixMatch !== undefined);
  return single ? all.map((match) => ({ matches: [match], ...rest })) : [{ matches: all, ...rest }];
}

/** `name` is that of the first object; further ones are numbered from 2. */
export function httpRoutes(expansion: Expansion, part: Part, name: string, routes: readonly Route[]): HTTPRoute[] {
  const { app, settings } = expansion;
  const byHosts = new Map<string, { hosts: readonly string[]; rules: HTTPRouteRule[] }>();
  for (const route of routes) {
    const hosts = route.hosts ?? (settings.domain ? [settings.domain] : []);
    const key = [...hosts].sort().join(" ");
    const group = byHosts.get(key) ?? { hosts, rules: [] };
    group.rules.push(...rules(app, route));
    byHosts.set(key, group);
  }
  const objects: HTTPRoute[] = [];
  for (const { hosts, rules: all } of byHosts.values())
    for (let i = 0; i < all.length; i += rulesPerRoute)
      objects.push(
        newObject(HTTPRoutes, {
          metadata: metadataOf(expansion, part, objects.length === 0 ? name : `${name}-${objects.length + 1}`),
          spec: {
            parentRefs: [gateway],
            ...(hosts.length > 0 && { hostnames: [...hosts] }),
            rules: all.slice(i, i + rulesPerRoute),
          },
        }),
      );
  return objects;
}
