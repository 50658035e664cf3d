/** The samples of one series, as they are handed between head, blocks and queries, and as bytes. */
import { ByteReader, type ByteWriter } from "../store/bytes.ts";
import { readHistogram, writeHistogram } from "./native-histogram.ts";
import type { NativeHistogram } from "./series.ts";

/** Ascending by time once `sorted`. */
export interface Samples {
  readonly times: number[];
  /** NaN where the sample is a histogram. */
  readonly values: number[];
  /** Parallel to `times` when any sample is a histogram, else empty. */
  readonly histograms: (NativeHistogram | undefined)[];
  /** Staleness markers. */
  readonly ends: number[];
}

export const noSamples = (): Samples => ({ times: [], values: [], histograms: [], ends: [] });

export const isEmpty = ({ times, ends }: Samples): boolean => times.length === 0 && ends.length === 0;

export function pushSample(to: Samples, time: number, value: number, histogram: NativeHistogram | undefined): void {
  if (histogram && to.histograms.length < to.times.length) to.histograms.length = to.times.length;
  to.times.push(time);
  to.values.push(value);
  if (histogram || to.histograms.length > 0) to.histograms[to.times.length - 1] = histogram;
}

export function append(to: Samples, from: Samples, period?: { readonly from: number; readonly to: number }): void {
  for (let i = 0; i < from.times.length; i++) {
    const time = from.times[i] as number;
    if (period && (time < period.from || time > period.to)) continue;
    pushSample(to, time, from.values[i] as number, from.histograms[i]);
  }
  for (const end of from.ends) if (!period || (end >= period.from && end <= period.to)) to.ends.push(end);
}

const isAscending = (times: readonly number[]): boolean => {
  for (let i = 1; i < times.length; i++) if ((times[i] as number) <= (times[i - 1] as number)) return false;
  return true;
};

/** Strictly ascending; of several samples of one time the first that was appended stays, and a sample wins over a marker. */
export function sorted(samples: Samples): Samples {
  const { times, values, histograms, ends } = samples;
  const goodEnds = isAscending(ends) ? ends : [...new Set(ends)].sort((a, b) => a - b);
  const withoutTaken = (all: number[], taken: readonly number[]): number[] => {
    if (all.length === 0) return all;
    const known = new Set(taken);
    return all.some((end) => known.has(end)) ? all.filter((end) => !known.has(end)) : all;
  };
  if (isAscending(times)) return { times, values, histograms, ends: withoutTaken(goodEnds, times) };
  const order = times.map((_, index) => index).sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  const result = noSamples();
  for (const index of order) {
    const time = times[index] as number;
    if (result.times.at(-1) !== time) pushSample(result, time, values[index] as number, histograms[index]);
  }
  return { ...result, ends: withoutTaken(goodEnds, result.times) };
}

const someHistograms = 1;
const onlyHistograms = 2;

/** Values of one series: all the same, whole numbers times 10^-k (k = mode - 1), or bits. */
const constantMode = 0;
const bitsMode = 15;
/** Hundredths of seconds, milliseconds and microseconds are common. */
const decimals = [0, 1, 2, 3, 6];

/** Times as differences of differences, whole and decimal numbers as differences, everything else as bits that changed. */
export function writeSamples(writer: ByteWriter, { times, values, histograms, ends }: Samples): void {
  const isHistogram = (index: number) => histograms[index] !== undefined;
  const floats = histograms.length === 0 ? values : values.filter((_, index) => !isHistogram(index));
  const flags = histograms.length === 0 ? 0 : floats.length === 0 ? onlyHistograms : someHistograms;
  writer.byte(flags);
  writer.varint(times.length);
  writeTimes(writer, times);
  if (flags === someHistograms) for (let i = 0; i < times.length; i++) writer.byte(isHistogram(i) ? 1 : 0);
  if (floats.length > 0) writeFloats(writer, floats);
  let before: NativeHistogram | undefined;
  for (const histogram of histograms) {
    if (!histogram) continue;
    writeHistogram(writer, histogram, before);
    before = histogram;
  }
  writer.varint(ends.length);
  writeTimes(writer, ends);
}

function writeTimes(writer: ByteWriter, times: readonly number[]): void {
  let before = 0;
  let step = 0;
  for (const time of times) {
    writer.signed(time - before - step);
    step = before === 0 ? 0 : time - before;
    before = time;
  }
}

function readTimes(reader: ByteReader, count: number): number[] {
  const times = new Array<number>(count);
  let before = 0;
  let step = 0;
  for (let i = 0; i < count; i++) {
    const time = reader.signed() + before + step;
    step = before === 0 ? 0 : time - before;
    times[i] = before = time;
  }
  return times;
}

function writeFloats(writer: ByteWriter, values: readonly number[]): void {
  const first = values[0] as number;
  if (values.every((value) => Object.is(value, first))) {
    writer.byte(constantMode);
    writer.float64(first);
    return;
  }
  const places = decimals.find((places) => values.every((value) => isDecimal(value, 10 ** places)));
  if (places !== undefined) {
    writer.byte(places + 1);
    let before = 0;
    for (const value of values) {
      const whole = Math.round(value * 10 ** places);
      writer.signed(whole - before);
      before = whole;
    }
    return;
  }
  writer.byte(bitsMode);
  writer.bytes(changedBits(values));
}

/** Differences of such numbers fit into a varint. */
const isDecimal = (value: number, factor: number): boolean => {
  const whole = Math.round(value * factor);
  return Math.abs(whole) < 2 ** 50 && whole / factor === value && !Object.is(value, -0);
};

/** Each value's bits, exclusive-or the ones before, in eight planes of bytes: what rarely changes lies together. */
function changedBits(values: readonly number[]): Buffer {
  const count = values.length;
  const bits = new Uint8Array(Float64Array.from(values).buffer);
  const planes = Buffer.allocUnsafe(count * 8);
  for (let plane = 0; plane < 8; plane++)
    for (let i = 0; i < count; i++) {
      const before = i === 0 ? 0 : (bits[(i - 1) * 8 + plane] as number);
      planes[plane * count + i] = (bits[i * 8 + plane] as number) ^ before;
    }
  return planes;
}

function fromChangedBits(planes: Buffer, count: number): number[] {
  const bits = new Uint8Array(count * 8);
  for (let plane = 0; plane < 8; plane++) {
    let before = 0;
    for (let i = 0; i < count; i++) {
      before ^= planes[plane * count + i] as number;
      bits[i * 8 + plane] = before;
    }
  }
  return Array.from(new Float64Array(bits.buffer));
}

function readFloats(reader: ByteReader, count: number): number[] {
  const mode = reader.byte();
  if (mode === constantMode) return new Array<number>(count).fill(reader.float64());
  if (mode === bitsMode) return fromChangedBits(reader.bytes(count * 8), count);
  const factor = 10 ** (mode - 1);
  const values = new Array<number>(count);
  let whole = 0;
  for (let i = 0; i < count; i++) {
    whole += reader.signed();
    values[i] = whole / factor;
  }
  return values;
}

export function readSamples(bytes: Buffer, at: number): Samples {
  const reader = new ByteReader(bytes, at);
  const flags = reader.byte();
  const count = reader.varint();
  const times = readTimes(reader, count);
  const isHistogram =
    flags === someHistograms ? Array.from(reader.bytes(count), (byte) => byte === 1) : new Array(count).fill(flags > 0);
  const floatCount = isHistogram.filter((is) => !is).length;
  const floats = floatCount > 0 ? readFloats(reader, floatCount) : [];
  const ends = (histograms: (NativeHistogram | undefined)[], values: number[]): Samples => ({
    times,
    values,
    histograms,
    ends: readTimes(reader, reader.varint()),
  });
  if (flags === 0) return ends([], floats);
  const values: number[] = [];
  const histograms: (NativeHistogram | undefined)[] = [];
  let before: NativeHistogram | undefined;
  let float = 0;
  for (const is of isHistogram) {
    if (is) before = readHistogram(reader, before);
    histograms.push(is ? before : undefined);
    values.push(is ? Number.NaN : (floats[float++] as number));
  }
  return ends(histograms, values);
}
