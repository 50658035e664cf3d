/** Requests of node:http and node:https, and of everything that is built on them. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Span } from "@opentelemetry/api";
import { setFailure, setResponse, startClientSpan } from "./client-span.ts";
import { guarded, listen } from "./guard.ts";
import type { Instruments } from "./instruments.ts";

interface UnderWay {
  readonly span: Span;
  response?: IncomingMessage;
  failed?: boolean;
}

export function traceClients(instruments: Instruments): (() => void)[] {
  const underWay = new WeakMap<ClientRequest, UnderWay>();
  const onCreated = ({ request }: { request: ClientRequest }) => {
    const url = urlOf(request);
    if (!url) return;
    const span = startClientSpan(instruments, {
      method: request.method,
      url,
      header: (name) => request.getHeader(name)?.toString(),
      // Headers given as a list are text already, and stay as they are.
      setHeader: (name, value) => void (hasHead(request) || request.setHeader(name, value)),
    });
    if (!span) return;
    const state: UnderWay = { span };
    underWay.set(request, state);
    request.once("close", () =>
      guarded(() => {
        if (state.response && !state.response.complete && !state.failed)
          setFailure(span, Object.assign(new Error("the answer was cut off"), { code: "ECONNRESET" }));
        span.end();
      }),
    );
  };
  const onResponse = ({ request, response }: { request: ClientRequest; response: IncomingMessage }) => {
    const state = underWay.get(request);
    if (!state) return;
    state.response = response;
    const { remoteAddress, remotePort } = response.socket;
    state.span.setAttributes({ "network.peer.address": remoteAddress, "network.peer.port": remotePort });
    setResponse(state.span, response.statusCode ?? 0, response.httpVersion);
  };
  const onError = ({ request, error }: { request: ClientRequest; error: Error }) => {
    const state = underWay.get(request);
    if (!state) return;
    state.failed = true;
    setFailure(state.span, error);
  };
  return [
    listen("http.client.request.created", onCreated),
    listen("http.client.response.finish", onResponse),
    listen("http.client.request.error", onError),
  ];
}

const hasHead = (request: ClientRequest) => Boolean((request as unknown as { _header?: string | null })._header);

/** The port stands in the Host header, unless the program has written that itself. */
function urlOf(request: ClientRequest): URL | null {
  const { protocol, path } = request;
  const name = request.host.includes(":") ? `[${request.host}]` : request.host;
  const named = URL.parse(`${protocol}//${request.getHeader("host") ?? name}`);
  const port = named?.hostname === name && named.port ? `:${named.port}` : "";
  return URL.parse(`${protocol}//${name}${port}${path.startsWith("/") ? path : `/${path}`}`);
}
