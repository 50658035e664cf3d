/** Makers of OTLP metrics for tests. */
import { attributesOf } from "../attributes.ts";
import type { Metric, MetricsData, NumberDataPoint } from "../otlp/types.ts";

type Values = Readonly<Record<string, string>>;

export const nano = (ms: number): string => `${ms}000000`;

/** Of one resource. */
export const metricsOf = (resource: Values, ...metrics: Metric[]): MetricsData => ({
  resourceMetrics: [{ resource: { attributes: attributesOf(resource) }, scopeMetrics: [{ metrics }] }],
});

export const point = (
  time: number,
  value: number,
  labels: Values = {},
  more: NumberDataPoint = {},
): NumberDataPoint => ({
  timeUnixNano: nano(time),
  asDouble: value,
  attributes: attributesOf(labels),
  ...more,
});

export const gauge = (name: string, ...dataPoints: NumberDataPoint[]): Metric => ({ name, gauge: { dataPoints } });

export const counter = (name: string, ...dataPoints: NumberDataPoint[]): Metric => ({
  name,
  sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true },
});

export const deltas = (name: string, ...dataPoints: NumberDataPoint[]): Metric => ({
  name,
  sum: { dataPoints, aggregationTemporality: 1, isMonotonic: true },
});

/** Keeps its name and labels as they are. */
export const scraped = (metric: Metric, type: string): Metric => ({
  ...metric,
  metadata: attributesOf({ "prometheus.type": type }),
});
