/** What queries read: the samples of blocks and heads, put together by series. */

import { DamagedError } from "../store/damaged-error.ts";
import { type Labels, type Period, QueryError } from "../telemetry.ts";
import type { Block } from "./block.ts";
import type { Head } from "./head.ts";
import { compareFlat, compileMatcher, type FlatLabels, flatLabels, keyOfFlat, labelsOf } from "./label-sets.ts";
import type { MetricLimits } from "./limits.ts";
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

type SelectLimits = Pick<MetricLimits, "maxSelected" | "maxSelectedSeries">;

interface Found {
  readonly labels: FlatLabels;
  /** Of the oldest part first. */
  readonly parts: (() => Samples | undefined)[];
}

/** One series after the other is read, so that all of it is never in memory at once in the form in which it is read. */
export function* selectSamples(
  stored: StoredParts,
  matchers: readonly Matcher[],
  period: Period,
  { maxSelected, maxSelectedSeries }: SelectLimits,
): Generator<SeriesSamples> {
  const found = new Map<string, Found>();
  const note = (labels: FlatLabels, part: Found["parts"][number]) => {
    const key = keyOfFlat(labels);
    const known = found.get(key);
    if (known) known.parts.push(part);
    else found.set(key, { labels, parts: [part] });
    if (found.size > maxSelectedSeries) throw tooManySeries(maxSelectedSeries);
  };
  const damaged = new Set<Block>();
  const parts: StoredParts = {
    ...stored,
    onDamage(block, reason) {
      damaged.add(block);
      stored.onDamage(block, reason);
    },
  };
  visit(parts, matchers, period, {
    block: ({ labels, samples }, block) =>
      // The file of one that was put aside is closed.
      note(labels, () => (damaged.has(block) ? undefined : undamaged(parts, block, samples))),
    head: ({ table, head }, id) => note(flatLabels(table, id), () => head.read(id, period)),
  });
  const series = [...found.values()].sort((a, b) => compareFlat(a.labels, b.labels));
  found.clear();
  let left = maxSelected;
  const pieces = new Pieces();
  for (const { labels, parts } of series) {
    const samples = noSamples();
    for (const read of parts.splice(0)) {
      const part = read();
      if (part) append(samples, part, period);
    }
    left -= samples.times.length;
    if (left < 0)
      throw new QueryError(`the query reads more than ${maxSelected} samples; ask for fewer series or a shorter time`);
    if (samples.times.length > 0) yield seriesSamples(labels, sorted(samples), pieces);
  }
}

function seriesSamples(labels: FlatLabels, samples: Samples, pieces: Pieces): SeriesSamples {
  const series = {
    labels: labelsOf(labels),
    times: pieces.of(samples.times),
    values: pieces.of(samples.values),
    ends: samples.ends,
  };
  return samples.histograms.length > 0 ? { ...series, histograms: samples.histograms } : series;
}

/** Floats; large enough to go back to the system when nothing refers to it, which thousands of small arrays do not. */
const pieceLength = 65_536;

class Pieces {
  #piece = new Float64Array(0);
  #used = 0;

  of(values: readonly number[]): Float64Array {
    if (values.length > pieceLength / 4) return Float64Array.from(values);
    if (this.#used + values.length > this.#piece.length) {
      this.#piece = new Float64Array(pieceLength);
      this.#used = 0;
    }
    const part = this.#piece.subarray(this.#used, this.#used + values.length);
    part.set(values);
    this.#used += values.length;
    return part;
  }
}

export function selectLabels(
  parts: StoredParts,
  matchers: readonly Matcher[],
  period: Period,
  { maxSelectedSeries }: SelectLimits,
): Labels[] {
  const found = new Map<string, FlatLabels>();
  const note = (labels: FlatLabels) => {
    found.set(keyOfFlat(labels), labels);
    if (found.size > maxSelectedSeries) throw tooManySeries(maxSelectedSeries);
  };
  visit(parts, matchers, period, {
    block: ({ labels }) => note(labels),
    head({ table, head }, id) {
      if (head.hasIn(id, period)) note(flatLabels(table, id));
    },
  });
  return [...found.values()].sort(compareFlat).map(labelsOf);
}

const tooManySeries = (most: number): QueryError =>
  new QueryError(`the query matches more than ${most} series; name a metric, a service or a shorter time`);

interface Visitor {
  block(series: { labels: FlatLabels; samples(): Samples }, of: Block): void;
  head(of: StoredParts["heads"][number], series: number): void;
}

function visit(parts: StoredParts, matchers: readonly Matcher[], period: Period, visitor: Visitor): void {
  const compiled = matchers.map(compileMatcher);
  const inPeriod = parts.blocks.filter(({ facts }) => facts.from <= period.to && facts.to >= period.from);
  for (const block of inPeriod.sort((a, b) => a.facts.from - b.facts.from))
    undamaged(parts, block, () => {
      for (const series of block.select(compiled, period)) visitor.block(series, block);
    });
  for (const each of parts.heads)
    if (each.head.oldest <= period.to && each.head.newest >= period.from)
      for (const series of each.table.select(compiled)) visitor.head(each, series);
}

function undamaged<T>(parts: StoredParts, block: Block, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    parts.onDamage(block, error.message);
    return undefined;
  }
}
