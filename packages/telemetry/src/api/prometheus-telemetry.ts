/** `Telemetry` of any server with Prometheus' HTTP API: metrics only. */
import { ExecutionError } from "../promql/failure.ts";
import { type Labels, NotProvidedError, type QueryData, QueryError, type Telemetry } from "../telemetry.ts";

export interface PrometheusTelemetryOptions {
  /** Of the server, with its path if it has one: `https://prometheus.example/tenant`. */
  readonly url: string;
  /** Of every request: `Authorization`, a tenant. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
}

/** The server cannot be reached, or what answers there is no Prometheus; the message says which. */
export class ProviderError extends Error {}

export function prometheusTelemetry(options: PrometheusTelemetryOptions): Telemetry {
  const elsewhere = (what: string) => async (): Promise<never> => {
    throw new NotProvidedError(
      `${options.url} is a Prometheus server and has no ${what}; ask where they are sent to, such as Jaeger, Tempo or Loki`,
    );
  };
  return {
    ...metricsOver(options),
    traces: elsewhere("traces"),
    trace: elsewhere("traces"),
    logs: elsewhere("logs"),
  };
}

export function metricsOver(options: PrometheusTelemetryOptions): Pick<Telemetry, "instant" | "range" | "series"> {
  const seconds = (milliseconds: number) => String(milliseconds / 1000);
  return {
    instant: (query, at) =>
      post(options, "query", [
        ["query", query],
        ["time", seconds(at)],
      ]) as Promise<QueryData>,
    range: (query, { from, to, step }) =>
      post(options, "query_range", [
        ["query", query],
        ["start", seconds(from)],
        ["end", seconds(to)],
        ["step", seconds(step)],
      ]) as Promise<QueryData>,
    series: (selectors, { from, to }) =>
      post(options, "series", [
        ...selectors.map((selector): [string, string] => ["match[]", selector]),
        ["start", seconds(from)],
        ["end", seconds(to)],
      ]) as Promise<Labels[]>,
  };
}

function post(options: PrometheusTelemetryOptions, name: string, parameters: [string, string][]): Promise<unknown> {
  return request(options, `api/v1/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(parameters).toString(),
  });
}

interface Body {
  readonly status?: string;
  readonly data?: unknown;
  readonly errorType?: string;
  readonly error?: string;
}

/** `data` of an answer. Undefined: 404. */
export async function request(
  { url, headers, fetch: send = fetch }: PrometheusTelemetryOptions,
  path: string,
  init: { method: string; headers?: Record<string, string>; body?: string },
): Promise<unknown> {
  const base = url.endsWith("/") ? url : `${url}/`;
  let response: Response;
  try {
    response = await send(new URL(path, base), { ...init, headers: { ...headers, ...init.headers } });
  } catch (error) {
    const cause = (error as Error).cause instanceof Error ? ((error as Error).cause as Error) : (error as Error);
    throw new ProviderError(`${url} does not answer: ${cause.message}`, { cause: error });
  }
  const text = await response.text();
  const body = parsed(text);
  if (response.ok && body?.status === "success") return body.data;
  if (body?.status !== "error")
    throw new ProviderError(`${url} answered ${response.status} and not as Prometheus does: ${text.slice(0, 200)}`);
  if (body.errorType === "not_found") return undefined;
  throw mistakeOf(url, response.status, body);
}

function parsed(text: string): Body | undefined {
  try {
    return JSON.parse(text) as Body;
  } catch {
    // The caller tells of what came instead.
    return undefined;
  }
}

function mistakeOf(url: string, status: number, { errorType, error = "" }: Body): Error {
  if (errorType === "bad_data") return new QueryError(error.replace(/^invalid parameter "[^"]*": /, ""));
  if (errorType === "execution" || errorType === "timeout" || errorType === "canceled")
    return new ExecutionError(error, errorType);
  if (status === 501) return new NotProvidedError(error);
  return new ProviderError(`${url}: ${error}`);
}
