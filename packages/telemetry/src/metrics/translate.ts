/**
 * From OTLP's metrics to series, as Prometheus' translation of OTLP does it, with one difference: differences (delta temporality)
 * are said as such, for the store to add them up.
 *
 * Metrics that were scraped carry the metadata `prometheus.type`, as the OpenTelemetry Collector has it; their names and labels
 * stay as they were.
 *
 * Source: prometheus storage/remote/otlptranslator/prometheusremotewrite.
 */
import { attribute } from "../attributes.ts";
import type {
  ExponentialHistogramDataPoint,
  HistogramDataPoint,
  KeyValue,
  Metric,
  MetricsData,
  NumberDataPoint,
  Resource,
  SummaryDataPoint,
} from "../otlp/types.ts";
import { formatFloat } from "../promql/number.ts";
import type { Taken } from "../sink.ts";
import type { FlatLabels } from "./label-sets.ts";
import { isMetricName, metricName, openMetricsText, unitName } from "./names.ts";
import { nativeFromOtlp } from "./native-histogram.ts";
import {
  flat,
  type LabelMap,
  pointLabels,
  type ResourceLabels,
  resourceLabels,
  targetInfoLabels,
} from "./point-labels.ts";
import type { MetricMetadata, NativeHistogram } from "./series.ts";

/** One of the samples that a data point becomes. */
export interface Part {
  readonly labels: FlatLabels;
  readonly value: number;
  readonly histogram?: NativeHistogram;
  readonly isCounter: boolean;
}

/** One data point: all of its parts are taken, or none. */
export interface Point {
  /** Milliseconds since the epoch, whole. */
  readonly time: number;
  /** When counting began; 0: not said. */
  readonly start: number;
  readonly parts: readonly Part[];
  /** The values are what came since the last point. */
  readonly isDelta: boolean;
  /** No value: the series have ended. */
  readonly isEnd: boolean;
}

export interface TranslationTarget {
  /** Whether it is taken. */
  point(point: Point): boolean;
  /** `count` data points have no series. */
  refuse(reason: string, message: string, count: number): void;
  metadata(name: string, metadata: MetricMetadata): void;
}

type Tally = Omit<Taken, "message">;

const delta = 1;
const cumulative = 2;
const noRecordedValue = 1;

/** How many data points the target took, and how many not. */
export function translate(data: MetricsData, target: TranslationTarget): Tally {
  const tally = { taken: 0, rejected: 0 };
  for (const { resource, scopeMetrics = [] } of data.resourceMetrics ?? []) {
    const labels = resourceLabels(resource);
    const times: TimeSpan = { from: Number.POSITIVE_INFINITY, to: 0 };
    for (const { metrics = [] } of scopeMetrics)
      for (const metric of metrics) {
        const taken = translateMetric(metric, labels, times, target);
        tally.taken += taken;
        tally.rejected += dataPoints(metric).length - taken;
      }
    if (times.to > 0) targetInfo(resource, labels, times, target);
  }
  return tally;
}

/** Of the points that were taken. */
interface TimeSpan {
  from: number;
  to: number;
}

/** What the points of one metric have in common. */
interface MetricContext {
  readonly name: string;
  readonly resource: ResourceLabels;
  /** Of what was scraped: its type there. */
  readonly scrapedType: string | undefined;
  readonly isDelta: boolean;
  readonly isCounter: boolean;
  readonly numberText: (value: number) => string;
}

/** How many points were taken. */
function translateMetric(metric: Metric, resource: ResourceLabels, times: TimeSpan, target: TranslationTarget): number {
  const points = dataPoints(metric);
  if (points.length === 0) return 0;
  const context = contextOf(metric, resource);
  const problem = problemOf(metric, context);
  if (problem) {
    target.refuse(problem.reason, problem.message, points.length);
    return 0;
  }
  target.metadata(context.name, metadataOf(metric, context));
  let taken = 0;
  for (const point of points) {
    const time = milliseconds(point.timeUnixNano);
    const parts = partsOf(metric, point, context);
    if (typeof parts === "string") {
      target.refuse("bad buckets", `${metric.name}: ${parts}`, 1);
      continue;
    }
    const start = milliseconds(point.startTimeUnixNano);
    const isEnd = ((point.flags ?? 0) & noRecordedValue) !== 0;
    if (!target.point({ time, start, parts, isDelta: context.isDelta, isEnd })) continue;
    taken++;
    times.from = Math.min(times.from, time);
    times.to = Math.max(times.to, time);
  }
  return taken;
}

/** Of kinds with sums over time; gauges and summaries have none. */
const summing = ({ sum, histogram, exponentialHistogram }: Metric) => sum ?? histogram ?? exponentialHistogram;

const dataPoints = (metric: Metric): readonly NumberDataPoint[] =>
  (metric.gauge ?? summing(metric) ?? metric.summary)?.dataPoints ?? [];

function contextOf(metric: Metric, resource: ResourceLabels): MetricContext {
  const scrapedType = attribute(metric.metadata, "prometheus.type");
  const isMonotonic = metric.sum?.isMonotonic === true;
  const named = isMonotonic ? "counter" : metric.gauge ? "gauge" : "plain";
  return {
    name: scrapedType === undefined ? metricName(metric.name, metric.unit ?? "", named) : metric.name,
    resource,
    scrapedType,
    isDelta: summing(metric)?.aggregationTemporality === delta,
    isCounter: isMonotonic || scrapedType === "counter",
    numberText: scrapedType === undefined ? formatFloat : openMetricsText,
  };
}

function problemOf(metric: Metric, { name }: MetricContext): { reason: string; message: string } | undefined {
  if (!isMetricName(name))
    return { reason: "bad name", message: `no metric can be named ${JSON.stringify(metric.name.slice(0, 200))}` };
  const sums = summing(metric);
  if (!sums || sums.aggregationTemporality === delta || sums.aggregationTemporality === cumulative) return undefined;
  return { reason: "bad temporality", message: `${metric.name}: its temporality is neither delta nor cumulative` };
}

const metadataOf = (metric: Metric, { scrapedType }: MetricContext): MetricMetadata => ({
  type: metadataType(scrapedType, metric),
  help: metric.description ?? "",
  unit: scrapedType === undefined ? unitName(metric.unit ?? "") : (metric.unit ?? ""),
});

function partsOf(metric: Metric, point: object, context: MetricContext): Part[] | string {
  if (metric.exponentialHistogram) return nativeParts(point as ExponentialHistogramDataPoint, context);
  if (metric.histogram) return histogramParts(point as HistogramDataPoint, context);
  if (metric.summary) return summaryParts(point as SummaryDataPoint, context);
  return numberParts(point as NumberDataPoint, context);
}

function metadataType(scraped: string | undefined, metric: Metric): MetricMetadata["type"] {
  if (scraped === "counter" || scraped === "gauge" || scraped === "histogram" || scraped === "summary") return scraped;
  if (scraped === "info" || scraped === "stateset") return "gauge";
  if (scraped !== undefined) return "unknown";
  if (metric.summary) return "summary";
  if (metric.histogram || metric.exponentialHistogram) return "histogram";
  return metric.sum?.isMonotonic ? "counter" : "gauge";
}

/** 2^53 nanoseconds are 104 days: the last digits of an epoch in nanoseconds do not matter here. */
const milliseconds = (nanoseconds: string | undefined): number =>
  nanoseconds === undefined ? 0 : nanoseconds.length <= 6 ? 0 : Number(nanoseconds.slice(0, -6));

const numberOf = ({ asDouble, asInt }: NumberDataPoint): number => asDouble ?? Number(asInt ?? 0);

const labelsFor = (point: { attributes?: KeyValue[] }, { resource, scrapedType }: MetricContext): LabelMap =>
  pointLabels(point.attributes, resource, scrapedType !== undefined);

function part(labels: LabelMap, name: string, value: number, isCounter: boolean, extra?: [string, string]): Part {
  return { labels: flat(labels, name, extra), value, isCounter };
}

const numberParts = (point: NumberDataPoint, context: MetricContext): Part[] => [
  part(labelsFor(point, context), context.name, numberOf(point), context.isCounter),
];

function histogramParts(point: HistogramDataPoint, context: MetricContext): Part[] {
  const labels = labelsFor(point, context);
  const { name, numberText } = context;
  const { explicitBounds = [], bucketCounts = [] } = point;
  const count = Number(point.count ?? 0);
  const parts: Part[] = [];
  if (point.sum !== undefined) parts.push(part(labels, `${name}_sum`, point.sum, true));
  parts.push(part(labels, `${name}_count`, count, true));
  let below = 0;
  explicitBounds.slice(0, bucketCounts.length).forEach((bound, index) => {
    // The last bucket is said by its count alone.
    if (bound === Number.POSITIVE_INFINITY) return;
    below += Number(bucketCounts[index]);
    parts.push(part(labels, `${name}_bucket`, below, true, ["le", numberText(bound)]));
  });
  parts.push(part(labels, `${name}_bucket`, count, true, ["le", "+Inf"]));
  return parts;
}

function nativeParts(point: ExponentialHistogramDataPoint, context: MetricContext): Part[] | string {
  const histogram = nativeFromOtlp(point);
  if (typeof histogram === "string") return histogram;
  return [{ ...part(labelsFor(point, context), context.name, Number.NaN, true), histogram }];
}

function summaryParts(point: SummaryDataPoint, context: MetricContext): Part[] {
  const labels = labelsFor(point, context);
  const { name, numberText } = context;
  return [
    part(labels, `${name}_sum`, point.sum ?? 0, true),
    part(labels, `${name}_count`, Number(point.count ?? 0), true),
    ...(point.quantileValues ?? []).map(({ quantile = 0, value = 0 }) =>
      part(labels, name, value, false, ["quantile", numberText(quantile)]),
    ),
  ];
}

/** Half of PromQL's look-back, so that it is found at every moment between. Milliseconds. */
const targetInfoEvery = 150_000;

function targetInfo(
  resource: Resource | undefined,
  labels: ResourceLabels,
  { from, to }: TimeSpan,
  target: TranslationTarget,
): void {
  const info = targetInfoLabels(resource, labels);
  if (!info) return;
  target.metadata("target_info", { type: "gauge", help: "Target metadata", unit: "" });
  const parts = [part(info, "target_info", 1, false)];
  const point = (time: number) => target.point({ time, start: 0, parts, isDelta: false, isEnd: false });
  // A sender whose clock jumped must not make thousands.
  for (let time = Math.max(from, to - 4 * targetInfoEvery); time < to; time += targetInfoEvery) point(time);
  point(to);
}
