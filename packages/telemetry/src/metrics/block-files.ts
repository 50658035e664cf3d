/** The blocks of a folder. A file that is not whole is put aside under another name, and said. */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Block, HeadCache } from "./block.ts";

const pattern = /^block-(\d+)\.metrics$/;

export class BlockFiles {
  readonly #folder: string;
  readonly #heads = new HeadCache();
  #blocks: Block[] = [];
  #next = 1;
  /** Files that were put aside, with the reason. */
  readonly damaged: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    for (const name of readdirSync(folder).sort()) {
      // A block that was being written when the process ended; what is in it is in the journal or in other blocks.
      if (name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });
      const number = Number(pattern.exec(name)?.[1] ?? 0);
      if (number === 0) continue;
      this.#next = Math.max(this.#next, number + 1);
      this.#open(join(folder, name));
    }
  }

  get all(): readonly Block[] {
    return this.#blocks;
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.bytes, 0);
  }

  nextPath(): string {
    return join(this.#folder, `block-${String(this.#next++).padStart(8, "0")}.metrics`);
  }

  /** A file that was written, in place of others (their files are deleted). */
  replace(inputs: readonly Block[], path: string | undefined): void {
    if (path !== undefined) this.#open(path);
    for (const block of inputs) this.remove(block);
  }

  remove(block: Block): void {
    this.#blocks = this.#blocks.filter((other) => other !== block);
    block.close();
    rmSync(block.path, { force: true });
  }

  /** The rest is read without it. */
  putAside(block: Block, reason: string): void {
    this.#blocks = this.#blocks.filter((other) => other !== block);
    block.close();
    this.putFileAside(block.path, reason);
  }

  close(): void {
    for (const block of this.#blocks) block.close();
    this.#blocks = [];
  }

  #open(path: string): void {
    try {
      this.#blocks = [...this.#blocks, Block.open(path, this.#heads)];
    } catch (error) {
      this.putFileAside(path, (error as Error).message);
    }
  }

  putFileAside(path: string, reason: string): void {
    this.damaged.push(reason);
    if (existsSync(path)) renameSync(path, `${path}.damaged`);
  }
}
