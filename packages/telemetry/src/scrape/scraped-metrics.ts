/**
 * What was scraped, as OTLP's metrics: a histogram or summary that is whole becomes one point; what is not stays as the samples
 * that it is, so that nothing is lost. The type of what was scraped is in the metric's metadata, as the OpenTelemetry Collector has
 * it; whoever translates back keeps names and labels as they are then.
 *
 * Source: opentelemetry-collector-contrib receiver/prometheusreceiver/internal, metricfamily.go.
 */
import { attributesOf } from "../attributes.ts";
import type {
  HistogramDataPoint,
  KeyValue,
  Metric,
  NumberDataPoint,
  Exemplar as OtlpExemplar,
  SummaryDataPoint,
} from "../otlp/types.ts";
import type { Exemplar, ExposedSample, ExposedType, Family, Label } from "./exposition.ts";

type MetricKind = "gauge" | "sum" | "histogram" | "summary";

/** One data point with what it is of. */
export interface ScrapedPoint {
  readonly metric: { readonly name: string; readonly type: ExposedType; readonly help: string; readonly unit: string };
  readonly kind: MetricKind;
  readonly point: NumberDataPoint | HistogramDataPoint | SummaryDataPoint;
}

/** `at`: when it was scraped, for samples that say no time. `more`: attributes that each point gets, of its labels. */
export function scrapedPoints(
  families: readonly Family[],
  at: number,
  more: (labels: readonly Label[]) => readonly Label[] = () => [],
): ScrapedPoint[] {
  const context = { at, more };
  return families.flatMap((family) => {
    if (family.type === "histogram")
      return groups(family, "le").flatMap((group) => histogramPoints(family, group, context));
    if (family.type === "summary")
      return groups(family, "quantile").flatMap((group) => summaryPoints(family, group, context));
    return plainPoints(family, context);
  });
}

interface Context {
  readonly at: number;
  readonly more: (labels: readonly Label[]) => readonly Label[];
}

const nano = (ms: number): string => `${ms}000000`;

const attributes = (labels: readonly Label[], { more }: Context): KeyValue[] =>
  attributesOf(Object.fromEntries([...labels, ...more(labels)]));

const timed = (samples: readonly ExposedSample[], { at }: Context) => ({
  timeUnixNano: nano(samples.find(({ time }) => time !== undefined)?.time ?? at),
});

const started = (created: ExposedSample | undefined) =>
  created && { startTimeUnixNano: nano(Math.floor(created.value * 1000)) };

const withoutLabel = (labels: readonly Label[], name: string): Label[] => labels.filter(([label]) => label !== name);

const keyOf = (labels: readonly Label[]): string => JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Samples by their labels but one. */
function groups({ samples }: Family, except: string): ExposedSample[][] {
  const found = new Map<string, ExposedSample[]>();
  for (const sample of samples) {
    const key = keyOf(withoutLabel(sample.labels, except));
    const group = found.get(key);
    if (group) group.push(sample);
    else found.set(key, [sample]);
  }
  return [...found.values()];
}

function plainPoints(family: Family, context: Context): ScrapedPoint[] {
  const created = new Map<string, ExposedSample>();
  if (family.type === "counter")
    for (const sample of family.samples)
      if (sample.name === `${family.name}_created`) created.set(keyOf(sample.labels), sample);
  const isCreated = (sample: ExposedSample) => created.get(keyOf(sample.labels)) === sample;
  return family.samples
    .filter((sample) => created.size === 0 || !isCreated(sample))
    .map((sample) => {
      const start = created.size === 0 ? undefined : created.get(keyOf(sample.labels));
      return single(family, sample, family.type, context, start);
    });
}

function single(
  { help, unit }: Family,
  sample: ExposedSample,
  type: ExposedType,
  context: Context,
  created?: ExposedSample,
): ScrapedPoint {
  return {
    metric: { name: sample.name, type, help, unit },
    kind: type === "counter" ? "sum" : "gauge",
    point: {
      ...timed([sample], context),
      ...started(created),
      attributes: attributes(sample.labels, context),
      asDouble: sample.value,
      ...(sample.exemplar && { exemplars: [exemplar(sample.exemplar, sample, context)] }),
    },
  };
}

/** Sums, counts and buckets of what is not whole are counters on their own. */
const apart = (family: Family, group: readonly ExposedSample[], context: Context): ScrapedPoint[] =>
  group.map((sample) => single(family, sample, sample.name === family.name ? "gauge" : "counter", context));

const named = (group: readonly ExposedSample[], name: string): ExposedSample | undefined =>
  group.find((sample) => sample.name === name);

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function histogramPoints(family: Family, group: ExposedSample[], context: Context): ScrapedPoint[] {
  const { name, help, unit } = family;
  const buckets = group
    .filter((sample) => sample.name === `${name}_bucket`)
    .map((sample) => ({ sample, bound: boundOf(sample), count: sample.value }))
    .sort((a, b) => a.bound - b.bound);
  const count = named(group, `${name}_count`);
  const sum = named(group, `${name}_sum`);
  const created = named(group, `${name}_created`);
  const last = buckets.at(-1);
  const isWhole =
    count !== undefined &&
    last?.bound === Number.POSITIVE_INFINITY &&
    last.count === count.value &&
    buckets.every(({ bound, count }, index) => {
      const before = buckets[index - 1];
      return isCount(count) && !Number.isNaN(bound) && (!before || (before.bound < bound && before.count <= count));
    }) &&
    group.length === buckets.length + [count, sum, created].filter(Boolean).length &&
    new Set(group.map(({ time }) => time)).size === 1;
  if (!isWhole) return apart(family, group, context);
  const point: HistogramDataPoint = {
    ...timed(group, context),
    ...started(created),
    attributes: attributes(count.labels, context),
    count: String(count.value),
    explicitBounds: buckets.slice(0, -1).map(({ bound }) => bound),
    bucketCounts: buckets.map(({ count }, index) => String(count - (buckets[index - 1]?.count ?? 0))),
  };
  if (sum) point.sum = sum.value;
  const exemplars = buckets.flatMap(({ sample }) =>
    sample.exemplar ? [exemplar(sample.exemplar, sample, context)] : [],
  );
  if (exemplars.length > 0) point.exemplars = exemplars;
  return [{ metric: { name, type: "histogram", help, unit }, kind: "histogram", point }];
}

/** NaN where it is none. */
function boundOf({ labels }: ExposedSample): number {
  const text = labels.find(([label]) => label === "le")?.[1] ?? "";
  return text === "+Inf" ? Number.POSITIVE_INFINITY : text.trim() === "" ? Number.NaN : Number(text);
}

function summaryPoints(family: Family, group: ExposedSample[], context: Context): ScrapedPoint[] {
  const { name, help, unit } = family;
  const count = named(group, `${name}_count`);
  const sum = named(group, `${name}_sum`);
  const created = named(group, `${name}_created`);
  const quantiles = group.filter((sample) => sample.name === name);
  const places = quantiles.map(({ labels }) => Number(labels.find(([label]) => label === "quantile")?.[1] ?? "NaN"));
  const isWhole =
    count !== undefined &&
    sum !== undefined &&
    isCount(count.value) &&
    places.every((place) => place >= 0 && place <= 1) &&
    new Set(places).size === places.length &&
    new Set(group.map(({ time }) => time)).size === 1;
  if (!isWhole) return apart(family, group, context);
  const point: SummaryDataPoint = {
    ...timed(group, context),
    ...started(created),
    attributes: attributes(count.labels, context),
    count: String(count.value),
    sum: sum.value,
    quantileValues: quantiles.map(({ value }, index) => ({ quantile: places[index] as number, value })),
  };
  return [{ metric: { name, type: "summary", help, unit }, kind: "summary", point }];
}

function exemplar({ labels, value, time }: Exemplar, of: ExposedSample, context: Context): OtlpExemplar {
  const values = new Map(labels);
  const hex = (name: string, length: number) => {
    const text = values.get(name)?.toLowerCase() ?? "";
    return text.length === length && /^[\da-f]+$/.test(text) ? text : undefined;
  };
  const traceId = hex("trace_id", 32);
  const spanId = hex("span_id", 16);
  const rest = labels.filter(([name]) => !(name === "trace_id" && traceId) && !(name === "span_id" && spanId));
  return {
    timeUnixNano: nano(time ?? of.time ?? context.at),
    asDouble: value,
    ...(traceId && { traceId }),
    ...(spanId && { spanId }),
    ...(rest.length > 0 && { filteredAttributes: attributesOf(Object.fromEntries(rest)) }),
  };
}

/** Points of one metric side by side, in the order of their first. */
export function metricsOfPoints(points: readonly ScrapedPoint[]): Metric[] {
  const found = new Map<string, { metric: Metric; dataPoints: object[] }>();
  for (const { metric, kind, point } of points) {
    const key = `${kind} ${metric.type} ${metric.name}`;
    let known = found.get(key);
    if (!known) {
      const dataPoints: object[] = [];
      known = { metric: { ...metricOf(metric), [kind]: { ...summing[kind], dataPoints } }, dataPoints };
      found.set(key, known);
    }
    known.dataPoints.push(point);
  }
  return [...found.values()].map(({ metric }) => metric);
}

const summing: Readonly<Record<MetricKind, object>> = {
  gauge: {},
  sum: { aggregationTemporality: 2, isMonotonic: true },
  histogram: { aggregationTemporality: 2 },
  summary: {},
};

const metricOf = ({ name, type, help, unit }: ScrapedPoint["metric"]): Metric => ({
  // What is in quotes may be any text.
  name: name.replace(/[^a-zA-Z0-9_:]/gu, "_"),
  ...(help && { description: help }),
  ...(unit && { unit }),
  metadata: attributesOf({ "prometheus.type": type }),
});

/** Which series a point is of. */
export const pointKey = ({ metric, point }: ScrapedPoint): string =>
  `${metric.name} ${JSON.stringify(point.attributes)} ${"explicitBounds" in point ? point.explicitBounds?.join() : ""}`;

/** The same series, ended. */
export function ended({ metric, kind, point }: ScrapedPoint, at: number): ScrapedPoint {
  const { startTimeUnixNano: _, exemplars: __, ...rest } = point as NumberDataPoint;
  return { metric, kind, point: { ...rest, timeUnixNano: nano(at), flags: 1 } };
}
