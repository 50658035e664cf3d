/** The way of a request: who asks, what is asked, whether it may, and who answers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { uuid } from "@flotilla/ambient";
import { failure, noSuchPath, type Resource, type StatusError } from "@flotilla/objects";
import { type Aggregation, createAggregation } from "./aggregation.ts";
import { answer, answerError } from "./answer.ts";
import { anonymous, authenticated } from "./authentication.ts";
import { mustBeAllowed } from "./authorization.ts";
import { createDiscovery, type Discovery } from "./discovery.ts";
import { forward } from "./forward.ts";
import { serveOpenPath } from "./health.ts";
import { serveLog } from "./kubelet.ts";
import { createOpenApi, type OpenApi } from "./openapi.ts";
import { proxyTarget } from "./proxy.ts";
import { parseResourcePath, type ResourcePath } from "./resource-path.ts";
import { isReview, serveReview } from "./reviews.ts";
import type { Exchange, Serving } from "./serving.ts";
import { isStream, refuseStream, serveUpgrade } from "./upgrade.ts";
import { serveVerb, verbOf } from "./verbs.ts";

// Long selectors are common, longer addresses than this are not.
const longestUrl = 32 * 1024;

interface Parts {
  readonly serving: Serving;
  readonly aggregation: Aggregation;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
}

export interface Handler {
  request(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** `response` writes to the same socket, for as long as nothing has been upgraded. */
  upgrade(request: IncomingMessage, response: ServerResponse, socket: Duplex, head: Buffer): Promise<void>;
}

export function createHandler(serving: Serving): Handler {
  const aggregation = createAggregation(serving);
  const discovery = createDiscovery(serving, aggregation);
  const parts: Parts = { serving, aggregation, discovery, openApi: createOpenApi(serving) };
  return {
    request: (request, response) => handle(parts, request, response),
    upgrade: (request, response, socket, head) => handle(parts, request, response, { socket, head }),
  };
}

async function handle(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  client?: { socket: Duplex; head: Buffer },
): Promise<void> {
  const { serving } = parts;
  const { url = "/" } = request;
  const at = url.indexOf("?");
  let exchange: Exchange = {
    request,
    response,
    path: at < 0 ? url : url.slice(0, at),
    query: new URLSearchParams(at < 0 ? "" : url.slice(at + 1)),
    user: anonymous,
    warnings: new Set(),
  };
  try {
    response.setHeader("Audit-Id", uuid(serving.random));
    response.setHeader("Cache-Control", "no-cache, private");
    if (url.length > longestUrl) throw tooLong();
    if (await serveOpenPath(serving, exchange)) return;
    exchange = { ...exchange, user: authenticated(serving, request) };
    await dispatch(parts, exchange, client);
  } catch (error) {
    await answerError(exchange, error, serving);
  }
}

const tooLong = (): StatusError => failure(414, "RequestURITooLong", `the URL is longer than ${longestUrl} characters`);

async function dispatch(
  parts: Parts,
  exchange: Exchange,
  client: { socket: Duplex; head: Buffer } | undefined,
): Promise<void> {
  const { serving } = parts;
  const { request, user, query } = exchange;
  const method = request.method ?? "";
  const path = parseResourcePath(exchange.path);
  if (!path) {
    const verb = method === "HEAD" ? "get" : method.toLowerCase();
    mustBeAllowed(serving, user, { verb, path: exchange.path });
    return serveDocument(parts, exchange);
  }
  const { group, version, plural, subresource, namespace, name } = path;
  const verb = verbOf(method, path, query);
  // The object "namespaces/x" is inside the namespace x, as far as permissions go.
  const scope = plural === "namespaces" && group === "" ? name : namespace;
  mustBeAllowed(serving, user, {
    verb,
    group,
    version,
    resource: plural,
    subresource,
    namespace: scope,
    name,
    path: exchange.path,
  });

  const resource = serving.registry.resource(group, version, plural);
  if (resource) return serveResource(parts, exchange, resource, path, client);
  const remote = parts.aggregation.find(group, version);
  if (!remote) throw noSuchPath();
  return parts.aggregation.forward(exchange, remote);
}

async function serveDocument({ aggregation, discovery, openApi }: Parts, exchange: Exchange): Promise<void> {
  const { method } = exchange.request;
  if (method !== "GET" && method !== "HEAD") throw noSuchPath();
  if (exchange.path === "/") return answer(exchange, 200, { paths: rootPaths });
  if ((await discovery.serve(exchange)) || (await openApi.serve(exchange))) return;
  // The list of resources of a version that another server answers for.
  const [, root, group = "", version = ""] = exchange.path.split("/");
  const remote = root === "apis" ? aggregation.find(group, version) : undefined;
  if (!remote) throw noSuchPath();
  return aggregation.forward(exchange, remote);
}

const rootPaths = ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];

async function serveResource(
  { serving }: Parts,
  exchange: Exchange,
  resource: Resource,
  path: ResourcePath,
  client: { socket: Duplex; head: Buffer } | undefined,
): Promise<void> {
  const { method, url = "" } = exchange.request;
  const isServed = path.subresource !== undefined && resource.subresources.includes(path.subresource);
  if (isServed && client) return serveUpgrade(serving, exchange, path, resource, client);
  if (isServed && isStream(path, resource)) refuseStream(serving, exchange, path);
  if (isServed && path.subresource === "log" && resource.plural === "pods" && method === "GET")
    return serveLog(serving, exchange, path);
  if (isServed && path.subresource === "proxy") {
    const at = url.indexOf("?");
    const upstream = proxyTarget(serving, path, at < 0 ? "" : url.slice(at));
    return forward(exchange, upstream, `${path.plural} ${path.name}`);
  }
  if (method === "POST" && path.name === undefined && isReview(resource))
    return serveReview(serving, exchange, resource, path);
  return serveVerb(serving, exchange, resource, path);
}
