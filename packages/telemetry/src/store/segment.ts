/**
 * A file of blocks, one after the other, each sealed once and never changed. What retention deletes is a segment.
 *
 * A block: 16 bytes (magic, length of the header, length of the body, CRC-32 of the header; little endian), the header as JSON, the
 * body: the sections, one after the other. The header has place, length and CRC-32 of each section, so that a reader takes only
 * what it needs. A last block that is not whole is cut off when the segment is opened; its records are still in their journal.
 */
import { closeSync, constants, fstatSync, fsync, fsyncSync, ftruncateSync, openSync, rmSync } from "node:fs";
import { crc32 } from "node:zlib";
import { compress, decompress } from "./compress.ts";
import { DamagedError } from "./damaged-error.ts";
import { readAt, writeAt } from "./positional.ts";

/** What is to become a block. Times are ms since the epoch, both included, of what is in it. */
export interface Draft<About> {
  readonly from: number;
  readonly to: number;
  /** Records in it, for statistics. */
  readonly rows: number;
  /** Kept in memory as long as the block is there, as JSON: a few hundred bytes that let a search pass it over. */
  readonly about: About;
  readonly sections: readonly Section[];
}

export interface Section {
  readonly bytes: Uint8Array;
  /** Not compressed: for what does not compress, or is to be read in parts. */
  readonly plain?: boolean;
}

/** What the store knows of a block. */
export interface Stamps {
  /** When it was sealed, ms since the epoch; what retention by age goes by. */
  readonly sealed: number;
  /** First and last of the journals whose records it holds. */
  readonly journals: readonly [number, number];
}

interface Header<About> extends Stamps, Omit<Draft<About>, "sections"> {
  /** For each section: stored length, length, CRC-32 of what is stored. The lengths are equal: not compressed. */
  readonly sections: [number, number, number][];
}

const frame = 16;
const magic = 0x4b4c_4246;
const readWriteCreate = constants.O_RDWR | constants.O_CREAT;

export class Block<About> {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly about: About;
  readonly sealed: number;
  readonly journals: readonly [number, number];
  /** On disk, all of it. */
  readonly bytes: number;
  readonly #segment: Segment<About>;
  readonly #sections: Header<About>["sections"];
  /** Of the sections, in the file. */
  readonly #places: number[] = [];

  constructor(segment: Segment<About>, header: Header<About>, body: number, bytes: number) {
    ({ from: this.from, to: this.to, rows: this.rows, about: this.about } = header);
    ({ sealed: this.sealed, journals: this.journals, sections: this.#sections } = header);
    this.bytes = bytes;
    this.#segment = segment;
    for (const [stored] of this.#sections) {
      this.#places.push(body);
      body += stored;
    }
  }

  /** How many sections it has. */
  get sections(): number {
    return this.#sections.length;
  }

  /** Retention has deleted it: a search passes it over. What was read before stays valid. */
  get gone(): boolean {
    return this.#segment.gone;
  }

  /** A whole section, decompressed, in memory of its own. What is not as it was written is a `DamagedError`. */
  read(section: number): Buffer {
    const [stored, length, crc] = this.#entry(section);
    const bytes = readAt(this.#segment.file, this.#places[section] as number, stored);
    if (bytes.length < stored || crc32(bytes) !== crc) throw this.#damaged(section);
    if (stored === length) return bytes;
    return decompress(bytes, length);
  }

  /** A part of a section that is not compressed; not checked against its CRC. */
  part(section: number, offset: number, length: number): Buffer {
    const [stored, whole] = this.#entry(section);
    if (stored !== whole || offset + length > whole) throw new RangeError(`section ${section}: no such part`);
    const bytes = readAt(this.#segment.file, (this.#places[section] as number) + offset, length);
    if (bytes.length < length) throw this.#damaged(section);
    return bytes;
  }

  /** Length of a section when decompressed. */
  length(section: number): number {
    return this.#entry(section)[1];
  }

  #entry(section: number): [number, number, number] {
    const entry = this.#sections[section];
    if (entry === undefined) throw new RangeError(`no section ${section}`);
    return entry;
  }

  #damaged = (section: number) => new DamagedError(this.#segment.path, `section ${section} is damaged`);
}

export class Segment<About> {
  path: string;
  readonly file: number;
  readonly blocks: Block<About>[] = [];
  /** Bytes of whole blocks; what is after them is written over. */
  bytes = 0;
  gone = false;

  private constructor(path: string, file: number) {
    this.path = path;
    this.file = file;
  }

  /** Opens or creates the file; a last block that is not whole is cut off. */
  static open<About>(path: string): Segment<About> {
    const segment = new Segment<About>(path, openSync(path, readWriteCreate, 0o600));
    const size = fstatSync(segment.file).size;
    for (;;) {
      const block = segment.#next(size);
      if (!block) break;
      segment.#push(block);
    }
    if (segment.bytes < size) ftruncateSync(segment.file, segment.bytes);
    return segment;
  }

  /** Writes a block at the end. When that fails, the segment is as before. */
  append(draft: Draft<About>, stamps: Stamps, level: number): Block<About> {
    const bodies = draft.sections.map(({ bytes, plain }) => {
      if (plain) return bytes;
      const smaller = compress(bytes, level);
      return smaller.length < bytes.length ? smaller : bytes;
    });
    const { from, to, rows, about } = draft;
    const sections = bodies.map((body, index): [number, number, number] => [
      body.length,
      draft.sections[index]?.bytes.length ?? 0,
      crc32(body),
    ]);
    const header: Header<About> = { from, to, rows, about, ...stamps, sections };
    const text = Buffer.from(JSON.stringify(header));
    const length = bodies.reduce((sum, { length }) => sum + length, 0);
    const head = Buffer.alloc(frame);
    for (const [index, word] of [magic, text.length, length, crc32(text)].entries())
      head.writeUInt32LE(word, index * 4);
    const end = this.#write([head, text, ...bodies]);
    const block = new Block(this, header, this.bytes + frame + text.length, end - this.bytes);
    this.#push(block);
    return block;
  }

  /** Cuts off the first block of these that is not as written, and all after it; for what may not have reached the disk. */
  check(doubtful: (block: Block<About>) => boolean): void {
    let whole = 0;
    for (const [index, block] of this.blocks.entries()) {
      if (doubtful(block) && !isWhole(block)) {
        this.blocks.length = index;
        this.bytes = whole;
        ftruncateSync(this.file, whole);
        return;
      }
      whole += block.bytes;
    }
  }

  /** Forces to the disk what has been written. */
  sync(): void {
    fsyncSync(this.file);
  }

  /** The same without waiting for it. */
  syncLater(done: (error: Error | null) => void): void {
    fsync(this.file, done);
  }

  /** The same, to be awaited. */
  synced(): Promise<void> {
    return new Promise((resolve, reject) => this.syncLater((error) => (error ? reject(error) : resolve())));
  }

  delete(): void {
    this.close();
    rmSync(this.path, { force: true });
  }

  close(): void {
    if (this.gone) return;
    this.gone = true;
    closeSync(this.file);
  }

  /** Writes the parts at the end, and gives the new end. */
  #write(parts: readonly Uint8Array[]): number {
    let end = this.bytes;
    try {
      for (const part of parts) {
        writeAt(this.file, part, end);
        end += part.length;
      }
      return end;
    } catch (error) {
      // Room for others; should it fail as well, the next write goes over it and `open` cuts it off.
      ftruncateSync(this.file, this.bytes);
      throw error;
    }
  }

  #push(block: Block<About>): void {
    this.blocks.push(block);
    this.bytes += block.bytes;
  }

  #next(size: number): Block<About> | undefined {
    const head = readAt(this.file, this.bytes, frame);
    if (head.length < frame || head.readUInt32LE(0) !== magic) return;
    const [headerLength, bodyLength, crc] = [4, 8, 12].map((at) => head.readUInt32LE(at)) as [number, number, number];
    const bytes = frame + headerLength + bodyLength;
    if (this.bytes + bytes > size) return;
    const text = readAt(this.file, this.bytes + frame, headerLength);
    if (crc32(text) !== crc) return;
    const header = JSON.parse(text.toString()) as Header<About>;
    return new Block(this, header, this.bytes + frame + headerLength, bytes);
  }
}

function isWhole(block: Block<unknown>): boolean {
  try {
    for (let section = 0; section < block.sections; section++) block.read(section);
    return true;
  } catch (error) {
    if (error instanceof DamagedError) return false;
    throw error;
  }
}
