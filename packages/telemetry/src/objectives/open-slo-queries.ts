/**
 * Queries of OpenSLO's metrics as ours. OpenSLO leaves open how a query is told its range: `$window` and Sloth's `{{.window}}` are
 * taken as such; a query without a range is one of counters that are added up, or of values that go up and down.
 */
import { type ObjectiveIndicator, windowVariable } from "@flotilla/objects";
import { bare, type Expr, typeOf } from "../promql/ast.ts";
import { parseQuery } from "../promql/parse.ts";
import { QueryError } from "../telemetry.ts";

/** A sample each minute is enough for values that are measured at all. */
const resolution = "1m";
/** Any range will do to find mistakes. */
const someRange = "5m";

const placeholder = /\$\{?window\}?|\{\{\s*\.window\s*\}\}/g;

const isRanged = (query: string): boolean => query.search(placeholder) >= 0;
const ranged = (query: string): string => query.replace(placeholder, windowVariable);

/** The mistake in a query in which `$window` may stand for a range; its place is that of the text with a range in it. */
export function queryMistake(query: string): string | undefined {
  try {
    const type = typeOf(parseQuery(query.replaceAll(windowVariable, someRange)));
    return type === "vector" || type === "scalar" ? undefined : `gives a ${type}, not a number`;
  } catch (error) {
    if (error instanceof QueryError) return error.message;
    throw error;
  }
}

/** Bare selectors of a sum of counters, in order; undefined: it is something else, whose rate is not the rate of its parts. */
function countersIn(expr: Expr): { start: number; end: number }[] | undefined {
  const inner = bare(expr);
  if (inner.kind === "vector") return inner.offset === 0 && inner.at === undefined ? [inner.place] : undefined;
  if (inner.kind === "aggregation" && inner.operator === "sum") return countersIn(inner.expr);
  if (inner.kind !== "binary" || inner.operator !== "+") return undefined;
  const left = countersIn(inner.left);
  const right = countersIn(inner.right);
  return left && right && [...left, ...right];
}

/** How much of it there was in `$window`: a second, or on average. Throws a QueryError. */
export function amount(query: string, counter: boolean): string {
  const text = ranged(query);
  if (isRanged(query)) return text;
  const expr = parseQuery(query);
  if (!counter) return `avg_over_time((${query})[${windowVariable}:${resolution}])`;
  const rates = ofCounters("rate", query, expr);
  if (rates === undefined)
    throw new QueryError("is no sum of counters, so its rate cannot be told; write the range into it, as {{.window}}");
  return rates;
}

/** How many there were in `$window`; undefined where that cannot be told. `query` has no mistake. */
export const count = (query: string): string | undefined =>
  isRanged(query) ? undefined : ofCounters("increase", query, parseQuery(query));

function ofCounters(per: "rate" | "increase", query: string, expr: Expr): string | undefined {
  const text = countersIn(expr)?.reduceRight(
    (sum, { start, end }) =>
      `${sum.slice(0, start)}${per}(${sum.slice(start, end).trimEnd()}[${windowVariable}])${sum.slice(end)}`,
    query,
  );
  return text !== undefined && bare(expr).kind === "vector" ? `sum(${text})` : text;
}

export interface RatioQueries {
  readonly good?: string;
  readonly bad?: string;
  readonly total: string;
}

/** "1m" */
export interface Slices {
  readonly length: string;
  /** The share of a slice that makes it a good one; undefined: slices count by their share. */
  readonly target: number | undefined;
}

/** The mean over time slices; those in which nothing was asked do not count. Source: OpenSLO v1, budgetingMethod. */
export function slicedRatio({ good, bad, total }: RatioQueries, { length, target }: Slices): ObjectiveIndicator {
  const inSlice = (query: string) => `(${query.replaceAll(windowVariable, length)})`;
  const all = inSlice(total);
  const share = `(${inSlice(good ?? bad ?? "")} or 0 * ${all}) / ${all}`;
  const wellDone = good === undefined ? `(1 - ${share})` : `(${share})`;
  const value = target === undefined ? wellDone : `(${wellDone} >= bool ${target})`;
  return { errorRatio: `1 - avg_over_time((${value} and ${all} > 0)[${windowVariable}:${length}])` };
}

const comparisons = { lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;
export type Comparison = keyof typeof comparisons;
export const isComparison = (text: unknown): text is Comparison =>
  typeof text === "string" && Object.hasOwn(comparisons, text);

/** The share of time in which a value is not as it should be. */
export function threshold(
  query: string,
  op: Comparison,
  value: number,
  slices: Slices | undefined,
): ObjectiveIndicator {
  const holds = `((${query}) ${comparisons[op]} bool ${value})`;
  if (!slices) return { errorRatio: `1 - avg_over_time(${holds}[${windowVariable}:${resolution}])` };
  const share = `avg_over_time(${holds}[${slices.length}:${resolution}])`;
  const counted = slices.target === undefined ? share : `(${share} >= bool ${slices.target})`;
  return { errorRatio: `1 - avg_over_time((${counted})[${windowVariable}:${slices.length}])` };
}

/** A share that is measured as such. */
export const raw = (query: string, isFailure: boolean): ObjectiveIndicator => {
  const mean = `avg_over_time((${query})[${windowVariable}:${resolution}])`;
  return { errorRatio: isFailure ? mean : `1 - ${mean}` };
};
