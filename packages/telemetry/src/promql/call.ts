/** Function calls. Source: prometheus 2.42 promql/functions.go. */
import type { NativeHistogram } from "../metrics/series.ts";
import { bare, type Call, type Expr, typeOf } from "./ast.ts";
import { type Context, instantVector, type Range, samplesOf, scalarOf, vectorOf } from "./evaluate.ts";
import { histogramFunctions, histogramQuantile, ofHistograms } from "./functions/histograms.ts";
import { labelJoin, labelReplace } from "./functions/labels.ts";
import { type RangeFunction, rangeFunction } from "./functions/over-range.ts";
import { type ValueFunction, valueFunctions } from "./functions/over-values.ts";
import { LabelSet, metricName } from "./label-set.ts";
import { nativeFraction } from "./quantile.ts";
import { sorted } from "./rank.ts";
import { eachWindow, type Selected } from "./select.ts";
import { distinct, emptySeries, hasPoints, joined, type Series, type Value, vector } from "./value.ts";

export async function call(expr: Call, context: Context): Promise<Value> {
  const { name, args } = expr;
  const ofValues = valueFunctions.get(name);
  if (ofValues) return vector(await overValues(ofValues, args, context));
  if (args.some((arg) => typeOf(arg) === "matrix")) return vector(await overRange(expr, context));
  const ofOneHistogram = histogramFunctions.get(name);
  if (ofOneHistogram) return vector(ofHistograms(await vectorOf(args[0] as Expr, context), ofOneHistogram));
  return special(name, args, context);
}

async function special(name: string, args: readonly Expr[], context: Context): Promise<Value> {
  const { steps } = context;
  const [first, second, third] = args as [Expr, Expr, Expr];
  switch (name) {
    case "time":
      return { kind: "scalar", values: moments(context) };
    case "pi":
      return { kind: "scalar", values: new Float64Array(steps.count).fill(Math.PI) };
    case "vector":
      return vector([allOf(await scalarOf(first, context))]);
    case "scalar":
      return { kind: "scalar", values: onlyValues(await vectorOf(first, context), steps.count) };
    case "absent":
      return vector(absent(first, await vectorOf(first, context), steps.count));
    case "timestamp":
      return vector(await timestamps(first, context));
    case "sort":
      return vector(inOrder(await vectorOf(first, context), "ascending"));
    case "sort_desc":
      return vector(inOrder(await vectorOf(first, context), "descending"));
    case "label_replace":
      return vector(
        labelReplace(await vectorOf(first, context), texts(args.slice(1)) as [string, string, string, string]),
      );
    case "label_join": {
      const [target = "", separator = "", ...sources] = texts(args.slice(1));
      return vector(labelJoin(await vectorOf(first, context), target, separator, sources));
    }
    case "histogram_quantile":
      return vector(histogramQuantile(await scalarOf(first, context), await vectorOf(second, context)));
    case "histogram_fraction": {
      const lower = await scalarOf(first, context);
      const upper = await scalarOf(second, context);
      const fraction = (histogram: NativeHistogram, step: number) =>
        nativeFraction(lower[step] as number, upper[step] as number, histogram);
      return vector(ofHistograms(await vectorOf(third, context), fraction));
    }
  }
  throw new Error(`function ${name} has a signature but no implementation`);
}

const texts = (args: readonly Expr[]): string[] =>
  args.map((arg) => {
    const literal = bare(arg);
    return literal.kind === "string" ? literal.value : "";
  });

/** Seconds since the epoch. */
const moments = ({ steps: { start, interval, count } }: Context): Float64Array =>
  Float64Array.from({ length: count }, (_, step) => (start + interval * step) / 1000);

const allOf = (values: Float64Array): Series => ({
  labels: LabelSet.empty,
  values,
  present: new Uint8Array(values.length).fill(1),
});

async function overValues(evaluate: ValueFunction, args: readonly Expr[], context: Context): Promise<Series[]> {
  const [subject, ...rest] = args;
  // Functions of dates are of the present one if nothing is given; whole seconds, as there.
  const series = subject ? await vectorOf(subject, context) : [allOf(moments(context).map(Math.trunc))];
  const scalars: Float64Array[] = [];
  for (const arg of rest) scalars.push(await scalarOf(arg, context));
  const out: Series[] = [];
  for (const one of series) {
    context.budget.take(one.values.length);
    if (context.budget.spent(one.values.length)) await context.budget.pause();
    const result = emptySeries(one.labels.withoutName(), one.values.length);
    for (let step = 0; step < one.values.length; step++) {
      if (!one.present[step] || one.histograms?.[step]) continue;
      const value = evaluate(
        one.values[step] as number,
        scalars.map((values) => values[step] as number),
      );
      if (value === undefined) continue;
      result.present[step] = 1;
      result.values[step] = value;
    }
    if (hasPoints(result)) out.push(result);
  }
  return joined(out);
}

async function overRange({ name, args }: Call, context: Context): Promise<Series[]> {
  const scalars: Float64Array[] = [];
  for (const arg of args) if (typeOf(arg) === "scalar") scalars.push(await scalarOf(arg, context));
  const subject = bare(args.find((arg) => typeOf(arg) === "matrix") as Expr);
  if (subject.kind !== "matrix" && subject.kind !== "subquery") throw new Error(`a ${subject.kind} is no range`);
  const range = await samplesOf(subject, context);
  const how = rangeFunction(name);
  const out: Series[] = [];
  for (const samples of range.samples) {
    const result = await overWindows(how, samples, range, scalars, context);
    if (hasPoints(result)) out.push(result);
  }
  if (name === "absent_over_time")
    return absent(subject.kind === "matrix" ? subject.selector : subject, out, context.steps.count);
  return distinct(out);
}

async function overWindows(
  { evaluate, histograms: seesHistograms, keepsName }: RangeFunction,
  samples: Selected,
  { gaze, range }: Range,
  scalars: readonly Float64Array[],
  { steps, budget }: Context,
): Promise<Series> {
  budget.take(steps.count);
  const result = emptySeries(keepsName ? samples.set : samples.set.withoutName(), steps.count);
  const histograms: (NativeHistogram | undefined)[] = [];
  const seen = samples.histograms && !seesHistograms ? floatsOf(samples) : samples;
  await eachWindow(seen, gaze, steps, range, budget, (window, step) => {
    const value = evaluate(
      window,
      scalars.map((values) => values[step] as number),
    );
    if (value === undefined) return;
    result.present[step] = 1;
    if (typeof value === "number") result.values[step] = value;
    else {
      result.values[step] = Number.NaN;
      histograms[step] = value;
    }
  });
  if (histograms.length === 0) return result;
  return { ...result, histograms: Array.from({ length: steps.count }, (_, step) => histograms[step]) };
}

function floatsOf({ times, values, histograms }: Selected): Pick<Selected, "times" | "values"> {
  const isFloat = (_: number, at: number): boolean => histograms?.[at] === undefined;
  return { times: times.filter(isFloat), values: values.filter(isFloat) };
}

/** The value of the only series; NaN where there is none, or there are several. */
function onlyValues(series: readonly Series[], count: number): Float64Array {
  const values = new Float64Array(count);
  for (let step = 0; step < count; step++) {
    const [one, other] = series.filter(({ present }) => present[step]);
    values[step] = one && !other ? (one.values[step] as number) : Number.NaN;
  }
  return values;
}

/** 1 where none of `series` has a point, with the labels that `expr` asks for by equality. */
function absent(expr: Expr, series: readonly Series[], count: number): Series[] {
  const result = emptySeries(absentLabels(expr), count);
  for (let step = 0; step < count; step++) {
    if (series.some(({ present }) => present[step])) continue;
    result.present[step] = 1;
    result.values[step] = 1;
  }
  return hasPoints(result) ? [result] : [];
}

/** A label that is asked for twice is left out. */
function absentLabels(expr: Expr): LabelSet {
  const selector = bare(expr);
  if (selector.kind !== "vector") return LabelSet.empty;
  const labels: Record<string, string> = {};
  const seen = new Set<string>();
  for (const { name, op, value } of selector.matchers) {
    if (name === metricName) continue;
    if (op === "=" && !seen.has(name)) {
      labels[name] = value;
      seen.add(name);
    } else delete labels[name];
  }
  return LabelSet.of(labels);
}

/** Of a selector the times of its samples, of everything else those of evaluation. */
async function timestamps(expr: Expr, context: Context): Promise<Series[]> {
  const inner = bare(expr);
  const isSelector = inner.kind === "vector";
  const series = isSelector ? await instantVector(inner, context, true) : await vectorOf(expr, context);
  const times = moments(context);
  return joined(
    series.map(({ labels, values, present }) => ({
      labels: labels.withoutName(),
      values: isSelector ? values : times,
      present,
    })),
  );
}

/** By value; over several steps there is no one order, and the result is sorted by labels. */
function inOrder(series: readonly Series[], order: "ascending" | "descending"): Series[] {
  if (series[0]?.values.length !== 1) return [...series];
  const entries = series.map((item) => ({ value: item.values[0] as number, item }));
  return sorted(entries, order).map(({ item }) => item);
}
