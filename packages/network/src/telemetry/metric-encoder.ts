/** Instruments and their points as fields of OTLP's ScopeMetrics. Source: opentelemetry/proto/metrics/v1/metrics.proto. */
import type { ExponentialHistogram } from "./exponential-histogram.ts";
import { attribute } from "./otlp.ts";
import type { ReverseWriter } from "./reverse-writer.ts";

export interface Instrument {
  /** As OpenTelemetry names: `flotilla.requests`. */
  readonly name: string;
  /** UCUM: "s", "By", "{request}". */
  readonly unit: string;
  readonly description: string;
  /** Names of the labels, in the order in which values are given. */
  readonly labels: readonly string[];
}

/** Told from real labels by identity. */
export const overflowing: readonly string[] = [];

/** What a Metric may be, by the number of its field. */
export const metricKind = { gauge: 5, sum: 7, exponentialHistogram: 10 } as const;
const cumulative = 2;

/** Flag of a point: its series has ended. */
const noRecordedValue = 1;

/** Makes what was written since `end`, data points, a metric of a ScopeMetrics. */
export function writeMetric(
  writer: ReverseWriter,
  { name, unit, description }: Instrument,
  kind: number,
  end: number,
): void {
  // Fields may come in any order: these after the data points are before them in what is written.
  if (kind === metricKind.sum) writer.varint(3, 1);
  if (kind !== metricKind.gauge) writer.varint(2, cumulative);
  writer.message(kind, end);
  writer.text(3, unit);
  writer.text(2, description);
  writer.text(1, name);
  writer.message(2, end);
}

function labelled(writer: ReverseWriter, at: number, { labels: names }: Instrument, labels: readonly string[]): void {
  if (labels === overflowing) attribute(writer, at, "otel.metric.overflow", true);
  else for (let i = names.length - 1; i >= 0; i--) attribute(writer, at, names[i] as string, labels[i] as string);
}

export interface At<V> {
  readonly since: number | undefined;
  readonly now: number;
  readonly value: V;
}

export function numberPoint(
  writer: ReverseWriter,
  instrument: Instrument,
  labels: readonly string[],
  { since, now, value }: At<number | undefined>,
): void {
  const end = writer.end;
  if (value === undefined) writer.varint(8, noRecordedValue);
  labelled(writer, 7, instrument, labels);
  if (value !== undefined) writer.double(4, value);
  writer.nanoseconds(3, now);
  if (since !== undefined) writer.nanoseconds(2, since);
  writer.message(1, end);
}

export function histogramPoint(
  writer: ReverseWriter,
  instrument: Instrument,
  labels: readonly string[],
  { since, now, value }: At<ExponentialHistogram>,
): void {
  const end = writer.end;
  if (value.count > 0) {
    writer.double(13, value.max);
    writer.double(12, value.min);
    const buckets = writer.end;
    writer.varints(2, value.counts);
    writer.sint32(1, value.offset);
    writer.message(8, buckets);
  }
  writer.fixed64(7, value.zeroCount);
  writer.sint32(6, value.scale);
  writer.double(5, value.sum);
  writer.fixed64(4, value.count);
  writer.nanoseconds(3, now);
  if (since !== undefined) writer.nanoseconds(2, since);
  labelled(writer, 1, instrument, labels);
  writer.message(1, end);
}
