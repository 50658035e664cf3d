/** Environments: overlays of the same shape as the app, and what holds on a laptop without being said. */
import { isRecord } from "@flotilla/objects";
import type { App, Environment } from "./model/model.ts";
import type { Service } from "./model/service.ts";

export const local = "local";

/** Objects merge, arrays replace, null deletes. Neither argument is changed. */
export function overlay(value: unknown, change: unknown): unknown {
  if (!isRecord(change)) return change;
  const merged: Record<string, unknown> = isRecord(value) ? { ...value } : {};
  for (const [key, part] of Object.entries(change)) {
    if (part === null) delete merged[key];
    else if (part !== undefined) merged[key] = overlay(merged[key], part);
  }
  return merged;
}

/** Fields of an environment that are not an overlay of the app. */
const own = [
  "cluster",
  "namespace",
  "registry",
  "domain",
  "gatewayClass",
  "secretStore",
  "telemetry",
  "after",
  "gates",
  "sync",
  "drift",
];

function overlayOf(environment: Environment): Partial<Environment> {
  return Object.fromEntries(Object.entries(environment).filter(([key]) => !own.includes(key)));
}

/** What takes the place of something else: stating one of them in an overlay removes the other. */
const exclusive: readonly (readonly (keyof Service)[])[] = [
  ["source", "image"],
  ["port", "ports"],
  ["replicas", "scale"],
];

function overlayService(service: unknown, change: unknown): unknown {
  if (!isRecord(change) || !isRecord(service)) return overlay(service, change);
  const without = { ...service };
  for (const group of exclusive) {
    const stated = group.filter((key) => change[key] !== undefined && change[key] !== null);
    if (stated.length === 1) for (const key of group) if (key !== stated[0]) delete without[key];
  }
  return overlay(without, change);
}

function mapValues<T>(
  record: Readonly<Record<string, T>> | undefined,
  map: (value: T, key: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([key, value]) => [key, map(value, key)]));
}

/** One replica, not spread: what runs on a laptop unless environments.local says more. */
function onALaptop(app: App): App {
  const services = mapValues(app.services, (service) => {
    const { scale: _, disruption: __, replicas: ___, ...rest } = service;
    const replicas = service.kind === "DaemonSet" ? {} : { replicas: 1 };
    return { ...rest, ...replicas, placement: { ...service.placement, spread: false } };
  });
  return { ...app, services };
}

const enabledOnly = <T extends { enabled?: boolean }>(record: Readonly<Record<string, T>> | undefined) =>
  Object.fromEntries(Object.entries(record ?? {}).filter(([, value]) => value.enabled !== false));

const withDefaults = (app: App): App => {
  const defaults = app.defaults;
  if (!defaults) return app;
  return { ...app, services: mapValues(app.services, (service) => overlayService(defaults, service) as Service) };
};

/** Takes what was removed out of the lists that name it, so that an environment need not repeat them. */
function withoutRemoved(before: App, app: App): App {
  const gone = new Set(
    (["services", "external", "backing"] as const).flatMap((record) =>
      Object.keys(before[record] ?? {}).filter((key) => !Object.hasOwn(app[record] ?? {}, key)),
    ),
  );
  if (gone.size === 0) return app;
  const targetOf = (target: string | { service?: string; name?: string }) =>
    typeof target === "string" ? target : (target.service ?? target.name ?? "");
  const kept = <T extends string | { service?: string; name?: string }>(list: readonly T[] | undefined) =>
    list?.filter((target) => !gone.has(targetOf(target)));
  const cleaned = <T extends Service>(program: T): T => ({
    ...program,
    ...(program.calls && { calls: kept(program.calls) }),
    ...(program.uses && { uses: kept(program.uses) }),
  });
  return {
    ...app,
    services: mapValues(app.services, cleaned),
    ...(app.jobs && { jobs: mapValues(app.jobs as App["services"], cleaned) as App["jobs"] }),
    ...(app.routes && {
      routes: app.routes
        .map((route) => ({ ...route, backends: route.backends?.filter((backend) => !gone.has(backend.service ?? "")) }))
        .filter((route) => route.redirect || (route.backends?.length ?? 0) > 0),
    }),
  };
}

/** The app as it runs in an environment: with defaults and overlay applied, without what is not enabled. */
export function inEnvironment(app: App, name: string | undefined): App {
  const environment = name === undefined ? undefined : app.environments?.[name];
  const change = environment ? overlayOf(environment) : {};
  const { services: changedServices, defaults, ...rest } = change;
  const based = withDefaults({
    ...app,
    ...(defaults && { defaults: overlay(app.defaults, defaults) as App["defaults"] }),
  });
  const start = name === local ? onALaptop(based) : based;
  const merged = overlay(start, rest) as App;
  const services: Record<string, Service> = { ...start.services };
  for (const [key, part] of Object.entries(changedServices ?? {})) {
    if (part === null) delete services[key];
    else services[key] = overlayService(services[key], part) as Service;
  }
  const enabled: App = {
    ...merged,
    services: enabledOnly(services),
    backing: enabledOnly(merged.backing),
    external: enabledOnly(merged.external),
    jobs: enabledOnly(merged.jobs),
    secrets: enabledOnly(merged.secrets),
  };
  return withoutRemoved(app, enabled);
}

/** The namespace of an app in an environment. */
export function namespaceOf(app: App, environment: string | undefined): string {
  const stated = environment === undefined ? undefined : app.environments?.[environment]?.namespace;
  return stated ?? (environment === undefined || environment === local ? app.name : `${app.name}-${environment}`);
}
