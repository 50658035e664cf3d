/** Requests of the global fetch, and of undici in general: the built-in one and any that the app brings. */
import type { Socket } from "node:net";
import type { Span } from "@opentelemetry/api";
import { setFailure, setResponse, startClientSpan } from "./client-span.ts";
import { listen } from "./guard.ts";
import type { Instruments } from "./instruments.ts";

/** Source: undici docs/api/DiagnosticsChannel.md. */
interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  /** Name, value, name, value; before undici 6 the text of the head. */
  readonly headers: (string | string[])[] | string;
  addHeader?(name: string, value: string): void;
}

export function traceFetch(instruments: Instruments): (() => void)[] {
  const spans = new WeakMap<UndiciRequest, Span>();
  const onCreate = ({ request }: { request: UndiciRequest }) => {
    const url = URL.parse(request.path, String(request.origin));
    if (!url) return;
    const span = startClientSpan(instruments, {
      method: request.method,
      url,
      header: (name) => headerOf(request, name),
      setHeader: (name, value) => setHeader(request, name, value),
    });
    if (span) spans.set(request, span);
  };
  const onSend = ({ request, socket }: { request: UndiciRequest; socket: Socket }) => {
    const { remoteAddress, remotePort } = socket;
    spans.get(request)?.setAttributes({ "network.peer.address": remoteAddress, "network.peer.port": remotePort });
  };
  const onHeaders = ({ request, response }: { request: UndiciRequest; response: { statusCode: number } }) => {
    const span = spans.get(request);
    if (span) setResponse(span, response.statusCode);
  };
  const end = (request: UndiciRequest, error?: unknown) => {
    const span = spans.get(request);
    if (!span) return;
    spans.delete(request);
    if (error) setFailure(span, error);
    span.end();
  };
  return [
    listen("undici:request:create", onCreate),
    listen("undici:client:sendHeaders", onSend),
    listen("undici:request:headers", onHeaders),
    listen("undici:request:trailers", ({ request }: { request: UndiciRequest }) => end(request)),
    listen("undici:request:error", ({ request, error }: { request: UndiciRequest; error: unknown }) =>
      end(request, error),
    ),
  ];
}

function headerOf({ headers }: UndiciRequest, name: string): string | undefined {
  if (typeof headers === "string") return new RegExp(`^${name}: *(.*?)\\r?$`, "im").exec(headers)?.[1];
  for (let at = 0; at < headers.length; at += 2)
    if (String(headers[at]).toLowerCase() === name) return String(headers[at + 1]);
  return undefined;
}

/** undici has no way to replace a header; a second traceparent would make both worthless. */
function setHeader(request: UndiciRequest, name: string, value: string): void {
  const { headers } = request;
  if (Array.isArray(headers))
    for (let at = 0; at < headers.length; at += 2)
      if (String(headers[at]).toLowerCase() === name) {
        headers[at + 1] = value;
        return;
      }
  request.addHeader?.(name, value);
}
