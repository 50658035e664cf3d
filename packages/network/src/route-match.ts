/**
 * Which rule of the attached routes a request belongs to. Pure.
 * Source of precedence: gateway.networking.k8s.io/v1 HTTPRouteRule.matches, HTTPRouteSpec.hostnames. Among path types, which it
 * leaves open: Exact, then PathPrefix, then RegularExpression.
 */
import type { HTTPRouteMatch } from "@flotilla/objects";
import type { GatewayListener, TableRoute, TableRule } from "./table.ts";

export interface Matchable {
  readonly host: string;
  readonly method: string;
  /** With its query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface Found {
  readonly route: string;
  readonly rule: TableRule;
  /** What ReplacePrefixMatch replaces; "" unless the path was matched by a prefix. */
  readonly prefix: string;
  /** The path of the rule's match: a whole one, a prefix or an expression. */
  readonly pattern: string;
}

export type Routes = (asked: Matchable) => Found | undefined;

interface Entry extends Found {
  readonly hostname: string;
  readonly match: HTTPRouteMatch;
  readonly rank: readonly (number | string)[];
  readonly fits: (asked: Matchable, path: string, query: () => URLSearchParams) => boolean;
}

/** Of all listeners of one port: the most specific one whose hostname fits, and in it the best match. */
export function compileRoutes(listeners: readonly GatewayListener[]): Routes {
  const compiled = listeners
    .map(({ hostname = "", routes }) => ({ hostname, entries: routes.flatMap(entriesOf).sort(byRank) }))
    .sort((a, b) => compare(hostRank(a.hostname), hostRank(b.hostname)));
  return (asked) => {
    const host = hostOf(asked.host);
    const mark = asked.target.indexOf("?");
    const path = mark < 0 ? asked.target : asked.target.slice(0, mark);
    let parsed: URLSearchParams | undefined;
    const query = () => {
      parsed ??= new URLSearchParams(mark < 0 ? "" : asked.target.slice(mark + 1));
      return parsed;
    };
    const fitting = compiled.filter(({ hostname }) => hostFits(hostname, host));
    // Listeners of the same hostname, of several Gateways, are one.
    const best = fitting.filter(({ hostname }) => hostname === fitting[0]?.hostname);
    const entries = best.length === 1 ? (best[0]?.entries ?? []) : best.flatMap((each) => each.entries).sort(byRank);
    return entries.find((each) => hostFits(each.hostname, host) && each.fits(asked, path, query));
  };
}

/** Without its port, in lower case. */
export const hostOf = (host: string): string => host.replace(/:\d+$/, "").toLowerCase();

/** "" fits everything; "*.example.com" every name below it, at any depth. */
export function hostFits(pattern: string, host: string): boolean {
  if (pattern === "") return true;
  if (pattern.startsWith("*.")) return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
  return pattern === host;
}

/** Element by element: "/a" fits "/a" and "/a/b", not "/ab". */
function prefixFits(prefix: string, path: string): boolean {
  const bare = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  return path === bare || path.startsWith(`${bare}/`);
}

function entriesOf({ route, created, hostnames, rules }: TableRoute): Entry[] {
  return (hostnames.length > 0 ? hostnames : [""]).flatMap((hostname) =>
    rules.flatMap((rule, position) =>
      rule.matches.map((match) => ({
        route,
        rule,
        hostname,
        match,
        prefix: (match.path?.type ?? "PathPrefix") === "PathPrefix" ? (match.path?.value ?? "/") : "",
        pattern: match.path?.value ?? "/",
        rank: [...hostRank(hostname), ...matchRank(match), created, route, position],
        fits: fitsOf(match),
      })),
    ),
  );
}

/** Smaller is better: exact names, then wildcards by length, then none. */
const hostRank = (hostname: string): [number, number] =>
  hostname === "" ? [2, 0] : hostname.startsWith("*.") ? [1, -hostname.length] : [0, 0];

const pathTypes = ["Exact", "PathPrefix", "RegularExpression"];

const matchRank = ({ path, method, headers = [], queryParams = [] }: HTTPRouteMatch): number[] => [
  pathTypes.indexOf(path?.type ?? "PathPrefix"),
  -(path?.value ?? "/").length,
  method ? 0 : 1,
  -headers.length,
  -queryParams.length,
];

const byRank = (a: Entry, b: Entry): number => compare(a.rank, b.rank);

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] as number | string;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function fitsOf({ path, method, headers = [], queryParams = [] }: HTTPRouteMatch): Entry["fits"] {
  const pathFits = pathTest(path?.type ?? "PathPrefix", path?.value ?? "/");
  const wantedHeaders = headers.map(({ type, name, value }) => ({
    name: name.toLowerCase(),
    fits: textTest(type, value),
  }));
  const wantedParams = queryParams.map(({ type, name, value }) => ({ name, fits: textTest(type, value) }));
  return (asked, asPath, query) =>
    (!method || method === asked.method) &&
    pathFits(asPath) &&
    wantedHeaders.every(({ name, fits }) => {
      const value = asked.headers[name];
      return value !== undefined && fits(typeof value === "string" ? value : value.join(","));
    }) &&
    wantedParams.every(({ name, fits }) => {
      const value = query().get(name);
      return value !== null && fits(value);
    });
}

function pathTest(type: string, value: string): (path: string) => boolean {
  if (type === "Exact") return (path) => path === value;
  if (type === "RegularExpression") return textTest(type, value);
  return (path) => prefixFits(value, path);
}

function textTest(type: string | undefined, value: string): (text: string) => boolean {
  if (type !== "RegularExpression") return (text) => text === value;
  const pattern = new RegExp(`^(?:${value})$`);
  return (text) => pattern.test(text);
}
