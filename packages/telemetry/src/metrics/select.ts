/** What queries read: the samples of blocks and heads, put together by series. */
import { type Labels, type Period, QueryError } from "../telemetry.ts";
import { type Block, DamagedError } from "./block.ts";
import type { Head } from "./head.ts";
import { compareFlat, compileMatcher, type FlatLabels, flatLabels, keyOfFlat, labelsOf } from "./label-sets.ts";
import { append, noSamples, type Samples, sorted } from "./samples.ts";
import type { Matcher, SeriesSamples } from "./series.ts";
import type { SeriesTable } from "./series-table.ts";

/** Older ones first. */
export interface StoredParts {
  readonly blocks: readonly Block[];
  readonly heads: readonly { readonly table: SeriesTable; readonly head: Head }[];
  /** The rest is read without it. */
  onDamage(block: Block, reason: string): void;
}

interface Found {
  readonly labels: FlatLabels;
  readonly samples: Samples;
}

export function selectSamples(
  parts: StoredParts,
  matchers: readonly Matcher[],
  period: Period,
  most: number,
): SeriesSamples[] {
  const found = new Map<string, Found>();
  let left = most;
  const take = (labels: FlatLabels, samples: Samples) => {
    const key = keyOfFlat(labels);
    let known = found.get(key);
    if (!known) {
      known = { labels, samples: noSamples() };
      found.set(key, known);
    }
    const before = known.samples.times.length;
    append(known.samples, samples, period);
    left -= known.samples.times.length - before;
    if (left < 0)
      throw new QueryError(`the query reads more than ${most} samples; ask for fewer series or a shorter time`);
  };
  visit(parts, matchers, period, {
    block: (series) => take(series.labels, series.samples()),
    head({ table, head }, id) {
      const samples = head.read(id, period);
      if (samples) take(flatLabels(table, id), samples);
    },
  });
  return [...found.values()]
    .filter(({ samples }) => samples.times.length > 0)
    .sort((a, b) => compareFlat(a.labels, b.labels))
    .map(({ labels, samples }) => seriesSamples(labels, sorted(samples)));
}

function seriesSamples(labels: FlatLabels, { times, values, histograms, ends }: Samples): SeriesSamples {
  const series = {
    labels: labelsOf(labels),
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    ends,
  };
  return histograms.length > 0 ? { ...series, histograms } : series;
}

export function selectLabels(parts: StoredParts, matchers: readonly Matcher[], period: Period): Labels[] {
  const found = new Map<string, FlatLabels>();
  visit(parts, matchers, period, {
    block: ({ labels }) => found.set(keyOfFlat(labels), labels),
    head({ table, head }, id) {
      if (!head.hasIn(id, period)) return;
      const labels = flatLabels(table, id);
      found.set(keyOfFlat(labels), labels);
    },
  });
  return [...found.values()].sort(compareFlat).map(labelsOf);
}

interface Visitor {
  block(series: { labels: FlatLabels; samples(): Samples }): void;
  head(of: StoredParts["heads"][number], series: number): void;
}

function visit(parts: StoredParts, matchers: readonly Matcher[], period: Period, visitor: Visitor): void {
  const compiled = matchers.map(compileMatcher);
  const inPeriod = parts.blocks.filter(({ facts }) => facts.from <= period.to && facts.to >= period.from);
  for (const block of inPeriod.sort((a, b) => a.facts.from - b.facts.from)) {
    try {
      for (const series of block.select(compiled, period)) visitor.block(series);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      parts.onDamage(block, error.message);
    }
  }
  for (const each of parts.heads)
    if (each.head.oldest <= period.to && each.head.newest >= period.from)
      for (const series of each.table.select(compiled)) visitor.head(each, series);
}
