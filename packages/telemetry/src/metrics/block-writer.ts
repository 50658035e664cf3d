/**
 * Writes a block: the samples of many series over some time, in one file that is never changed.
 *
 *     magic | page, page, ... | index | footer
 *
 * A page holds some series that follow each other in the order of `compareFlat`, so that those of one metric lie together. It has
 * two parts, both zstd: the labels of its series with their texts, and their samples. The index says of each page where it is, which
 * names and which times it has. The footer is where the index is, and CRC-32s.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { crc32 } from "node:zlib";
import { ByteWriter } from "../store/bytes.ts";
import { compress } from "../store/compress.ts";
import { writeAt } from "../store/positional.ts";
import type { FlatLabels } from "./label-sets.ts";
import { isEmpty, type Samples, writeSamples } from "./samples.ts";

export const magic = Buffer.from("FLMETR01", "latin1");
/** Length of the index, its CRC-32, magic. */
export const footerLength = 4 + 4 + magic.length;

/** Bytes of samples before compression: enough for zstd to find what repeats, little enough to read for one series. */
const pageSize = 128 * 1024;
const seriesPerPage = 512;
/** A level above gains 2% and costs a third more time. */
const level = 3;

export interface BlockFacts {
  /** Milliseconds between samples at least, 0: as they came. */
  readonly resolution: number;
  /** Milliseconds since the epoch, both included. */
  readonly from: number;
  readonly to: number;
  readonly series: number;
  readonly samples: number;
}

export interface PageFacts {
  readonly position: number;
  readonly headLength: number;
  readonly headSize: number;
  readonly dataLength: number;
  readonly dataSize: number;
  readonly crc: number;
  readonly firstName: string;
  readonly lastName: string;
  readonly from: number;
  readonly to: number;
}

interface PageSeries {
  readonly flags: number;
  readonly labels: FlatLabels;
  readonly place: number;
  readonly from: number;
  readonly to: number;
}

export class BlockWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #resolution: number;
  readonly #pages: PageFacts[] = [];
  readonly #data = new ByteWriter(pageSize + 4096);
  #series: PageSeries[] = [];
  #position = magic.length;
  #seriesCount = 0;
  #samples = 0;

  /** It is at `path` only when it is complete. */
  constructor(path: string, resolution: number) {
    this.#path = path;
    this.#resolution = resolution;
    this.#file = openSync(`${path}.tmp`, "w", 0o600);
    writeAt(this.#file, magic, 0);
  }

  /** In the order of `compareFlat`; without samples and markers nothing is written. */
  add(labels: FlatLabels, flags: number, samples: Samples): void {
    if (isEmpty(samples)) return;
    const { times, ends } = samples;
    const from = Math.min(times[0] ?? Number.POSITIVE_INFINITY, ends[0] ?? Number.POSITIVE_INFINITY);
    const to = Math.max(times.at(-1) ?? 0, ends.at(-1) ?? 0);
    this.#series.push({ flags, labels, place: this.#data.length, from, to });
    writeSamples(this.#data, samples);
    this.#seriesCount++;
    this.#samples += times.length;
    if (this.#data.length >= pageSize || this.#series.length >= seriesPerPage) this.#endPage();
  }

  /** Undefined when nothing was added, and then there is no file. The bytes are on the disk when it returns. */
  finish(): BlockFacts | undefined {
    this.#endPage();
    if (this.#pages.length === 0) {
      this.abandon();
      return undefined;
    }
    const facts = {
      resolution: this.#resolution,
      from: Math.min(...this.#pages.map(({ from }) => from)),
      to: Math.max(...this.#pages.map(({ to }) => to)),
      series: this.#seriesCount,
      samples: this.#samples,
    };
    const index = indexBytes(facts, this.#pages);
    const footer = Buffer.alloc(footerLength);
    footer.writeUInt32LE(index.length, 0);
    footer.writeUInt32LE(crc32(index), 4);
    magic.copy(footer, 8);
    writeAt(this.#file, Buffer.concat([index, footer]), this.#position);
    fsyncSync(this.#file);
    closeSync(this.#file);
    renameSync(`${this.#path}.tmp`, this.#path);
    return facts;
  }

  abandon(): void {
    closeSync(this.#file);
    rmSync(`${this.#path}.tmp`, { force: true });
  }

  #endPage(): void {
    const series = this.#series;
    if (series.length === 0) return;
    const rawHead = pageHead(series);
    const head = compress(rawHead, level);
    const rawData = this.#data.written;
    const data = compress(rawData, level);
    writeAt(this.#file, head, this.#position);
    writeAt(this.#file, data, this.#position + head.length);
    this.#pages.push({
      position: this.#position,
      headLength: head.length,
      headSize: rawHead.length,
      dataLength: data.length,
      dataSize: rawData.length,
      crc: crc32(data, crc32(head)),
      firstName: (series[0] as PageSeries).labels[1] as string,
      lastName: (series.at(-1) as PageSeries).labels[1] as string,
      from: Math.min(...series.map(({ from }) => from)),
      to: Math.max(...series.map(({ to }) => to)),
    });
    this.#position += head.length + data.length;
    this.#series = [];
    this.#data.clear();
  }
}

function pageHead(series: readonly PageSeries[]): Buffer {
  const symbols = new Map<string, number>();
  const body = new ByteWriter(16 * 1024);
  const origin = Math.min(...series.map(({ from }) => from));
  body.varint(series.length);
  body.signed(origin);
  let place = 0;
  for (const each of series) {
    body.byte(each.flags);
    body.varint(each.place - place);
    place = each.place;
    body.varint(each.from - origin);
    body.varint(each.to - each.from);
    body.varint(each.labels.length);
    for (const text of each.labels) {
      const known = symbols.get(text);
      body.varint(known ?? symbols.size);
      if (known === undefined) symbols.set(text, symbols.size);
    }
  }
  const head = new ByteWriter(body.length + symbols.size * 16);
  head.varint(symbols.size);
  for (const text of symbols.keys()) head.text(text);
  head.bytes(body.written);
  return head.written;
}

function indexBytes({ resolution, from, to, series, samples }: BlockFacts, pages: readonly PageFacts[]): Buffer {
  const index = new ByteWriter(64 * pages.length + 64);
  index.varint(resolution);
  index.signed(from);
  index.signed(to);
  index.varint(series);
  index.varint(samples);
  index.varint(pages.length);
  for (const page of pages) {
    for (const number of [page.position, page.headLength, page.headSize, page.dataLength, page.dataSize, page.crc])
      index.varint(number);
    index.text(page.firstName);
    index.text(page.lastName);
    index.signed(page.from);
    index.signed(page.to);
  }
  return index.written;
}
