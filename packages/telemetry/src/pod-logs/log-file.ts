/** One file of a container's output, and how far it has been read. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { Stream } from "./cri-lines.ts";

/** How far each stream of a file has been handed on: lines that begin before it are not read again. Bytes. */
export type Done = Record<Stream, number>;

/** The beginning of a file, by which it is known again when its inode has been given to another. */
const birthBytes = 30;

export class LogFile {
  readonly inode: number;
  /** Of the container, counted by restarts. */
  readonly restart: number;
  /** It changes when the file is rotated. */
  path: string;
  /** As of the last look. */
  size: number;
  /** The next byte to be read. */
  offset: number;
  readonly done: Done;
  #birth: string;
  #descriptor: number | undefined;

  constructor(path: string, restart: number, stat: { readonly ino: number; readonly size: number }, known?: KnownFile) {
    this.path = path;
    this.restart = restart;
    this.inode = stat.ino;
    this.size = stat.size;
    this.#birth = known?.birth ?? "";
    this.done = { stdout: known?.stdout ?? 0, stderr: known?.stderr ?? 0 };
    this.offset = Math.min(this.done.stdout, this.done.stderr);
  }

  /** Its first bytes, once there are enough of them. */
  birth(): string {
    if (this.#birth.length < birthBytes && this.size >= birthBytes) this.#birth = birthOf(this.#open());
    return this.#birth;
  }

  /** Bytes that follow `offset`, at most as many as `into` has; 0: none at the moment. Moves nothing. */
  read(into: Buffer): number {
    const length = readSync(this.#open(), into, 0, into.length, this.offset);
    this.size = Math.max(this.size, this.offset + length);
    return length;
  }

  /** Looks at the size again. A file that has become shorter is read from its beginning. */
  look(): void {
    this.size = fstatSync(this.#open()).size;
    if (this.size >= this.offset) return;
    this.offset = 0;
    this.done.stdout = 0;
    this.done.stderr = 0;
  }

  get unread(): number {
    return Math.max(0, this.size - this.offset);
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    this.#descriptor ??= openSync(this.path, "r");
    return this.#descriptor;
  }
}

/** A file as the checkpoint remembers it. */
export interface KnownFile extends Done {
  readonly inode: number;
  readonly birth: string;
}

const birthOf = (descriptor: number): string => {
  const bytes = Buffer.alloc(birthBytes);
  return bytes.toString("latin1", 0, readSync(descriptor, bytes, 0, birthBytes, 0));
};

/** Undefined: it is gone. What is remembered of another file with its inode does not count. */
export function openLogFile(path: string, restart: number, known: readonly KnownFile[]): LogFile | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return undefined;
  const same = known.find(({ inode }) => inode === stat.ino);
  if (!same) return new LogFile(path, restart, stat);
  const file = new LogFile(path, restart, stat, same);
  const fresh = new LogFile(path, restart, stat);
  const matches = stat.size >= file.offset && fresh.birth() === same.birth;
  fresh.close();
  return matches ? file : new LogFile(path, restart, stat);
}

const fileName = /^(\d+)\.log(?:\.(\d+))?$/;

/** In the order in which they were written: by restart, rotated ones by their time before the current one. */
export function inOrder(names: readonly string[]): { readonly name: string; readonly restart: number }[] {
  return names
    .flatMap((name) => {
      const found = fileName.exec(name);
      return found ? [{ name, restart: Number(found[1]), stamp: found[2] ?? "~" }] : [];
    })
    .sort((a, b) => a.restart - b.restart || (a.stamp < b.stamp ? -1 : 1));
}
