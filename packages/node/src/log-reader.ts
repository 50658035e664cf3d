/** Reads container logs back: what `kubectl logs` asks for. The format is written in `cri-log.ts`. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { type Clock, sleep } from "@flotilla/ambient";
import { rotatedFiles } from "./cri-log.ts";

export interface LogOptions {
  readonly follow?: boolean;
  readonly tailLines?: number;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly timestamps?: boolean;
  readonly limitBytes?: number;
}

const readBytes = 1 << 18;
/** How often a log that is followed is looked at. Milliseconds. */
const lookEvery = 50;
const lineFeed = 0x0a;

interface Entry {
  readonly time: string;
  readonly full: boolean;
  readonly text: Buffer;
}

function parse(line: Buffer): Entry | undefined {
  const timeEnd = line.indexOf(0x20);
  const streamEnd = line.indexOf(0x20, timeEnd + 1);
  const tagEnd = line.indexOf(0x20, streamEnd + 1);
  if (timeEnd < 0 || streamEnd < 0 || tagEnd < 0) return undefined;
  return {
    time: line.toString("latin1", 0, timeEnd),
    full: line[streamEnd + 1] === 0x46,
    text: line.subarray(tagEnd + 1),
  };
}

/** All bytes of a file, in pieces, from its beginning; then what is appended, until it is replaced or `going` ends. */
class Tail {
  #file: number;
  #rest: Buffer = Buffer.alloc(0);
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "r");
  }

  /** Whole lines that have been added since the last call; empty: none. */
  next(): Buffer[] {
    const bytes = Buffer.alloc(readBytes);
    const length = readSync(this.#file, bytes, 0, readBytes, null);
    if (length === 0) return [];
    const all = Buffer.concat([this.#rest, bytes.subarray(0, length)]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = all.indexOf(lineFeed); end >= 0; end = all.indexOf(lineFeed, start)) {
      lines.push(all.subarray(start, end));
      start = end + 1;
    }
    this.#rest = all.subarray(start);
    return lines.length > 0 ? lines : this.next();
  }

  /** Whether another file has taken its path. */
  replaced(): boolean {
    return existsSync(this.path) && statSync(this.path).ino !== fstatSync(this.#file).ino;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/**
 * Yields what was logged, line by line. `isOver` says that nothing will be added; it is asked before the last look.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  clock: Clock,
  isOver: () => boolean,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const { since = 0, timestamps = false, limitBytes = Number.POSITIVE_INFINITY } = options;
  let left = limitBytes;
  let atLineStart = true;
  const render = (entry: Entry): Buffer | undefined => {
    if (Date.parse(entry.time) < since) return undefined;
    const prefix = timestamps && atLineStart ? [Buffer.from(`${entry.time} `)] : [];
    atLineStart = entry.full;
    const bytes = Buffer.concat([...prefix, entry.text, ...(entry.full ? [Buffer.from("\n")] : [])]);
    const cut = bytes.subarray(0, left);
    left -= cut.length;
    return cut;
  };
  // Reading begins with what is there; what comes meanwhile is read after it.
  for await (const lines of batches(path, options, clock, isOver, signal)) {
    const pieces: Buffer[] = [];
    for (const line of lines) {
      const entry = parse(line);
      const piece = entry && render(entry);
      if (piece) pieces.push(piece);
    }
    if (pieces.length > 0) yield Buffer.concat(pieces);
    if (left <= 0) return;
  }
}

async function* batches(
  path: string,
  { tailLines, follow }: LogOptions,
  clock: Clock,
  isOver: () => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer[]> {
  let tail: Tail | undefined;
  try {
    if (existsSync(path)) {
      const last: Buffer[] = [];
      for (const old of rotatedFiles(path)) {
        const file = new Tail(old);
        for (let lines = file.next(); lines.length > 0; lines = file.next()) {
          if (tailLines === undefined) yield lines;
          else keepLast(last, lines, tailLines);
        }
        file.close();
      }
      tail = new Tail(path);
      for (let lines = tail.next(); lines.length > 0; lines = tail.next()) {
        if (tailLines === undefined) yield lines;
        else keepLast(last, lines, tailLines);
      }
      if (last.length > 0) yield last;
    }
    while (follow && !signal?.aborted) {
      const over = isOver();
      tail ??= existsSync(path) ? new Tail(path) : undefined;
      const replaced = tail?.replaced();
      const lines = tail?.next() ?? [];
      if (lines.length > 0) {
        yield lines;
        continue;
      }
      if (replaced) {
        tail?.close();
        tail = new Tail(path);
        continue;
      }
      if (over) return;
      await sleep(clock, lookEvery, signal).catch(() => undefined);
    }
  } finally {
    tail?.close();
  }
}

/** Keeps the last `count` lines; the parts of one line count as one. */
function keepLast(last: Buffer[], more: readonly Buffer[], count: number): void {
  last.push(...more.map((line) => Buffer.from(line)));
  let lines = 0;
  for (let at = last.length - 1; at >= 0; at--) {
    if (parse(last[at] as Buffer)?.full) lines++;
    if (lines > count) {
      last.splice(0, at + 1);
      return;
    }
  }
}
