/**
 * Follows the output of one container over all its files. Reading goes in steps of one chunk; what has been handed on is known for
 * each stream, because a record of one may wait for its end while lines of the other follow it.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LogRecord } from "../otlp/types.ts";
import { CriLines, type OutputLine, type Stream } from "./cri-lines.ts";
import { type JoinedLines, LineJoiner } from "./join-lines.ts";
import { inOrder, type KnownFile, LogFile } from "./log-file.ts";
import { recordOf } from "./record.ts";

const streams: readonly Stream[] = ["stdout", "stderr"];
const lineFeed = 0x0a;
const newline = Buffer.from("\n");

/** Records that wait for more of their lines are given up for complete after this. Milliseconds. */
const lineWait = 200;
const partWait = 2000;
/** Of the file system; longer than the kernel's. Milliseconds. */
const clockTick = 50;

export interface Read {
  readonly records: readonly LogRecord[];
  readonly lines: number;
  readonly bytes: number;
  readonly cut: number;
  readonly notUtf8: number;
  /** Whether there is more to be read at once. */
  readonly more: boolean;
}

export class ContainerLog {
  readonly folder: string;
  readonly #known: readonly KnownFile[];
  /** In the order in which they were written; those that are finished stay as long as they exist. */
  #files: LogFile[] = [];
  #current = 0;
  #listedAt = -1;
  #lines: CriLines<LogFile>;
  readonly #joiners = { stdout: new LineJoiner<LogFile>(), stderr: new LineJoiner<LogFile>() };
  /** When something was read last. Milliseconds since the epoch. */
  #readAt = 0;
  /** Bytes that were there before anybody looked, and have not been read yet. */
  backlog = 0;

  /** `known`: how far its files have been read by an earlier process. */
  constructor(folder: string, known: readonly KnownFile[], longest: number, now: number) {
    this.folder = folder;
    this.#known = known;
    this.#lines = new CriLines(longest, now);
    this.list(now);
  }

  /** Looks for new, renamed and deleted files. */
  list(now: number): void {
    const stat = statSync(this.folder, { throwIfNoEntry: false });
    if (stat && stat.mtimeMs === this.#listedAt) return;
    // Two changes within one tick of the file system's clock look like one: what is fresh is looked at again.
    this.#listedAt = stat && now - stat.mtimeMs > clockTick ? stat.mtimeMs : -1;
    const names = stat ? inOrder(readdirSync(this.folder)) : [];
    const found = names.flatMap(({ name, restart }) => this.#fileAt(join(this.folder, name), restart) ?? []);
    const current = this.#files[this.#current];
    // What has been deleted and is still open is read to its end; it is older than what is there.
    const deleted = this.#files.filter((file) => file.isOpen && !found.includes(file));
    this.#files = [...deleted, ...found];
    this.#current = Math.max(0, current ? this.#files.indexOf(current) : this.#files.findIndex(({ isOpen }) => isOpen));
  }

  /** The file that is known already, or a new one; undefined: it is gone again. */
  #fileAt(path: string, restart: number): LogFile | undefined {
    try {
      const inode = statSync(path).ino;
      const same = this.#files.find((file) => file.inode === inode && file.isAt(path));
      if (same) {
        same.path = path;
        return same;
      }
      const file = new LogFile(path, restart);
      const known = this.#known.find((each) => each.inode === file.inode);
      if (known) file.resume(known);
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** The next chunk. `into` is used again by others. */
  read(into: Buffer, now: number): Read {
    const taken = new Taken();
    const file = this.#files[this.#current];
    if (!file) return taken.read(false);
    const length = file.read(into);
    if (length === 0) {
      if (this.#advance(taken)) return taken.read(true);
      if (now - this.#readAt >= lineWait) this.#flushJoiners(taken);
      if (now - this.#readAt >= partWait) this.#flushParts(taken);
      return taken.read(false);
    }
    this.#readAt = now;
    const take = (line: OutputLine<LogFile>) => this.#line(line, taken);
    const isLast = length < into.length && this.#files.length > this.#current + 1;
    let used = this.#lines.read(into.subarray(0, length), { file, offset: file.offset }, take);
    if (used < length && (isLast || used === 0)) {
      // A line that its writer never ended, or a chunk without any line feed: nothing would ever follow it.
      if (!isLast && length < into.length) return taken.read(false);
      const rest = Buffer.concat([into.subarray(used, length), newline]);
      this.#lines.read(rest, { file, offset: file.offset + used }, take);
      used = length;
    }
    file.offset += used;
    taken.bytes = used;
    this.backlog = Math.max(0, this.backlog - used);
    return taken.read(isLast || length === into.length);
  }

  /** Passes over a chunk unseen. Answers its lines and bytes. What waited for more lines is complete. */
  skip(into: Buffer): Read & { readonly skipped: number } {
    const taken = new Taken();
    this.#flushJoiners(taken);
    this.#flushParts(taken);
    const file = this.#files[this.#current];
    const length = file?.read(into) ?? 0;
    let skipped = 0;
    let end = 0;
    if (file && length > 0) {
      const chunk = into.subarray(0, length);
      for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, end)) {
        skipped++;
        end = at + 1;
      }
      const isLast = length < into.length && this.#files.length > this.#current + 1;
      taken.bytes = isLast || (end === 0 && length === into.length) ? length : end;
      file.offset += taken.bytes;
    }
    return { ...taken.read(taken.bytes > 0 || this.#advance(taken)), skipped };
  }

  /** Bytes that have been written and not been read. */
  unread(): number {
    this.#files[this.#current]?.look();
    return this.#files.slice(this.#current).reduce((sum, file) => sum + file.unread, 0);
  }

  /** When the last line was written that has been read. Milliseconds since the epoch. */
  get lastAt(): number {
    return this.#lines.lastAt;
  }

  /** Everything that waits for more is complete: nothing will be written any more. */
  flush(): Read {
    const taken = new Taken();
    this.#flushParts(taken);
    this.#flushJoiners(taken);
    return taken.read(false);
  }

  /** All records that `read` has answered have been handed on. */
  commit(): void {
    const current = this.#files[this.#current];
    if (!current) return;
    for (const stream of streams) {
      const place = this.#joiners[stream].pending() ??
        this.#lines.pending(stream) ?? { file: current, offset: current.offset };
      const at = this.#files.indexOf(place.file);
      for (const file of this.#files.slice(0, Math.max(0, at))) file.done[stream] = file.size;
      if (at >= 0) place.file.done[stream] = place.offset;
    }
  }

  /** For the checkpoint. */
  files(): KnownFile[] {
    return this.#files
      .filter((file) => file.done.stdout > 0 || file.done.stderr > 0)
      .map((file) => ({ inode: file.inode, birth: file.birth(), ...file.done }));
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  /** On to the next file, where there is one. A restart ends what the container has not ended itself. */
  #advance(taken: Taken): boolean {
    const file = this.#files[this.#current];
    const next = this.#files[this.#current + 1];
    if (!file || !next) return false;
    // It may have grown between the look at it and the appearance of its successor.
    file.look();
    if (file.unread > 0) return true;
    file.close();
    if (next.restart !== file.restart) {
      this.#flushParts(taken);
      this.#flushJoiners(taken);
    }
    this.#current++;
    return true;
  }

  #line(line: OutputLine<LogFile>, taken: Taken): void {
    if (line.from.offset < line.from.file.done[line.stream]) return;
    taken.lines++;
    if (line.isCut) taken.cut++;
    if (!line.isUtf8) taken.notUtf8++;
    this.#joiners[line.stream].add(line, (joined) => taken.add(joined));
  }

  #flushParts(taken: Taken): void {
    this.#lines.flush((line) => this.#line(line, taken));
  }

  #flushJoiners(taken: Taken): void {
    for (const stream of streams) this.#joiners[stream].flush((joined) => taken.add(joined));
  }
}

/** What one step yields. */
class Taken {
  readonly #records: LogRecord[] = [];
  lines = 0;
  bytes = 0;
  cut = 0;
  notUtf8 = 0;

  add(joined: JoinedLines<LogFile>): void {
    this.#records.push(recordOf(joined));
  }

  read(more: boolean): Read {
    const { lines, bytes, cut, notUtf8 } = this;
    return { records: this.#records, lines, bytes, cut, notUtf8, more };
  }
}
