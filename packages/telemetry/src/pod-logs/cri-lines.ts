/**
 * Reads the lines of a container's log file: time, stream, F or P (a part of a line that goes on), text. Parts are joined; of a
 * line that is too long the beginning is kept, so memory stays bounded whatever is written.
 *
 * Source: kubernetes pkg/kubelet/kuberuntime/logs (the format of the container runtime interface).
 */
import { isUtf8 } from "node:buffer";
import { fromIso } from "./times.ts";

export type Stream = "stdout" | "stderr";

/** A place in a container's output: a file of it, and how many bytes into it. */
export interface Place<F> {
  readonly file: F;
  readonly offset: number;
}

export interface OutputLine<F> {
  readonly stream: Stream;
  readonly text: string;
  /** Nanoseconds since the epoch, decimal. */
  readonly nanos: string;
  /** The same in whole milliseconds. */
  readonly writtenAt: number;
  /** Bytes as they were written; more than `text` has when it was cut. */
  readonly length: number;
  readonly isCut: boolean;
  readonly isUtf8: boolean;
  /** Where it begins. */
  readonly from: Place<F>;
}

interface Partial<F> {
  readonly pieces: Buffer[];
  kept: number;
  length: number;
  readonly nanos: string;
  readonly writtenAt: number;
  readonly from: Place<F>;
}

const space = 0x20;
const lineFeed = 0x0a;
const full = 0x46;

export class CriLines<F> {
  readonly #longest: number;
  readonly #partials = new Map<Stream, Partial<F>>();
  #timeText = "";
  #nanos = "0";
  #writtenAt = 0;

  /** `longest`: bytes that are kept of a line. `now` (ms since the epoch): the time of lines that say none. */
  constructor(longest: number, now: number) {
    this.#longest = longest;
    this.#writtenAt = now;
    this.#nanos = `${now}000000`;
  }

  /** When the last line was written. Milliseconds since the epoch. */
  get lastAt(): number {
    return this.#writtenAt;
  }

  /** Takes the lines that end in `chunk`, which begins at `from`. Answers how many bytes of it they are. */
  read(chunk: Buffer, from: Place<F>, take: (line: OutputLine<F>) => void): number {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      this.#line(chunk.subarray(start, end), { file: from.file, offset: from.offset + start }, take);
      start = end + 1;
    }
    return start;
  }

  /** Where the first line begins that has not ended yet. */
  pending(stream: Stream): Place<F> | undefined {
    return this.#partials.get(stream)?.from;
  }

  /** Lines that will never end: their writer has. */
  flush(take: (line: OutputLine<F>) => void): void {
    for (const stream of [...this.#partials.keys()]) this.#end(stream, take);
  }

  #line(line: Buffer, from: Place<F>, take: (line: OutputLine<F>) => void): void {
    const timeEnd = line.indexOf(space);
    const streamEnd = line.indexOf(space, timeEnd + 1);
    const stream = timeEnd > 0 && streamEnd > 0 ? line.toString("latin1", timeEnd + 1, streamEnd) : "";
    if ((stream !== "stdout" && stream !== "stderr") || !this.#time(line.toString("latin1", 0, timeEnd))) {
      this.#add("stdout", line, true, from, take);
      return;
    }
    // "F" or "P", perhaps with more tags after a colon.
    const tagEnd = line.indexOf(space, streamEnd + 1);
    const text = tagEnd < 0 ? line.subarray(line.length) : line.subarray(tagEnd + 1);
    this.#add(stream, text, line[streamEnd + 1] === full, from, take);
  }

  #add(stream: Stream, text: Buffer, isLast: boolean, from: Place<F>, take: (line: OutputLine<F>) => void): void {
    let partial = this.#partials.get(stream);
    if (!partial) {
      partial = { pieces: [], kept: 0, length: 0, nanos: this.#nanos, writtenAt: this.#writtenAt, from };
      this.#partials.set(stream, partial);
    }
    const kept = text.subarray(0, Math.max(0, this.#longest - partial.kept));
    // The chunk's memory is used again.
    if (kept.length > 0) partial.pieces.push(isLast ? kept : Buffer.from(kept));
    partial.kept += kept.length;
    partial.length += text.length;
    if (isLast) this.#end(stream, take);
  }

  #end(stream: Stream, take: (line: OutputLine<F>) => void): void {
    const partial = this.#partials.get(stream);
    if (!partial) return;
    this.#partials.delete(stream);
    const { pieces, length, kept, nanos, writtenAt, from } = partial;
    const all = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    const isCut = kept < length;
    const bytes = isCut ? wholeCharacters(all) : all;
    const end = bytes.length > 0 && bytes[bytes.length - 1] === 0x0d ? bytes.length - 1 : bytes.length;
    take({
      stream,
      text: bytes.toString("utf8", 0, end),
      nanos,
      writtenAt,
      length,
      isCut,
      isUtf8: isUtf8(bytes),
      from,
    });
  }

  /** False: no time. Lines of one write have the same. */
  #time(text: string): boolean {
    if (text === this.#timeText) return true;
    const nanos = fromIso(text);
    if (nanos === undefined) return false;
    this.#timeText = text;
    this.#nanos = String(nanos);
    this.#writtenAt = Number(nanos / 1_000_000n);
    return true;
  }
}

/** Without the beginning of a character whose end was cut off. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
