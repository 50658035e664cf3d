/**
 * Prometheus' HTTP API below /api/v1, as far as Grafana's data source, promtool and client libraries ask: reading only.
 *
 * Source: prometheus 2.42 web/api/v1/api.go; prometheus.io, HTTP API.
 */
import type { Clock } from "@flotilla/ambient";
import type { Matcher, SeriesSource } from "../metrics/series.ts";
import type { Engine } from "../promql/engine.ts";
import { metricName } from "../promql/label-set.ts";
import { parseQuery } from "../promql/parse.ts";
import { formatQuery } from "../promql/print.ts";
import { quoted } from "../promql/quote.ts";
import { queryDataJson } from "../promql/result.ts";
import type { Labels, Period } from "../telemetry.ts";
import { type Answer, failure, ParameterError, plainText, type Request, streamed, success } from "./answer.ts";
import {
  durationOf,
  optionalDuration,
  optionalTime,
  period,
  queryOf,
  requiredTime,
  selectorsOf,
} from "./parameters.ts";
import { type Facts, statusRoutes } from "./status.ts";

export interface PrometheusApiOptions {
  readonly engine: Engine;
  readonly source: SeriesSource;
  readonly clock: Clock;
  readonly facts: Facts;
}

/** Undefined: the path is none of its own. What is wrong is thrown; `failureOf` makes an answer of it. */
export type Handler = (request: Request) => Promise<Answer | undefined>;

/** Whether a path asks for an evaluation, of which only so many run at once. */
export const isCostly = (path: string): boolean => !path.startsWith("/api/v1/status/");

const prefix = "/api/v1/";

export function prometheusApi({ engine, source, clock, facts }: PrometheusApiOptions): Handler {
  const routes: Readonly<Record<string, (request: Request) => Answer | Promise<Answer>>> = {
    async query({ parameters, signal }) {
      const at = optionalTime(parameters, "time", clock.now());
      const timeout = optionalDuration(parameters, "timeout");
      // Mistakes of an instant query are told with the parameter's name, those of a range query without.
      queryOf(parameters, parseQuery);
      const result = await engine.instant(parameters.get("query") ?? "", at, {
        signal,
        timeout,
        held: signal,
      });
      return streamed(queryDataJson(result));
    },

    async query_range({ parameters, signal }) {
      const from = requiredTime(parameters, "start");
      const to = requiredTime(parameters, "end");
      if (to < from) throw new ParameterError('invalid parameter "end": end timestamp must not be before start time');
      const step = Math.trunc(durationOf(parameters, "step"));
      if (step <= 0)
        throw new ParameterError(
          'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
        );
      const timeout = optionalDuration(parameters, "timeout");
      const run = { signal, timeout, held: signal };
      const result = await engine.range(parameters.get("query") ?? "", { from, to, step }, run);
      return streamed(queryDataJson(result));
    },

    /** None are kept. */
    query_exemplars({ parameters }) {
      queryOf(parameters, parseQuery);
      period(parameters);
      return success([]);
    },

    format_query: ({ parameters }) => success(queryOf(parameters, (query) => formatQuery(parseQuery(query)))),

    series({ parameters }) {
      if (!parameters.has("match[]")) throw new ParameterError("no match[] parameter provided");
      return streamed(jsonArray(found(source, selectorsOf(parameters), period(parameters))));
    },

    labels({ parameters }) {
      const names = new Set<string>();
      for (const labels of found(source, anyOf(parameters), period(parameters)))
        for (const name of Object.keys(labels)) names.add(name);
      return success([...names].sort());
    },

    metadata: ({ parameters }) => success(metadata(source, parameters)),
    ...statusRoutes(source, facts),
  };

  return async (request) => {
    if (!request.path.startsWith(prefix)) return undefined;
    if (request.method === "OPTIONS") return plainText("", 204);
    const name = request.path.slice(prefix.length);
    const label = /^label\/([^/]+)\/values$/.exec(name)?.[1];
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (label === undefined && !route) return plainText("404 page not found\n", 404);
    if (request.method !== "GET" && request.method !== "POST")
      return failure("bad_data", `${request.method} is not supported: everything here is read only`, 405);
    return label === undefined ? route?.(request) : labelValues(source, label, request);
  };
}

function labelValues(source: SeriesSource, label: string, { parameters }: Request): Answer {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label)) throw new ParameterError(`invalid label name: ${quoted(label)}`);
  const values = new Set<string>();
  for (const labels of found(source, anyOf(parameters), period(parameters))) {
    const value = labels[label];
    if (value) values.add(value);
  }
  return success([...values].sort());
}

/** Without a match[] every series. */
const anyOf = (parameters: URLSearchParams): (readonly Matcher[])[] =>
  parameters.has("match[]") ? selectorsOf(parameters) : [[]];

/** Series that match any of them, each once. */
export function found(source: SeriesSource, selectors: readonly (readonly Matcher[])[], period: Period): Labels[] {
  if (selectors.length === 1) return source.series(selectors[0] as readonly Matcher[], period);
  const byKey = new Map<string, Labels>();
  for (const matchers of selectors)
    for (const labels of source.series(matchers, period))
      byKey.set(JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))), labels);
  return [...byKey.values()];
}

/** By name first, as in the query language. */
function* jsonArray(series: readonly Labels[]): Generator<string> {
  let separator = "[";
  for (const { [metricName]: name, ...labels } of series) {
    yield `${separator}${JSON.stringify({ ...(name !== undefined && { [metricName]: name }), ...labels })}`;
    separator = ",";
  }
  yield separator === "[" ? "[]" : "]";
}

function metadata(source: SeriesSource, parameters: URLSearchParams): Record<string, unknown[]> {
  const limit = parameters.get("limit");
  if (limit && !/^-?\d+$/.test(limit)) throw new ParameterError("limit must be a number");
  const most = limit && Number(limit) >= 0 ? Number(limit) : Number.POSITIVE_INFINITY;
  const metric = parameters.get("metric");
  const all = [...source.metadata()].filter(([name]) => !metric || name === metric);
  return Object.fromEntries(all.slice(0, most).map(([name, { type, help, unit }]) => [name, [{ type, help, unit }]]));
}
