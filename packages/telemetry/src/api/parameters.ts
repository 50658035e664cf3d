/** Parameters of Prometheus' HTTP API. Source: prometheus 2.42 web/api/v1/api.go. */
import type { Matcher } from "../metrics/series.ts";
import { parseDuration } from "../promql/duration.ts";
import { parseFloatText } from "../promql/number.ts";
import { parseSelector } from "../promql/parse.ts";
import { quoted } from "../promql/quote.ts";
import { parseRegexp } from "../promql/regexp/regexp.ts";
import { type Period, QueryError } from "../telemetry.ts";
import { ParameterError } from "./answer.ts";

/** The first and last moments that a Date can be; ms. */
export const always: Period = { from: -8.64e15, to: 8.64e15 };

/** How Go's clients write the first and last moments that Prometheus knows. */
const bounds: Readonly<Record<string, number>> = {
  "-292273086-05-16T16:47:06Z": always.from,
  "292277025-08-18T07:12:54.999999999Z": always.to,
};
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** ms since the epoch, of seconds or RFC 3339. */
function parseTime(text: string): number {
  const seconds = parseFloatText(text);
  if (seconds !== undefined && !Number.isNaN(seconds))
    return Math.min(Math.max(Math.round(seconds * 1000), always.from), always.to);
  const time = bounds[text] ?? (rfc3339.test(text) ? Date.parse(text) : Number.NaN);
  if (Number.isNaN(time)) throw new ParameterError(`cannot parse ${quoted(text)} to a valid timestamp`);
  return time;
}

/** Mistakes are told with the parameter's name. */
function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ParameterError || error instanceof QueryError)
      throw new ParameterError(`invalid parameter ${quoted(name)}: ${error.message}`);
    throw error;
  }
}

export const requiredTime = (parameters: URLSearchParams, name: string): number =>
  within(name, () => parseTime(parameters.get(name) ?? ""));

export function optionalTime(parameters: URLSearchParams, name: string, otherwise: number): number {
  const text = parameters.get(name);
  if (!text) return otherwise;
  return within(name, () => {
    try {
      return parseTime(text);
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      throw new ParameterError(`Invalid time value for '${name}': ${error.message}`);
    }
  });
}

/** ms, of seconds or "5m". */
export function durationOf(parameters: URLSearchParams, name: string): number {
  const text = parameters.get(name) ?? "";
  return within(name, () => {
    const seconds = parseFloatText(text);
    if (seconds !== undefined && Number.isFinite(seconds) && Math.abs(seconds) < 9.2e9) return seconds * 1000;
    const length = parseDuration(text);
    if (typeof length === "string" || seconds !== undefined)
      throw new ParameterError(`cannot parse ${quoted(text)} to a valid duration`);
    return length;
  });
}

export const optionalDuration = (parameters: URLSearchParams, name: string): number | undefined =>
  parameters.get(name) ? durationOf(parameters, name) : undefined;

/** The query, as `read` makes something of it. */
export const queryOf = <T>(parameters: URLSearchParams, read: (query: string) => T): T =>
  within("query", () => read(parameters.get("query") ?? ""));

export function period(parameters: URLSearchParams): Period {
  return {
    from: optionalTime(parameters, "start", always.from),
    to: optionalTime(parameters, "end", always.to),
  };
}

/** Each of them goes through all series. */
const mostSelectors = 100;

/** Of all match[] parameters. */
export const selectorsOf = (parameters: URLSearchParams): (readonly Matcher[])[] =>
  within("match[]", () => {
    const texts = parameters.getAll("match[]");
    if (texts.length > mostSelectors) throw new ParameterError(`more than ${mostSelectors} of them`);
    return texts.map(checkedSelector);
  });

/** A mistake is a `QueryError` with its place. */
export function checkedSelector(text: string): readonly Matcher[] {
  const matchers = parseSelector(text);
  if (matchers.every(matchesEmpty))
    throw new QueryError("match[] must contain at least one non-empty matcher", 0, text.length);
  return matchers;
}

function matchesEmpty({ op, value }: Matcher): boolean {
  if (op === "=" || op === "!=") return (value === "") === (op === "=");
  return parseRegexp(value).test("") === (op === "=~");
}
