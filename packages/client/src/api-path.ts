/** Where things are in the API. */
import { badRequest, type Resource } from "@flotilla/objects";
import type { ListOptions, WatchOptions, Write } from "./api.ts";

export interface Place {
  /** Undefined: cluster-wide, or all namespaces. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** "/apis/apps/v1/namespaces/default/deployments/web/scale" */
export function apiPath(resource: Resource, { namespace, name, subresource }: Place): string {
  const { group, version, plural, namespaced } = resource;
  if (namespaced && name !== undefined && !namespace) throw badRequest(`${plural} "${name}": a namespace is needed`);
  return [
    group ? `/apis/${group}` : "/api",
    version,
    ...(namespaced && namespace ? ["namespaces", encodeURIComponent(namespace)] : []),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ].join("/");
}

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path with what is defined and not empty as its query. */
export function withQuery(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "" && value !== false) query.set(name, String(value));
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

export const listParameters = (options: ListOptions): Parameters => ({
  labelSelector: options.labelSelector,
  fieldSelector: options.fieldSelector,
  limit: options.limit,
  continue: options.continue,
  resourceVersion: options.resourceVersion,
  resourceVersionMatch: options.resourceVersionMatch,
});

export const watchParameters = (options: WatchOptions): Parameters => ({
  watch: true,
  labelSelector: options.labelSelector,
  fieldSelector: options.fieldSelector,
  resourceVersion: options.resourceVersion,
  allowWatchBookmarks: options.allowWatchBookmarks,
  timeoutSeconds: options.timeoutSeconds,
  sendInitialEvents: options.sendInitialEvents,
  resourceVersionMatch: options.sendInitialEvents ? "NotOlderThan" : undefined,
});

export const writeParameters = (write: Write): Parameters => ({
  fieldManager: write.verb === "delete" ? undefined : write.fieldManager,
  dryRun: write.dryRun && write.verb !== "delete" ? "All" : undefined,
  force: write.verb === "patch" && write.type === "apply" ? write.force : undefined,
});
