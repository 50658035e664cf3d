/** The way of one HTTP request through the proxy, at a Service's address or at the gateway. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock, Random } from "@flotilla/ambient";
import { type Asked, askedOf, upgradeRefusal } from "./asked.ts";
import { chooseWeighted } from "./balance.ts";
import { answerError, answerSocket } from "./error-answer.ts";
import { forward } from "./forward.ts";
import type { Headers } from "./headers.ts";
import type { HttpHandler } from "./http-server.ts";
import { mirror } from "./mirror.ts";
import { modifyAnswer, modifyRequest, redirection } from "./route-filter.ts";
import type { Found, Routes } from "./route-match.ts";
import type { Passage, Place } from "./telemetry/passage.ts";
import type { RequestTelemetry } from "./telemetry/request-telemetry.ts";
import { upgrade } from "./upgrade.ts";
import type { Upstream } from "./upstream.ts";

export interface AccessEntry {
  readonly method: string;
  readonly path: string;
  readonly status: number | undefined;
  readonly service: string;
  readonly route: string;
  readonly milliseconds: number;
}

export interface ProxyContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RequestTelemetry;
  /** A fresh X-Request-Id. */
  readonly newId: () => string;
  readonly upstream: (cluster: string) => Upstream | undefined;
  readonly onAccess?: (entry: AccessEntry) => void;
}

/** Where a request goes, with what is changed on the way; or what is answered instead. */
type Way =
  | {
      readonly upstream: Upstream;
      readonly route: string;
      readonly pattern: string;
      readonly path: string;
      readonly headers: Headers;
      readonly onAnswer: (headers: Headers) => Headers;
      readonly mirrors: readonly Upstream[];
      readonly requestTimeout?: number;
      readonly backendTimeout?: number;
    }
  | {
      readonly route: string;
      readonly pattern: string;
      readonly code: number;
      readonly message: string;
      readonly location?: string;
    };

/** Of what belongs to no route. */
const unrouted = { route: "", pattern: "" };

const unchanged = (headers: Headers): Headers => headers;

export const serviceHandler = (context: ProxyContext, cluster: string): HttpHandler =>
  handler(context, "service", ({ target, headers }) => {
    const upstream = context.upstream(cluster);
    if (!upstream) return { ...unrouted, code: 503, message: `there is no service at ${cluster} any more` };
    return { ...unrouted, upstream, path: target, headers, onAnswer: unchanged, mirrors: [] };
  });

/** `routes`: those of now. */
export const gatewayHandler = (context: ProxyContext, routes: () => Routes): HttpHandler =>
  handler(context, "gateway", (asked, request) => {
    const { method, host, target, headers } = asked;
    const found = routes()({ method, host, target, headers: request.headers });
    if (found) return routed(context, found, target, headers);
    return { ...unrouted, code: 404, message: `no route for host ${host || "(none)"} and path ${pathOnly(target)}` };
  });

function routed(context: ProxyContext, found: Found, target: string, headers: Headers): Way {
  const { route, rule, prefix, pattern } = found;
  const redirect = rule.filters.find(({ type }) => type === "RequestRedirect")?.requestRedirect;
  if (redirect) {
    const { code, location } = redirection(redirect, { target, prefix, headers });
    return { route, pattern, code, location, message: `see ${location}` };
  }
  const backend = chooseWeighted(rule.backends, context.random);
  if (!backend) return { route, pattern, code: 500, message: `route ${route} has no backend with a weight above 0` };
  const upstream = backend.cluster === undefined ? undefined : context.upstream(backend.cluster);
  if (!upstream) {
    const message = `route ${route}: ${backend.problem ?? "its backend is gone"}`;
    return { route, pattern, code: 500, message };
  }
  const filters = [...rule.filters, ...backend.filters];
  return {
    upstream,
    route,
    pattern,
    ...modifyRequest({ path: target, headers }, filters, prefix),
    onAnswer: (answer) => modifyAnswer(answer, filters),
    mirrors: [...rule.mirrors, ...backend.mirrors].flatMap(({ cluster, share }) => {
      const copy = context.random.next() < share ? context.upstream(cluster) : undefined;
      return copy ? [copy] : [];
    }),
    ...(rule.requestTimeout && { requestTimeout: rule.requestTimeout }),
    ...(rule.backendTimeout && { backendTimeout: rule.backendTimeout }),
  };
}

function handler(
  context: ProxyContext,
  place: Place,
  wayOf: (asked: Asked, request: IncomingMessage) => Way,
): HttpHandler {
  const { clock, telemetry, newId, onAccess } = context;
  const note = (request: IncomingMessage, way: Way, status: number | undefined, passage: Passage) => {
    const upstream = "upstream" in way ? way.upstream : undefined;
    const { route, pattern } = way;
    const milliseconds = telemetry.end(passage, request, { upstream, route, pattern, status });
    onAccess?.({
      method: request.method ?? "",
      path: request.url ?? "",
      status,
      service: upstream?.service ?? "",
      route,
      milliseconds,
    });
  };
  const find = (request: IncomingMessage, { trace }: Passage): Way => {
    const asked = askedOf(request, newId, trace.headers);
    return "code" in asked ? { ...unrouted, ...asked } : wayOf(asked, request);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const passage = telemetry.begin(request, place);
    const way = find(request, passage);
    if ("upstream" in way) {
      try {
        for (const copy of way.mirrors) mirror({ ...way, request, upstream: copy, clock });
        await forward({ ...way, request, response, clock, passage });
      } catch (error) {
        answerError(request, response, 500, cannot(error));
      }
    } else {
      if (way.location) response.setHeader("Location", way.location);
      answerError(request, response, way.code, way.message);
    }
    note(request, way, response.headersSent ? response.statusCode : undefined, passage);
  };

  const switchProtocol = async (request: IncomingMessage, client: Socket, head: Buffer) => {
    const passage = telemetry.begin(request, place);
    const refusal = upgradeRefusal(request);
    const way = refusal ? { ...unrouted, ...refusal } : find(request, passage);
    if (!("upstream" in way)) {
      answerSocket(client, way.code, way.message);
      return note(request, way, way.code, passage);
    }
    const timeout = way.requestTimeout ?? way.backendTimeout;
    const given = { ...way, request, client, head, clock, passage, ...(timeout && { timeout }) };
    note(request, way, await upgrade(given), passage);
  };

  return {
    request(request, response) {
      // A broken connection shows as the response's close.
      request.on("error", () => undefined);
      void answer(request, response);
    },
    upgrade: (request, socket, head) => void switchProtocol(request, socket, head),
  };
}

/** A filter may make a path or a header that cannot be sent; that is one request's trouble, not the process's. */
const cannot = (error: unknown) => `the request cannot be passed on: ${(error as Error).message}`;

const pathOnly = (target: string): string => target.split("?", 1)[0] as string;
