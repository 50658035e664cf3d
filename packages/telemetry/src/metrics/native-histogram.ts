/** Native histograms: from OTLP's exponential ones, their sum, their resets, and their bytes. */
import type { Buckets, ExponentialHistogramDataPoint } from "../otlp/types.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { BucketRun, NativeHistogram } from "./series.ts";

/** Source: prometheus model/histogram, ExponentialSchemaMin and -Max. */
export const lowestSchema = -4;
export const highestSchema = 8;

/** Of senders that say none. Source: prometheus storage/remote/otlptranslator, histograms.go. */
const defaultZeroThreshold = 1e-128;

const none: BucketRun = { offset: 0, counts: [] };

/**
 * Undefined: its scale is below -4, which no native histogram has. Higher scales than 8 are reduced to 8 by joining buckets.
 *
 * Source: prometheus storage/remote/otlptranslator, histograms.go.
 */
export function nativeFromOtlp(point: ExponentialHistogramDataPoint): NativeHistogram | undefined {
  const scale = point.scale ?? 0;
  if (scale < lowestSchema) return undefined;
  const by = Math.max(0, scale - highestSchema);
  return {
    schema: scale - by,
    zeroThreshold: point.zeroThreshold || defaultZeroThreshold,
    zeroCount: Number(point.zeroCount ?? 0),
    count: Number(point.count ?? 0),
    sum: point.sum ?? 0,
    positive: runOf(point.positive, by),
    negative: runOf(point.negative, by),
  };
}

/** OTLP's index is one lower. */
function runOf(buckets: Buckets | undefined, by: number): BucketRun {
  const counts = (buckets?.bucketCounts ?? []).map(Number);
  return trimmed(joined({ offset: (buckets?.offset ?? 0) + 1, counts }, by));
}

/** Buckets of a schema that is lower by `by`. Bucket i of schema s is within bucket ceil(i / 2^by). */
function joined({ offset, counts }: BucketRun, by: number): BucketRun {
  if (by === 0 || counts.length === 0) return { offset, counts };
  const place = (index: number) => ((index - 1) >> by) + 1;
  const first = place(offset);
  const sums = new Array<number>(place(offset + counts.length - 1) - first + 1).fill(0);
  for (let i = 0; i < counts.length; i++) {
    const at = place(offset + i) - first;
    sums[at] = (sums[at] as number) + (counts[i] as number);
  }
  return { offset: first, counts: sums };
}

function trimmed({ offset, counts }: BucketRun): BucketRun {
  let start = 0;
  let end = counts.length;
  while (start < end && counts[start] === 0) start++;
  while (end > start && counts[end - 1] === 0) end--;
  if (start === end) return none;
  return { offset: offset + start, counts: Array.from(counts).slice(start, end) };
}

const atSchema = (run: BucketRun, from: number, to: number): BucketRun => joined(run, from - to);

function plus(a: BucketRun, b: BucketRun): BucketRun {
  if (a.counts.length === 0) return b;
  if (b.counts.length === 0) return a;
  const offset = Math.min(a.offset, b.offset);
  const end = Math.max(a.offset + a.counts.length, b.offset + b.counts.length);
  const counts = new Array<number>(end - offset).fill(0);
  for (const run of [a, b])
    for (let i = 0; i < run.counts.length; i++) {
      const at = run.offset - offset + i;
      counts[at] = (counts[at] as number) + (run.counts[i] as number);
    }
  return { offset, counts };
}

/** At the lower of both schemas. The wider zero bucket is kept as it is said; what lies within it in the other stays in buckets. */
export function addHistograms(a: NativeHistogram, b: NativeHistogram): NativeHistogram {
  const schema = Math.min(a.schema, b.schema);
  const both = (side: "positive" | "negative") =>
    plus(atSchema(a[side], a.schema, schema), atSchema(b[side], b.schema, schema));
  return {
    schema,
    zeroThreshold: Math.max(a.zeroThreshold, b.zeroThreshold),
    zeroCount: a.zeroCount + b.zeroCount,
    count: a.count + b.count,
    sum: a.sum + b.sum,
    positive: both("positive"),
    negative: both("negative"),
  };
}

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

/** Counting began anew between the two. Source: prometheus model/histogram, FloatHistogram.DetectReset. */
export function isHistogramReset(before: NativeHistogram, after: NativeHistogram): boolean {
  if (after.count < before.count || after.schema > before.schema) return true;
  if (after.zeroThreshold !== before.zeroThreshold || after.zeroCount < before.zeroCount) return true;
  return (["positive", "negative"] as const).some((side) => {
    const run = atSchema(before[side], before.schema, after.schema);
    const now = after[side];
    for (let i = 0; i < run.counts.length; i++)
      if ((run.counts[i] as number) > (now.counts[run.offset + i - now.offset] ?? 0)) return true;
    return false;
  });
}

export function sameHistogram(a: NativeHistogram, b: NativeHistogram): boolean {
  const sameRun = (x: BucketRun, y: BucketRun) =>
    x.counts.length === y.counts.length &&
    (x.counts.length === 0 || x.offset === y.offset) &&
    Array.from(x.counts).every((count, index) => count === y.counts[index]);
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    a.zeroCount === b.zeroCount &&
    a.count === b.count &&
    Object.is(a.sum, b.sum) &&
    sameRun(a.positive, b.positive) &&
    sameRun(a.negative, b.negative)
  );
}

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
