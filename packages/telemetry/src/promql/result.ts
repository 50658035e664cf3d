/** Results, and Prometheus' JSON of them. Source: prometheus 2.42 web/api/v1/api.go and promql/value.go. */
import type { NativeHistogram, SeriesSamples } from "../metrics/series.ts";
import type { HistogramJson, Labels, Point, QueryData } from "../telemetry.ts";
import type { LabelSet } from "./label-set.ts";
import { bucketsOf } from "./native-histogram.ts";
import { formatFloat } from "./number.ts";
import type { Series, Steps } from "./value.ts";

/** Times are in ms. */
export type Result =
  | { readonly kind: "scalar"; readonly at: number; readonly value: number }
  | { readonly kind: "string"; readonly at: number; readonly value: string }
  | { readonly kind: "vector"; readonly at: number; readonly series: readonly Series[] }
  | { readonly kind: "range"; readonly steps: Steps; readonly series: readonly Series[] }
  | {
      readonly kind: "matrix";
      /** Samples from `from` to before `to`. */
      readonly series: readonly {
        readonly labels: LabelSet;
        readonly samples: Pick<SeriesSamples, "times" | "values" | "histograms">;
        readonly from: number;
        readonly to: number;
      }[];
    };

/** How many it keeps in memory. */
export function samplesIn(result: Result): number {
  if (result.kind === "scalar" || result.kind === "string") return 1;
  // A piece of the samples of a series keeps all of them.
  if (result.kind === "matrix") return result.series.reduce((sum, { samples }) => sum + samples.times.length, 0);
  return result.series.reduce((sum, { values }) => sum + values.length, 0);
}

export function queryData(result: Result): QueryData {
  switch (result.kind) {
    case "scalar":
      return { resultType: "scalar", result: point(result.at, result.value) };
    case "string":
      return { resultType: "string", result: [result.at / 1000, result.value] };
    case "vector":
      return { resultType: "vector", result: result.series.map((one) => vectorEntry(one, result.at)) };
    case "range":
    case "matrix":
      return { resultType: "matrix", result: [...matrixEntries(result)] };
  }
}

/** The same as text, in pieces of one series each, so that large answers are never whole in memory. */
export function* queryDataJson(result: Result): Generator<string> {
  if (result.kind === "scalar" || result.kind === "string") {
    yield JSON.stringify(queryData(result));
    return;
  }
  const entries =
    result.kind === "vector" ? result.series.map((one) => vectorEntry(one, result.at)) : matrixEntries(result);
  yield `{"resultType":"${result.kind === "vector" ? "vector" : "matrix"}","result":[`;
  let separator = "";
  for (const entry of entries) {
    yield separator + JSON.stringify(entry);
    separator = ",";
  }
  yield "]}";
}

const point = (time: number, value: number): Point => [time / 1000, formatFloat(value)];

function vectorEntry({ labels, values, histograms }: Series, at: number): VectorEntry {
  const histogram = histograms?.[0];
  const metric = labels.toLabels();
  if (histogram) return { metric, histogram: [at / 1000, histogramJson(histogram)] };
  return { metric, value: point(at, values[0] as number) };
}

type VectorEntry = (QueryData & { resultType: "vector" })["result"][number];
type MatrixEntry = (QueryData & { resultType: "matrix" })["result"][number];

function* matrixEntries(result: Result & { kind: "range" | "matrix" }): Generator<MatrixEntry> {
  if (result.kind === "matrix")
    for (const { labels, samples, from, to } of result.series) {
      const entry = new Entry(labels.toLabels());
      for (let at = from; at < to; at++)
        entry.add(samples.times[at] as number, samples.values[at] as number, samples.histograms?.[at]);
      yield entry.json();
    }
  else
    for (const { labels, values, present, histograms } of result.series) {
      const entry = new Entry(labels.toLabels());
      for (let step = 0; step < values.length; step++)
        if (present[step])
          entry.add(result.steps.start + result.steps.interval * step, values[step] as number, histograms?.[step]);
      yield entry.json();
    }
}

class Entry {
  readonly #metric: Labels;
  readonly #values: Point[] = [];
  readonly #histograms: [number, HistogramJson][] = [];

  constructor(metric: Labels) {
    this.#metric = metric;
  }

  add(time: number, value: number, histogram: NativeHistogram | undefined): void {
    if (histogram) this.#histograms.push([time / 1000, histogramJson(histogram)]);
    else this.#values.push(point(time, value));
  }

  json(): MatrixEntry {
    return {
      metric: this.#metric,
      ...(this.#values.length > 0 && { values: this.#values }),
      ...(this.#histograms.length > 0 && { histograms: this.#histograms }),
    };
  }
}

export function histogramJson(histogram: NativeHistogram): HistogramJson {
  const buckets = bucketsOf(histogram).map(({ boundaries, lower, upper, count }): [number, string, string, string] => [
    boundaries,
    formatFloat(lower),
    formatFloat(upper),
    formatFloat(count),
  ]);
  return {
    count: formatFloat(histogram.count),
    sum: formatFloat(histogram.sum),
    ...(buckets.length > 0 && { buckets }),
  };
}
