/** What one request changed, as one record of the journal: either all of it is found after a crash, or nothing. */

import { ByteReader, ByteWriter } from "../store/bytes.ts";
import { compress, decompress } from "../store/compress.ts";
import type { FlatLabels } from "./label-sets.ts";
import { readHistogram, writeHistogram } from "./native-histogram.ts";
import type { MetricMetadata, NativeHistogram } from "./series.ts";

/** Series are numbered within one journal; a number is defined before it is used. */
export interface RecordReader {
  series(id: number, labels: FlatLabels, flags: number): void;
  /** What the next sample is compared with. */
  state(id: number, state: SeriesState): void;
  /** Of a series whose sender says differences: their sum so far. */
  total(id: number, total: NativeHistogram): void;
  sample(id: number, time: number, value: number): void;
  histogram(id: number, time: number, histogram: NativeHistogram): void;
  end(id: number, time: number): void;
  metadata(name: string, metadata: MetricMetadata): void;
}

export interface SeriesState {
  readonly lastTime: number;
  readonly lastValue: number;
  readonly start: number;
}

const kinds = { series: 1, state: 2, total: 3, sample: 4, histogram: 5, end: 6, metadata: 7 } as const;

/** Shorter ones gain nothing by it. */
const compressFrom = 512;
const plainForm = 0;
const zstdForm = 1;

export class RecordWriter implements RecordReader {
  readonly #bytes = new ByteWriter(4096);
  #time = 0;

  get length(): number {
    return this.#bytes.length;
  }

  series(id: number, labels: FlatLabels, flags: number): void {
    this.#begin(kinds.series, id);
    this.#bytes.byte(flags);
    this.#bytes.varint(labels.length);
    for (const text of labels) this.#bytes.text(text);
  }

  state(id: number, { lastTime, lastValue, start }: SeriesState): void {
    this.#begin(kinds.state, id);
    for (const number of [lastTime, lastValue, start]) this.#bytes.float64(number);
  }

  total(id: number, total: NativeHistogram): void {
    this.#begin(kinds.total, id);
    writeHistogram(this.#bytes, total);
  }

  sample(id: number, time: number, value: number): void {
    this.#begin(kinds.sample, id);
    this.#at(time);
    this.#bytes.float64(value);
  }

  histogram(id: number, time: number, histogram: NativeHistogram): void {
    this.#begin(kinds.histogram, id);
    this.#at(time);
    writeHistogram(this.#bytes, histogram);
  }

  end(id: number, time: number): void {
    this.#begin(kinds.end, id);
    this.#at(time);
  }

  metadata(name: string, { type, help, unit }: MetricMetadata): void {
    this.#bytes.byte(kinds.metadata);
    for (const text of [name, type, help, unit]) this.#bytes.text(text);
  }

  /** The record, and begins the next; undefined when nothing was written. */
  take(): Buffer | undefined {
    const raw = this.#bytes.written;
    if (raw.length === 0) return undefined;
    const form = raw.length < compressFrom ? plainForm : zstdForm;
    const head = new ByteWriter(8);
    head.byte(form);
    head.varint(raw.length);
    const record = Buffer.concat([head.written, form === plainForm ? raw : compress(raw, 1)]);
    this.#bytes.clear();
    this.#time = 0;
    return record;
  }

  #begin(kind: number, id: number): void {
    this.#bytes.byte(kind);
    this.#bytes.varint(id);
  }

  #at(time: number): void {
    this.#bytes.signed(time - this.#time);
    this.#time = time;
  }
}

/** A record that is none is a RangeError. */
export function readRecord(record: Uint8Array, to: RecordReader): void {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const head = new ByteReader(bytes);
  const form = head.byte();
  const length = head.varint();
  const rest = bytes.subarray(head.at);
  const reader = new ByteReader(form === zstdForm ? decompress(rest, length) : rest);
  let time = 0;
  const timed = () => {
    time += reader.signed();
    return time;
  };
  while (!reader.isAtEnd) {
    const kind = reader.byte();
    if (kind === kinds.metadata) {
      const name = reader.text();
      const type = reader.text() as MetricMetadata["type"];
      to.metadata(name, { type, help: reader.text(), unit: reader.text() });
      continue;
    }
    const id = reader.varint();
    if (kind === kinds.series) {
      const flags = reader.byte();
      to.series(
        id,
        Array.from({ length: reader.varint() }, () => reader.text()),
        flags,
      );
    } else if (kind === kinds.state)
      to.state(id, { lastTime: reader.float64(), lastValue: reader.float64(), start: reader.float64() });
    else if (kind === kinds.total) to.total(id, readHistogram(reader));
    else if (kind === kinds.sample) to.sample(id, timed(), reader.float64());
    else if (kind === kinds.histogram) to.histogram(id, timed(), readHistogram(reader));
    else if (kind === kinds.end) to.end(id, timed());
    else throw new RangeError(`a journal's record has an entry of kind ${kind}`);
  }
}
