/** Native histograms as they are kept: from OTLP's exponential ones, their running sum, and their bytes. */
import type { Buckets, ExponentialHistogramDataPoint } from "../otlp/types.ts";
import { added, isEqual, merged, toSchema, upperBound } from "../promql/native-histogram.ts";
import type { ByteReader, ByteWriter } from "../store/bytes.ts";
import type { BucketRun, NativeHistogram } from "./series.ts";

/** Source: prometheus model/histogram, ExponentialSchemaMin and -Max. */
const lowestSchema = -4;
const highestSchema = 8;

/** Of senders that say none. Source: prometheus storage/remote/otlptranslator, histograms.go. */
const defaultZeroThreshold = 1e-128;

/** Buckets of a sum, of one sign; senders have 160 each. */
const mostBuckets = 2000;

const none: BucketRun = { offset: 0, counts: [] };

/**
 * A text says why there is none: a scale below -4, or buckets of values that no number has. Higher scales than 8 are reduced to 8 by
 * joining buckets.
 *
 * Source: prometheus storage/remote/otlptranslator, histograms.go.
 */
export function nativeFromOtlp(point: ExponentialHistogramDataPoint): NativeHistogram | string {
  const scale = point.scale ?? 0;
  if (scale < lowestSchema) return "the scale is below -4";
  const by = Math.max(0, scale - highestSchema);
  const positive = runOf(point.positive);
  const negative = runOf(point.negative);
  if (![positive, negative].every((run) => isOfNumbers(run, scale))) return "its buckets are beyond what numbers reach";
  return {
    schema: scale - by,
    zeroThreshold: point.zeroThreshold || defaultZeroThreshold,
    zeroCount: Number(point.zeroCount ?? 0),
    count: Number(point.count ?? 0),
    sum: point.sum ?? 0,
    positive: by === 0 ? positive : merged(positive, by),
    negative: by === 0 ? negative : merged(negative, by),
  };
}

/** Of buckets in which something is counted. OTLP's index is one lower. */
function runOf({ offset = 0, bucketCounts = [] }: Buckets = {}): BucketRun {
  const counts = bucketCounts.map(Number);
  let start = 0;
  let end = counts.length;
  while (start < end && counts[start] === 0) start++;
  while (end > start && counts[end - 1] === 0) end--;
  if (start === end) return none;
  return { offset: offset + 1 + start, counts: counts.slice(start, end) };
}

const isOfNumbers = ({ offset, counts }: BucketRun, schema: number): boolean =>
  counts.length === 0 ||
  (upperBound(offset, schema) > 0 && upperBound(offset + counts.length - 2, schema) < Number.POSITIVE_INFINITY);

/** The sum, at a schema at which its buckets are not too many. */
export function runningSum(a: NativeHistogram, b: NativeHistogram): NativeHistogram {
  let schema = Math.min(a.schema, b.schema);
  while (schema > lowestSchema && widest(toSchema(a, schema), toSchema(b, schema)) > mostBuckets) schema--;
  return added(toSchema(a, schema), toSchema(b, schema));
}

const widest = (...histograms: readonly NativeHistogram[]): number =>
  Math.max(
    ...(["positive", "negative"] as const).map((side) => {
      const runs = histograms.map((histogram) => histogram[side]).filter(({ counts }) => counts.length > 0);
      const ends = runs.map(({ offset, counts }) => offset + counts.length);
      return runs.length === 0 ? 0 : Math.max(...ends) - Math.min(...runs.map(({ offset }) => offset));
    }),
  );

/** Of the same form, with nothing counted. */
export const emptyHistogram = ({ schema, zeroThreshold }: NativeHistogram): NativeHistogram => ({
  schema,
  zeroThreshold,
  zeroCount: 0,
  count: 0,
  sum: 0,
  positive: none,
  negative: none,
});

/** Also where the sums are no numbers. */
export const sameHistogram = (a: NativeHistogram, b: NativeHistogram): boolean =>
  Object.is(a.sum, b.sum) && isEqual({ ...a, sum: 0 }, { ...b, sum: 0 });

const gaugeFlag = 1;
const fractionsFlag = 2;

/** `before`: the sample that came before in the same series and is known to the reader as well; makes it much shorter. */
export function writeHistogram(writer: ByteWriter, histogram: NativeHistogram, before?: NativeHistogram): void {
  const { schema, zeroThreshold, zeroCount, count, sum, positive, negative, isGauge } = histogram;
  const isWhole =
    [zeroCount, count].every(Number.isSafeInteger) &&
    [positive, negative].every((run) => Array.from(run.counts).every(Number.isSafeInteger));
  writer.byte((isGauge ? gaugeFlag : 0) | (isWhole ? 0 : fractionsFlag));
  writer.signed(schema);
  writer.float64(zeroThreshold);
  writer.float64(sum);
  const known = before?.schema === schema ? before : undefined;
  const number = (value: number, base: number) =>
    isWhole ? writer.signed(value - whole(base)) : writer.float64(value);
  number(zeroCount, known?.zeroCount ?? 0);
  number(count, known?.count ?? 0);
  for (const side of ["positive", "negative"] as const) {
    const run = histogram[side];
    writer.signed(run.offset);
    writer.varint(run.counts.length);
    for (let i = 0; i < run.counts.length; i++)
      number(run.counts[i] as number, known ? countAt(known[side], run.offset + i) : 0);
  }
}

/** Differences are taken of whole numbers only. */
const whole = (value: number): number => (Number.isSafeInteger(value) ? value : 0);

const countAt = (run: BucketRun, index: number): number => run.counts[index - run.offset] ?? 0;

export function readHistogram(reader: ByteReader, before?: NativeHistogram): NativeHistogram {
  const flags = reader.byte();
  const schema = reader.signed();
  const zeroThreshold = reader.float64();
  const sum = reader.float64();
  const known = before?.schema === schema ? before : undefined;
  const number = (base: number) => (flags & fractionsFlag ? reader.float64() : reader.signed() + whole(base));
  const zeroCount = number(known?.zeroCount ?? 0);
  const count = number(known?.count ?? 0);
  const run = (side: "positive" | "negative"): BucketRun => {
    const offset = reader.signed();
    const length = reader.varint();
    const counts = new Array<number>(length);
    for (let i = 0; i < length; i++) counts[i] = number(known ? countAt(known[side], offset + i) : 0);
    return { offset, counts };
  };
  const positive = run("positive");
  const negative = run("negative");
  const histogram = { schema, zeroThreshold, zeroCount, count, sum, positive, negative };
  return flags & gaugeFlag ? { ...histogram, isGauge: true } : histogram;
}
