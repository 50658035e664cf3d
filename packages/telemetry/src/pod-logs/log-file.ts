/** One file of a container's output, and how far it has been read. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Stream } from "./cri-lines.ts";

/** How far each stream of a file has been handed on: lines that begin before it are not read again. Bytes. */
export type Done = Record<Stream, number>;

/** The beginning of a file, by which it is known again when its inode has been given to another. */
const birthBytes = 30;

/** Open from the moment it is seen until it has been read: what is deleted meanwhile can still be read, and counted. */
export class LogFile {
  readonly inode: number;
  /** Of the container, counted by restarts. */
  readonly restart: number;
  /** It changes when the file is rotated. */
  path: string;
  /** As of the last look. */
  size: number;
  /** The next byte to be read. */
  offset = 0;
  readonly done: Done = { stdout: 0, stderr: 0 };
  #birth = "";
  #descriptor: number | undefined;

  constructor(path: string, restart: number) {
    this.path = path;
    this.restart = restart;
    this.#descriptor = openSync(path, "r");
    const { ino, size } = fstatSync(this.#descriptor);
    this.inode = ino;
    this.size = size;
  }

  /** Its first bytes, as soon as there are enough of them. */
  birth(): string {
    if (this.#birth === "" && this.#descriptor !== undefined) this.#birth = birthOf(this.#descriptor);
    return this.#birth;
  }

  /** Whether the file at `path` is this one: an inode is given to another file when its own is deleted. */
  isAt(path: string): boolean {
    if (this.isOpen) return true;
    const descriptor = openSync(path, "r");
    try {
      return birthOf(descriptor) === this.#birth;
    } finally {
      closeSync(descriptor);
    }
  }

  /** As an earlier process has left it. */
  resume({ birth, stdout, stderr }: KnownFile): void {
    if (birth !== this.birth() || Math.min(stdout, stderr) > this.size) return;
    Object.assign(this.done, { stdout, stderr });
    this.offset = Math.min(stdout, stderr);
  }

  /** Bytes that follow `offset`, at most as many as `into` has; 0: none at the moment. Moves nothing. */
  read(into: Buffer): number {
    if (this.#descriptor === undefined) return 0;
    const length = readSync(this.#descriptor, into, 0, into.length, this.offset);
    this.size = Math.max(this.size, this.offset + length);
    return length;
  }

  /** Looks at the size again. A file that has become shorter is read from its beginning. */
  look(): void {
    if (this.#descriptor === undefined) return;
    this.size = fstatSync(this.#descriptor).size;
    if (this.size >= this.offset) return;
    this.offset = 0;
    Object.assign(this.done, { stdout: 0, stderr: 0 });
  }

  get unread(): number {
    return Math.max(0, this.size - this.offset);
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  /** It has been read, or never will be. */
  close(): void {
    if (this.#descriptor === undefined) return;
    this.birth();
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** A file as the checkpoint remembers it. */
export interface KnownFile extends Done {
  readonly inode: number;
  readonly birth: string;
}

/** "": there are not enough bytes yet. */
function birthOf(descriptor: number): string {
  const bytes = Buffer.alloc(birthBytes);
  return readSync(descriptor, bytes, 0, birthBytes, 0) < birthBytes ? "" : bytes.toString("latin1");
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
