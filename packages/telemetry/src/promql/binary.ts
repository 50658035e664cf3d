/** Operators between a vector and a scalar and between two vectors. Source: prometheus 2.42 promql/engine.go. */
import type { NativeHistogram } from "../metrics/series.ts";
import { type ArithmeticOperator, type Binary, type ComparisonOperator, isComparison } from "./ast.ts";
import type { Budget } from "./budget.ts";
import { ExecutionError } from "./failure.ts";
import { type LabelSet, metricName } from "./label-set.ts";
import { operate, operateOnHistograms } from "./operators.ts";
import { emptySeries, hasPoints, joined, type Series, sameLabels } from "./value.ts";

type ValueOperator = ArithmeticOperator | ComparisonOperator;

/** Comparisons keep the name unless they are asked for a number; so does atan2, which is Prometheus' way. */
const dropsName = (operator: ValueOperator, bool: boolean): boolean =>
  bool || ["+", "-", "*", "/", "%", "^"].includes(operator);

export async function withScalar(
  { operator, bool }: Binary,
  series: readonly Series[],
  scalar: Float64Array,
  isScalarLeft: boolean,
  budget: Budget,
): Promise<Series[]> {
  const op = operator as ValueOperator;
  const out: Series[] = [];
  for (const one of series) {
    budget.take(scalar.length);
    if (budget.spent(scalar.length)) await budget.pause();
    const result = new Result(dropsName(op, bool) ? one.labels.withoutName() : one.labels, scalar.length);
    for (let step = 0; step < scalar.length; step++) {
      if (!one.present[step]) continue;
      const value = one.histograms?.[step] ?? (one.values[step] as number);
      const other = scalar[step] as number;
      const computed = isScalarLeft ? compute(op, other, value) : compute(op, value, other);
      if (computed === undefined) continue;
      if (!isComparison(op) || bool) result.set(step, computed);
      else if (computed !== 0) result.set(step, value);
    }
    if (hasPoints(result.series)) out.push(result.series);
  }
  return joined(out);
}

function compute(
  operator: ValueOperator,
  left: number | NativeHistogram,
  right: number | NativeHistogram,
): number | NativeHistogram | undefined {
  if (typeof left === "number" && typeof right === "number") return operate[operator](left, right);
  return operateOnHistograms(operator, left, right);
}

class Result {
  series: Series;

  constructor(labels: LabelSet, count: number) {
    this.series = emptySeries(labels, count);
  }

  set(step: number, value: number | NativeHistogram): void {
    const { series } = this;
    series.present[step] = 1;
    if (typeof value === "number") {
      series.values[step] = value;
      return;
    }
    series.values[step] = Number.NaN;
    if (!series.histograms) this.series = { ...series, histograms: new Array(series.values.length).fill(undefined) };
    (this.series.histograms as (NativeHistogram | undefined)[])[step] = value;
  }
}

/** By what two series are matched. */
function signatureOf({ matching: { on, labels } }: Binary): (series: Series) => string {
  const names = new Set(on ? labels : [...labels, metricName]);
  return ({ labels }) => labels.keyOf(names, !on);
}

const bySignature = (series: readonly Series[], signature: (series: Series) => string): Map<string, Series[]> =>
  Map.groupBy(series, signature) as Map<string, Series[]>;

/** In which steps any of them has a point. */
function anyPresent(series: readonly Series[], count: number): Uint8Array {
  const any = new Uint8Array(count);
  for (const { present } of series)
    for (let step = 0; step < count; step++) any[step] = (any[step] as number) | (present[step] as number);
  return any;
}

/** and, or, unless. */
export async function setOperation(
  expr: Binary,
  left: readonly Series[],
  right: readonly Series[],
  count: number,
  budget: Budget,
): Promise<Series[]> {
  const signature = signatureOf(expr);
  const isOr = expr.operator === "or";
  const masks = new Map<string, Uint8Array>();
  for (const [key, group] of bySignature(isOr ? left : right, signature)) masks.set(key, anyPresent(group, count));
  const keepWhere = expr.operator === "and" ? 1 : 0;
  const out: Series[] = isOr ? [...left] : [];
  for (const one of isOr ? right : left) {
    if (budget.spent(count)) await budget.pause();
    const mask = masks.get(signature(one));
    if (!mask) {
      if (keepWhere === 0) out.push(one);
      continue;
    }
    budget.take(count);
    const present = one.present.map((is, step) => (mask[step] === keepWhere ? is : 0));
    if (present.includes(1)) out.push({ ...one, present });
  }
  return joined(out);
}

/** Arithmetic and comparisons between vectors: each series of the many side with the one of the other that it matches. */
export async function matched(
  expr: Binary,
  left: readonly Series[],
  right: readonly Series[],
  count: number,
  budget: Budget,
): Promise<Series[]> {
  const isSwapped = expr.matching.many === "right";
  const many = isSwapped ? right : left;
  const one = isSwapped ? left : right;
  const signature = signatureOf(expr);
  const ones = bySignature(one, signature);
  const both = anyPresent(many, count).map((is, step) => is & (anyOf(one, step) as number));
  for (const group of ones.values()) refuseDuplicates(expr, group, both, isSwapped);

  const results = new Map<string, Matches>();
  const all: Series[] = [];
  for (const from of many) {
    const key = signature(from);
    const matches = results.get(key) ?? new Matches(expr, count);
    results.set(key, matches);
    for (const partner of ones.get(key) ?? []) {
      budget.take(count);
      if (budget.spent(count)) await budget.pause();
      const result = pair(expr, from, partner, isSwapped);
      if (result) all.push(matches.add(result));
    }
  }
  return joined(all, sameLabels);
}

const anyOf = (series: readonly Series[], step: number): 0 | 1 => (series.some(({ present }) => present[step]) ? 1 : 0);

/** Of the side that is to have one there may be no two in the same step, as long as the other side has anything at all. */
function refuseDuplicates({ matching }: Binary, group: readonly Series[], both: Uint8Array, isSwapped: boolean): void {
  if (group.length < 2) return;
  for (let step = 0; step < both.length; step++) {
    if (!both[step]) continue;
    const [first, second] = group.filter(({ present }) => present[step]);
    if (!first || !second) continue;
    const names = new Set(matching.on ? matching.labels : [...matching.labels, metricName]);
    const labels = matching.on ? first.labels.keep(names) : first.labels.without(names);
    throw new ExecutionError(
      `found duplicate series for the match group ${labels} on the ${isSwapped ? "left" : "right"} hand-side of the operation: ` +
        `[${second.labels}, ${first.labels}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
}

/** What came of the pairs of one match group, to see that no two results meet. */
class Matches {
  readonly #isOneToOne: boolean;
  readonly #taken: Uint8Array;
  readonly #byLabels = new Map<string, Uint8Array>();

  constructor({ matching }: Binary, count: number) {
    this.#isOneToOne = matching.many === "none";
    this.#taken = new Uint8Array(count);
  }

  add(result: Series): Series {
    const { key } = result.labels;
    const taken = this.#isOneToOne ? this.#taken : (this.#byLabels.get(key) ?? new Uint8Array(this.#taken.length));
    this.#byLabels.set(key, taken);
    for (let step = 0; step < taken.length; step++) {
      if (!result.present[step]) continue;
      if (taken[step])
        throw new ExecutionError(
          this.#isOneToOne
            ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            : "multiple matches for labels: grouping labels must ensure unique matches",
        );
      taken[step] = 1;
    }
    return result;
  }
}

function pair(expr: Binary, many: Series, one: Series, isSwapped: boolean): Series | undefined {
  const operator = expr.operator as ValueOperator;
  const result = new Result(resultLabels(expr, many.labels, one.labels), many.values.length);
  for (let step = 0; step < many.values.length; step++) {
    if (!many.present[step] || !one.present[step]) continue;
    const [left, right] = isSwapped ? [one, many] : [many, one];
    const leftValue = left.histograms?.[step] ?? (left.values[step] as number);
    const computed = compute(operator, leftValue, right.histograms?.[step] ?? (right.values[step] as number));
    if (computed === undefined) continue;
    if (!isComparison(operator) || expr.bool) result.set(step, computed);
    else if (computed !== 0) result.set(step, leftValue);
  }
  return hasPoints(result.series) ? result.series : undefined;
}

function resultLabels({ operator, bool, matching }: Binary, many: LabelSet, one: LabelSet): LabelSet {
  let labels = dropsName(operator as ValueOperator, false) ? many.withoutName() : many;
  if (matching.many === "none")
    labels = matching.on ? labels.keep(new Set(matching.labels)) : labels.without(new Set(matching.labels));
  for (const name of matching.include) labels = labels.with(name, one.get(name));
  return bool ? labels.withoutName() : labels;
}
