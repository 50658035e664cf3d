/** What the filters of a rule do to requests and answers. Pure. Source: gateway.networking.k8s.io/v1 HTTPRouteFilter. */
import type { HTTPHeaderFilter, HTTPPathModifier, HTTPRequestRedirectFilter, HTTPRouteFilter } from "@flotilla/objects";
import { type Headers, headerOf, without } from "./headers.ts";
import { hostOf } from "./route-match.ts";

export function modifyHeaders(headers: Headers, { set = [], add = [], remove = [] }: HTTPHeaderFilter): Headers {
  const changed = without(headers, [...set.map(({ name }) => name), ...remove]);
  for (const { name, value } of set) changed.push(name, value);
  for (const { name, value } of add) {
    const index = changed.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name.toLowerCase());
    if (index < 0) changed.push(name, value);
    else changed[index + 1] = `${changed[index + 1]},${value}`;
  }
  return changed;
}

/** The path as the endpoint or the redirected client sees it; the query stays. */
export function modifyPath(target: string, prefix: string, modifier: HTTPPathModifier | undefined): string {
  if (!modifier) return target;
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark);
  if (modifier.type === "ReplaceFullPath") return (modifier.replaceFullPath || "/") + query;
  const rest = path.slice(prefix.endsWith("/") ? prefix.length - 1 : prefix.length);
  const start = (modifier.replacePrefixMatch ?? "").replace(/\/$/, "");
  return (start + rest || "/") + query;
}

export interface Passing {
  readonly path: string;
  readonly headers: Headers;
}

/** The request after RequestHeaderModifier and URLRewrite. */
export function modifyRequest(passing: Passing, filters: readonly HTTPRouteFilter[], prefix: string): Passing {
  let { path, headers } = passing;
  for (const { requestHeaderModifier, urlRewrite } of filters) {
    if (requestHeaderModifier) headers = modifyHeaders(headers, requestHeaderModifier);
    if (!urlRewrite) continue;
    path = modifyPath(path, prefix, urlRewrite.path);
    if (urlRewrite.hostname) headers = [...without(headers, ["host"]), "Host", urlRewrite.hostname];
  }
  return { path, headers };
}

export const modifyAnswer = (headers: Headers, filters: readonly HTTPRouteFilter[]): Headers =>
  filters.reduce(
    (kept, { responseHeaderModifier }) => (responseHeaderModifier ? modifyHeaders(kept, responseHeaderModifier) : kept),
    headers,
  );

/** Where a RequestRedirect sends the client. The port is left out where the scheme implies it. */
export function redirection(
  { scheme: wanted, hostname, path, port, statusCode }: HTTPRequestRedirectFilter,
  { target, prefix, headers }: { target: string; prefix: string; headers: Headers },
): { code: number; location: string } {
  const host = headerOf(headers, "host") ?? "";
  const proto = headerOf(headers, "x-forwarded-proto") ?? "http";
  const scheme = wanted ?? proto;
  const implied = scheme === "https" ? 443 : 80;
  const asked = /:(\d+)$/.exec(host)?.[1];
  const used = port ?? (wanted ? implied : asked ? Number(asked) : implied);
  const authority = (hostname ?? hostOf(host)) + (used === implied ? "" : `:${used}`);
  return { code: statusCode ?? 302, location: `${scheme}://${authority}${modifyPath(target, prefix, path)}` };
}
