/** Evaluates a query's tree: each node for all steps at once. Source: prometheus 2.42 promql/engine.go, eval. */
import type { NativeHistogram, SeriesSource } from "../metrics/series.ts";
import { aggregate } from "./aggregate.ts";
import { bytes, floats } from "./arrays.ts";
import {
  type Aggregation,
  type ArithmeticOperator,
  type Binary,
  bare,
  type Call,
  type ComparisonOperator,
  type Expr,
  isSetOperator,
  type MatrixSelector,
  type Subquery,
  type Unary,
  type VectorSelector,
} from "./ast.ts";
import { matched, setOperation, withScalar } from "./binary.ts";
import type { Budget } from "./budget.ts";
import { call } from "./call.ts";
import { isInvariant } from "./invariant.ts";
import { scaled } from "./native-histogram.ts";
import { operate } from "./operators.ts";
import {
  type Bounds,
  type Gaze,
  gazeOf,
  instantSeries,
  lastOf,
  periodOf,
  type Selected,
  selectSamples,
} from "./select.ts";
import { distinct, hasPoints, type Series, type Steps, type Value, vector } from "./value.ts";

/** Of a subquery without a step: Prometheus' default evaluation interval. */
const defaultSubqueryStep = 60_000;

export interface Context {
  readonly source: SeriesSource;
  readonly budget: Budget;
  /** How old a sample may be and still count as the present one; ms. */
  readonly lookback: number;
  readonly bounds: Bounds;
  readonly steps: Steps;
}

export async function evaluate(expr: Expr, context: Context): Promise<Value> {
  const { steps, budget } = context;
  if (budget.spent(1)) await budget.pause();
  if (steps.count > 1 && expr.kind !== "number" && expr.kind !== "string" && isInvariant(expr)) {
    const once = await evaluate(expr, { ...context, steps: { ...steps, count: 1 } });
    return repeated(once, steps.count, budget);
  }
  switch (expr.kind) {
    case "number":
      return { kind: "scalar", values: new Float64Array(steps.count).fill(expr.value) };
    case "string":
      return { kind: "string", value: expr.value };
    case "parentheses":
      return evaluate(expr.expr, context);
    case "vector":
      return vector(await instantVector(expr, context));
    case "unary":
      return unary(expr, context);
    case "binary":
      return binary(expr, context);
    case "aggregation":
      return aggregation(expr, context);
    case "call":
      return call(expr as Call, context);
    case "matrix":
    case "subquery":
      // Ranges are read by `samplesOf`, by the function that takes them.
      throw new Error(`a ${expr.kind} has no value of its own`);
  }
}

function repeated(value: Value, count: number, budget: Budget): Value {
  if (value.kind === "string") return value;
  if (value.kind === "scalar")
    return { kind: "scalar", values: new Float64Array(count).fill(value.values[0] as number) };
  budget.take(value.series.length * count);
  return vector(
    value.series.map(({ labels, values, histograms }) => ({
      labels,
      values: floats(count).fill(values[0] as number),
      present: bytes(count).fill(1),
      ...(histograms && { histograms: new Array<NativeHistogram | undefined>(count).fill(histograms[0]) }),
    })),
  );
}

/** With `asTimes` the values are the times of the samples, in seconds. */
export async function instantVector(selector: VectorSelector, context: Context, asTimes = false): Promise<Series[]> {
  const { source, steps, bounds, lookback, budget } = context;
  const gaze = gazeOf(selector, steps, bounds);
  const samples = selectSamples(source, selector, periodOf(gaze, steps, lookback), budget);
  return instantSeries(samples, gaze, steps, lookback, budget, asTimes);
}

/** What a function of a range looks at: samples, and from where. */
export interface Range {
  readonly samples: readonly Selected[];
  readonly gaze: Gaze;
  readonly range: number;
}

export async function samplesOf(expr: MatrixSelector | Subquery, context: Context): Promise<Range> {
  const { source, steps, bounds, budget } = context;
  if (expr.kind === "subquery") return subquery(expr, context);
  const gaze = gazeOf(expr.selector, steps, bounds);
  const samples = selectSamples(source, expr.selector, periodOf(gaze, steps, expr.range), budget);
  return { samples, gaze, range: expr.range };
}

/** Evaluated at multiples of its step that lie in any of the ranges. */
async function subquery(expr: Subquery, context: Context): Promise<Range> {
  const gaze = gazeOf(expr, context.steps, context.bounds);
  const interval = expr.step || defaultSubqueryStep;
  const from = gaze.first - expr.range;
  let start = interval * Math.trunc(from / interval);
  if (start < from) start += interval;
  const count = Math.max(0, Math.floor((lastOf(gaze, context.steps) - start) / interval) + 1);
  if (count === 0) return { samples: [], gaze, range: expr.range };
  const value = await evaluate(expr.expr, { ...context, steps: { start, interval, count } });
  const series = value.kind === "vector" ? value.series : [];
  return { samples: series.map((one) => asSamples(one, { start, interval, count })), gaze, range: expr.range };
}

function asSamples({ labels, values, present, histograms }: Series, { start, interval, count }: Steps): Selected {
  const steps: number[] = [];
  for (let step = 0; step < count; step++) if (present[step]) steps.push(step);
  return {
    set: labels,
    labels: {},
    times: Float64Array.from(steps, (step) => start + interval * step),
    values: Float64Array.from(steps, (step) => values[step] as number),
    ...(histograms && { histograms: steps.map((step) => histograms[step]) }),
    ends: [],
  };
}

export async function scalarOf(expr: Expr, context: Context): Promise<Float64Array> {
  const value = await evaluate(expr, context);
  if (value.kind !== "scalar") throw new Error(`expected a scalar, got a ${value.kind}`);
  return value.values;
}

export async function vectorOf(expr: Expr, context: Context): Promise<Series[]> {
  const value = await evaluate(expr, context);
  if (value.kind !== "vector") throw new Error(`expected a vector, got a ${value.kind}`);
  return value.series;
}

async function unary({ operator, expr }: Unary, context: Context): Promise<Value> {
  const value = await evaluate(expr, context);
  if (operator === "+" || value.kind === "string") return value;
  if (value.kind === "scalar") return { kind: "scalar", values: value.values.map((number) => -number) };
  return vector(
    distinct(
      value.series.map(({ labels, values, present, histograms }) => ({
        labels: labels.withoutName(),
        values: values.map((number) => -number),
        present,
        ...(histograms && { histograms: histograms.map((histogram) => histogram && scaled(histogram, -1)) }),
      })),
    ),
  );
}

async function binary(expr: Binary, context: Context): Promise<Value> {
  const { steps, budget } = context;
  const left = await evaluate(expr.left, context);
  const right = await evaluate(expr.right, context);
  if (left.kind === "scalar" && right.kind === "scalar") {
    const op = operate[expr.operator as ArithmeticOperator | ComparisonOperator];
    return { kind: "scalar", values: left.values.map((value, step) => op(value, right.values[step] as number)) };
  }
  if (left.kind === "vector" && right.kind === "vector") {
    const how = isSetOperator(expr.operator) ? setOperation : matched;
    return vector(await how(expr, left.series, right.series, steps.count, budget));
  }
  if (left.kind === "vector" && right.kind === "scalar")
    return vector(await withScalar(expr, left.series, right.values, false, budget));
  if (left.kind === "scalar" && right.kind === "vector")
    return vector(await withScalar(expr, right.series, left.values, true, budget));
  throw new Error(`a ${left.kind} and a ${right.kind} have no operator`);
}

async function aggregation(expr: Aggregation, context: Context): Promise<Value> {
  const { steps, budget } = context;
  const parameter = expr.parameter && (await evaluate(bare(expr.parameter), context));
  const series = await vectorOf(expr.expr, context);
  const given =
    parameter?.kind === "scalar" ? parameter.values : parameter?.kind === "string" ? parameter.value : undefined;
  return vector((await aggregate(expr, series, given, steps.count, budget)).filter(hasPoints));
}
