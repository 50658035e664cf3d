/** Aggregations. Source: prometheus 2.42 promql/engine.go, aggregation; means of histograms as in 3.0. */
import type { NativeHistogram } from "../metrics/series.ts";
import type { Aggregation } from "./ast.ts";
import type { Budget } from "./budget.ts";
import { ExecutionError } from "./failure.ts";
import { isLabelName, LabelSet, metricName } from "./label-set.ts";
import { added, scaled } from "./native-histogram.ts";
import { formatFloat, formatShort } from "./number.ts";
import { quantileOf } from "./quantile.ts";
import { ranked } from "./rank.ts";
import { emptySeries, hasPoints, joined, type Series } from "./value.ts";

interface Group {
  readonly labels: LabelSet;
  readonly members: Series[];
}

/** `parameter`: of topk, bottomk and quantile, for each step; of count_values the label's name. */
export async function aggregate(
  { operator, grouping, without }: Aggregation,
  series: readonly Series[],
  parameter: Float64Array | string | undefined,
  count: number,
  budget: Budget,
): Promise<Series[]> {
  if (operator === "count_values") return countValues(series, grouping, without, parameter as string, budget);
  const groups = grouped(series, grouping, without);
  if (operator === "topk" || operator === "bottomk") {
    const limits = (parameter as Float64Array).map(asLimit);
    return topOf(groups, operator, limits, budget);
  }
  const out: Series[] = [];
  for (const group of groups) {
    budget.take(count);
    if (budget.spent(count * group.members.length)) await budget.pause();
    const result = emptySeries(group.labels, count);
    if (operator === "quantile") quantiles(group, parameter as Float64Array, result);
    else if (operator === "stddev" || operator === "stdvar") variances(group, operator === "stddev", result);
    else if (operator === "sum" || operator === "avg") {
      out.push(...[totals(group, operator === "avg", result)].filter(hasPoints));
      continue;
    } else simple(group, operator, result);
    if (hasPoints(result)) out.push(result);
  }
  return out;
}

function grouped(series: readonly Series[], grouping: readonly string[], without: boolean): Group[] {
  const names = new Set(without ? [...grouping, metricName] : grouping);
  const groups = new Map<string, Group>();
  for (const one of series) {
    const key = one.labels.keyOf(names, without);
    const group = groups.get(key);
    if (group) group.members.push(one);
    else
      groups.set(key, {
        labels: without ? one.labels.without(names) : names.size > 0 ? one.labels.keep(names) : LabelSet.empty,
        members: [one],
      });
  }
  return [...groups.values()];
}

/** Sums and means of floats or of histograms; where a step has both there is no result. */
function totals({ members }: Group, isMean: boolean, result: Series): Series {
  const { values, present } = result;
  const counts = new Float64Array(values.length);
  for (const member of members) {
    for (let step = 0; step < values.length; step++) {
      if (!member.present[step] || member.histograms?.[step]) continue;
      const value = member.values[step] as number;
      const count = (counts[step] as number) + 1;
      counts[step] = count;
      if (count === 1) values[step] = value;
      else values[step] = isMean ? nextMean(values[step] as number, value, count) : (values[step] as number) + value;
      present[step] = 1;
    }
  }
  if (!members.some(({ histograms }) => histograms)) return result;
  const histograms: (NativeHistogram | undefined)[] = new Array(values.length).fill(undefined);
  for (let step = 0; step < values.length; step++) {
    const found = members.flatMap((member) => (member.present[step] ? (member.histograms?.[step] ?? []) : []));
    if (found.length === 0) continue;
    const isMixed = present[step] === 1;
    present[step] = isMixed ? 0 : 1;
    values[step] = Number.NaN;
    if (!isMixed) histograms[step] = isMean ? scaled(found.reduce(added), 1 / found.length) : found.reduce(added);
  }
  return { ...result, histograms };
}

function nextMean(mean: number, value: number, count: number): number {
  if (Math.abs(mean) === Infinity) {
    // An infinite mean stays, but for the other infinity and NaN.
    if (Math.abs(value) === Infinity ? mean > 0 === value > 0 : !Number.isNaN(value)) return mean;
  }
  // Divided before it is subtracted, so that large values do not overflow.
  return mean + (value / count - mean / count);
}

/** max, min, count, group. */
function simple({ members }: Group, operator: string, { values, present }: Series): void {
  for (const member of members)
    for (let step = 0; step < values.length; step++) {
      if (!member.present[step]) continue;
      const value = member.values[step] as number;
      const known = values[step] as number;
      const isFirst = present[step] === 0;
      if (operator === "count") values[step] = isFirst ? 1 : known + 1;
      else if (operator === "group") values[step] = 1;
      else if (member.histograms?.[step]) continue;
      else if (isFirst || Number.isNaN(known) || (operator === "max" ? known < value : known > value))
        values[step] = value;
      present[step] = 1;
    }
}

/** Welford's. */
function variances({ members }: Group, root: boolean, { values, present }: Series): void {
  for (let step = 0; step < values.length; step++) {
    let count = 0;
    let mean = 0;
    let squares = 0;
    for (const member of members) {
      if (!isFloat(member, step)) continue;
      const value = member.values[step] as number;
      const delta = value - mean;
      if (++count === 1) mean = value;
      else {
        mean += delta / count;
        squares += delta * (value - mean);
      }
    }
    if (count === 0) continue;
    present[step] = 1;
    values[step] = root ? Math.sqrt(squares / count) : squares / count;
  }
}

function quantiles({ members }: Group, q: Float64Array, { values, present }: Series): void {
  for (let step = 0; step < values.length; step++) {
    const found = members.filter((member) => isFloat(member, step));
    if (found.length === 0) continue;
    present[step] = 1;
    values[step] = quantileOf(
      q[step] as number,
      Float64Array.from(found, (member) => member.values[step] as number),
    );
  }
}

const isFloat = ({ present, histograms }: Series, step: number): boolean => present[step] === 1 && !histograms?.[step];

function asLimit(value: number): number {
  if (!(Math.abs(value) <= 2 ** 63)) throw new ExecutionError(`Scalar value ${formatShort(value)} overflows int64`);
  return Math.trunc(value);
}

/** The members themselves, in the steps in which they are among the first; of one step in the order of their values. */
async function topOf(
  groups: readonly Group[],
  operator: "topk" | "bottomk",
  limits: Float64Array,
  budget: Budget,
): Promise<Series[]> {
  const out: Series[] = [];
  for (const { members } of groups) {
    const chosen = new Map<Series, Series>();
    for (let step = 0; step < limits.length; step++) {
      const limit = limits[step] as number;
      if (limit < 1) continue;
      if (budget.spent(members.length)) await budget.pause();
      const entries = members
        .filter((member) => isFloat(member, step))
        .map((member) => ({ value: member.values[step] as number, item: member }));
      for (const { value, item } of ranked(entries, limit, operator)) {
        let result = chosen.get(item);
        if (!result) {
          budget.take(limits.length);
          result = emptySeries(item.labels, limits.length);
          chosen.set(item, result);
        }
        result.present[step] = 1;
        result.values[step] = value;
      }
    }
    out.push(...chosen.values());
  }
  return out;
}

/** A series for each value, which becomes a label. */
async function countValues(
  series: readonly Series[],
  grouping: readonly string[],
  without: boolean,
  label: string,
  budget: Budget,
): Promise<Series[]> {
  if (!isLabelName(label)) throw new ExecutionError(`invalid label name ${JSON.stringify(label)}`);
  const byValue: Series[] = [];
  for (const one of series) {
    const texts = new Map<string, Series>();
    if (budget.spent(one.values.length)) await budget.pause();
    for (let step = 0; step < one.values.length; step++) {
      if (!isFloat(one, step)) continue;
      const text = formatFloat(one.values[step] as number);
      let counted = texts.get(text);
      if (!counted) {
        budget.take(one.values.length);
        counted = emptySeries(one.labels.with(label, text), one.values.length);
        texts.set(text, counted);
      }
      counted.present[step] = 1;
    }
    byValue.push(...texts.values());
  }
  const groups = grouped(byValue, without ? grouping : [...grouping, label], without);
  return joined(
    groups.map((group) => {
      const result = emptySeries(group.labels, group.members[0]?.values.length ?? 0);
      simple(group, "count", result);
      return result;
    }),
  );
}
