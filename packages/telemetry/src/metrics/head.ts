/**
 * The newest samples, in memory: one list for all series in the order in which samples came, each linked to the one before of
 * its series. 21 bytes a sample; appending touches nothing else.
 */

import { ByteReader, ByteWriter } from "../store/bytes.ts";
import type { Period } from "../telemetry.ts";
import { readHistogram, writeHistogram } from "./native-histogram.ts";
import { noSamples, pushSample, type Samples, sorted } from "./samples.ts";
import type { NativeHistogram } from "./series.ts";

const floatKind = 0;
/** Its value is the place of its bytes. */
const histogramKind = 1;
const endKind = 2;

/** Slots are had in runs of that many, so that growing copies nothing. */
const runBits = 14;
const runLength = 1 << runBits;

interface Run {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly before: Int32Array;
  readonly kinds: Uint8Array;
}

export class Head {
  readonly #runs: Run[] = [];
  /** By series: its newest slot, -1: none. */
  #last = new Int32Array(128).fill(-1);
  readonly #histograms = new ByteWriter(4096);
  #slots = 0;
  #oldest = Number.POSITIVE_INFINITY;
  #newest = Number.NEGATIVE_INFINITY;

  /** Samples and markers. */
  get slots(): number {
    return this.#slots;
  }

  /** Of what grows with samples. */
  get bytes(): number {
    return this.#runs.length * runLength * 21 + this.#histograms.length;
  }

  /** Infinity when it is empty. */
  get oldest(): number {
    return this.#oldest;
  }

  get newest(): number {
    return this.#newest;
  }

  append(series: number, time: number, value: number): void {
    this.#put(series, time, value, floatKind);
  }

  appendHistogram(series: number, time: number, histogram: NativeHistogram): void {
    this.#put(series, time, this.#histograms.length, histogramKind);
    writeHistogram(this.#histograms, histogram);
  }

  appendEnd(series: number, time: number): void {
    this.#put(series, time, Number.NaN, endKind);
  }

  has(series: number): boolean {
    return this.#newestOf(series) >= 0;
  }

  /** What is known of the series at that very moment. */
  at(series: number, time: number): number | NativeHistogram | "end" | undefined {
    for (let slot = this.#newestOf(series); slot >= 0; ) {
      const run = this.#runs[slot >> runBits] as Run;
      const index = slot & (runLength - 1);
      slot = run.before[index] as number;
      if (run.times[index] !== time) continue;
      const value = run.values[index] as number;
      if (run.kinds[index] === endKind) return "end";
      return run.kinds[index] === floatKind ? value : this.#histogram(value);
    }
    return undefined;
  }

  /** Undefined: nothing in the period. */
  read(series: number, { from, to }: Period): Samples | undefined {
    const slots: number[] = [];
    for (let slot = this.#newestOf(series); slot >= 0; ) {
      const run = this.#runs[slot >> runBits] as Run;
      const index = slot & (runLength - 1);
      const time = run.times[index] as number;
      if (time >= from && time <= to) slots.push(slot);
      slot = run.before[index] as number;
    }
    if (slots.length === 0) return undefined;
    const samples = noSamples();
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i] as number;
      const run = this.#runs[slot >> runBits] as Run;
      const index = slot & (runLength - 1);
      const time = run.times[index] as number;
      const value = run.values[index] as number;
      if (run.kinds[index] === endKind) samples.ends.push(time);
      else if (run.kinds[index] === floatKind) pushSample(samples, time, value, undefined);
      else pushSample(samples, time, Number.NaN, this.#histogram(value));
    }
    return sorted(samples);
  }

  /** Has any sample in the period; markers are none. */
  hasIn(series: number, { from, to }: Period): boolean {
    for (let slot = this.#newestOf(series); slot >= 0; ) {
      const run = this.#runs[slot >> runBits] as Run;
      const index = slot & (runLength - 1);
      const time = run.times[index] as number;
      if (time >= from && time <= to && run.kinds[index] !== endKind) return true;
      slot = run.before[index] as number;
    }
    return false;
  }

  /** Its slot, -1: none. */
  #newestOf(series: number): number {
    return series < this.#last.length ? (this.#last[series] as number) : -1;
  }

  #histogram(place: number): NativeHistogram {
    return readHistogram(new ByteReader(this.#histograms.written, place));
  }

  #put(series: number, time: number, value: number, kind: number): void {
    if (series >= this.#last.length) {
      const larger = new Int32Array(Math.max(series + 1, this.#last.length * 2)).fill(-1);
      larger.set(this.#last);
      this.#last = larger;
    }
    const slot = this.#slots++;
    if (slot >> runBits === this.#runs.length)
      this.#runs.push({
        times: new Float64Array(runLength),
        values: new Float64Array(runLength),
        before: new Int32Array(runLength),
        kinds: new Uint8Array(runLength),
      });
    const run = this.#runs[slot >> runBits] as Run;
    const index = slot & (runLength - 1);
    run.times[index] = time;
    run.values[index] = value;
    run.kinds[index] = kind;
    run.before[index] = this.#last[series] as number;
    this.#last[series] = slot;
    this.#oldest = Math.min(this.#oldest, time);
    this.#newest = Math.max(this.#newest, time);
  }
}
