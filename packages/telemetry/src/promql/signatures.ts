/**
 * PromQL's functions: what each takes and gives.
 *
 * Source: prometheus 2.42 promql/parser/functions.go; histogram_avg, histogram_stddev and histogram_stdvar are of 3.0.
 */
import type { ValueType } from "./ast.ts";

export interface Signature {
  readonly args: readonly ValueType[];
  /** How many of the last argument may be left out or added: 1, the last may be absent; -1, any number from one less. */
  readonly variadic: number;
  readonly returns: "scalar" | "vector";
}

const signature = (args: readonly ValueType[], variadic = 0, returns: "scalar" | "vector" = "vector"): Signature => ({
  args,
  variadic,
  returns,
});

const table: readonly (readonly [names: string, Signature])[] = [
  [
    "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count histogram_stddev " +
      "histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp",
    signature(["vector"]),
  ],
  [
    "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time max_over_time " +
      "min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time",
    signature(["matrix"]),
  ],
  ["day_of_month day_of_week day_of_year days_in_month hour minute month year", signature(["vector"], 1)],
  ["clamp", signature(["vector", "scalar", "scalar"])],
  ["clamp_max clamp_min", signature(["vector", "scalar"])],
  ["histogram_fraction", signature(["scalar", "scalar", "vector"])],
  ["histogram_quantile", signature(["scalar", "vector"])],
  ["holt_winters", signature(["matrix", "scalar", "scalar"])],
  ["label_replace", signature(["vector", "string", "string", "string", "string"])],
  ["label_join", signature(["vector", "string", "string", "string"], -1)],
  ["pi time", signature([], 0, "scalar")],
  ["predict_linear", signature(["matrix", "scalar"])],
  ["quantile_over_time", signature(["scalar", "matrix"])],
  ["round", signature(["vector", "scalar"], 1)],
  ["scalar", signature(["vector"], 0, "scalar")],
  ["vector", signature(["scalar"])],
];

export const signatures: ReadonlyMap<string, Signature> = new Map(
  table.flatMap(([names, signature]) => names.split(" ").map((name) => [name, signature] as const)),
);

/** Known to newer versions of Prometheus behind a feature flag, and refused by name. */
export const experimental: ReadonlySet<string> = new Set(
  (
    "double_exponential_smoothing first_over_time histogram_quantiles info limit_ratio limitk mad_over_time max_of min_of range " +
    "sort_by_label sort_by_label_desc start_timestamp step ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time " +
    "ts_of_min_over_time"
  ).split(" "),
);
