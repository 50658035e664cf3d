/**
 * A file that keeps records until they are in a block: what a process that was killed had taken in is read from here.
 *
 * A record is its length and the CRC-32 of its bytes (32 bits each, little endian), then the bytes. A record of length 0 says that
 * the writer was stopped in order.
 *
 * Promises: a record is in the file (the system's cache) at most 200 ms after `append`, so that SIGKILL loses at most that; a record
 * that was torn, and all after it, are cut off when read. Nothing is forced to the disk: a loss of power loses what the system had
 * not yet written, usually up to 30 s.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Cancel, Clock } from "@flotilla/ambient";
import type { Disk } from "./disk.ts";
import { readAt, writeAt } from "./positional.ts";

const frame = 8;
const flushAfter = 200;
const bufferSize = 256 * 1024;
/** In place of the CRC-32 of nothing, which is 0: zeros that a loss of power left must not look like an ordered stop. */
const stopped = 0x5709_9ed0;
// Not "a+": with it the system ignores positions.
const readWriteCreate = constants.O_RDWR | constants.O_CREAT;

/** What was found in a journal. */
export interface Replayed {
  readonly records: number;
  /** The writer was stopped in order; nothing is missing. */
  readonly clean: boolean;
  /** Bytes at the end that made no whole record, cut off. */
  readonly torn: number;
}

export class Journal {
  readonly #file: number;
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferSize);
  /** Bytes of the buffer in use. */
  #pending = 0;
  /** Bytes of the file that are whole; a write that failed half-way is written over. */
  #position: number;
  #cancel: Cancel | undefined;

  private constructor(file: number, position: number, clock: Clock, disk: Disk) {
    this.#file = file;
    this.#position = position;
    this.#clock = clock;
    this.#disk = disk;
  }

  /** Opens or creates the file, gives `each` what it holds (valid during the call only), and goes on after it. */
  static open(path: string, clock: Clock, disk: Disk, each: (record: Uint8Array) => void): [Journal, Replayed] {
    const file = openSync(path, readWriteCreate, 0o600);
    const size = fstatSync(file).size;
    const { end, records, clean } = replay(file, size, each);
    if (end < size) ftruncateSync(file, end);
    return [new Journal(file, end, clock, disk), { records, clean, torn: size - end }];
  }

  /** Bytes, also those not yet written. */
  get size(): number {
    return this.#position + this.#pending;
  }

  /** The record (not empty) is copied. An `UnavailableError` means that it was not taken. */
  append(record: Uint8Array): void {
    this.#disk.ready();
    if (this.#pending + frame + record.length > bufferSize) this.flush();
    if (frame + record.length > bufferSize) {
      this.#appendLarge(record);
      return;
    }
    this.#head(record, this.#pending);
    this.#buffer.set(record, this.#pending + frame);
    this.#pending += frame + record.length;
    this.#flushLater();
  }

  /** Writes what is pending; on an `UnavailableError` it stays so, and is tried again. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#pending === 0) return;
    try {
      this.#disk.write(() => writeAt(this.#file, this.#buffer.subarray(0, this.#pending), this.#position));
    } catch (error) {
      this.#flushLater(1000);
      throw error;
    }
    this.#position += this.#pending;
    this.#pending = 0;
  }

  /** Says that the stop was in order. */
  stop(): void {
    try {
      this.flush();
      const mark = Buffer.alloc(frame);
      mark.writeUInt32LE(stopped, 4);
      this.#disk.write(() => writeAt(this.#file, mark, this.#position));
    } finally {
      this.close();
    }
  }

  /** What is pending is given up: for a journal whose records are in a block. */
  close(): void {
    this.#cancel?.();
    closeSync(this.#file);
  }

  #appendLarge(record: Uint8Array): void {
    this.#head(record, 0);
    this.#disk.write(() => {
      writeAt(this.#file, this.#buffer.subarray(0, frame), this.#position);
      writeAt(this.#file, record, this.#position + frame);
    });
    this.#position += frame + record.length;
  }

  #head(record: Uint8Array, at: number): void {
    this.#buffer.writeUInt32LE(record.length, at);
    this.#buffer.writeUInt32LE(crc32(record), at + 4);
  }

  #flushLater(delay = flushAfter): void {
    this.#cancel ??= this.#clock.after(delay, () => {
      this.#cancel = undefined;
      try {
        this.flush();
      } catch {
        // The disk keeps the fault for those who send; flush has arranged for another attempt.
      }
    });
  }
}

function replay(file: number, size: number, each: (record: Uint8Array) => void) {
  let end = 0;
  let records = 0;
  let clean = size === 0;
  for (;;) {
    const head = readAt(file, end, frame);
    if (head.length < frame) break;
    const length = head.readUInt32LE(0);
    if (length > size - end - frame) break;
    const record = readAt(file, end + frame, length);
    if ((length === 0 ? stopped : crc32(record)) !== head.readUInt32LE(4)) break;
    end += frame + length;
    clean = length === 0;
    if (clean) continue;
    records++;
    each(record);
  }
  return { end, records, clean: clean && end === size };
}
