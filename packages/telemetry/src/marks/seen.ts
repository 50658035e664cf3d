/**
 * What was last seen of each object, in memory and in a file, so that a process that starts anew tells what changed meanwhile
 * and nothing twice. The file follows late: what it says has been in the store for a while, so that a crash repeats a mark
 * rather than losing it.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import type { Json } from "./content.ts";
import type { Subject } from "./mark.ts";

export interface Sighting {
  readonly about: Subject;
  readonly content: Json;
}

/** Longer than the store needs to make sure of what it took in. Milliseconds. */
const delay = 3000;
const format = 1;

export interface SeenOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The file cannot be read or written. Marks go on: at worst some are told again. */
  readonly onTrouble: (message: string, error: unknown) => void;
}

export class Seen {
  /** Of the hashes of secret values; as old as the file. */
  readonly key: Uint8Array;
  readonly #options: SeenOptions;
  readonly #sightings: Map<string, Sighting>;
  #timer: Cancel | undefined;
  #writing: Promise<void> = Promise.resolve();
  #dirty = false;

  constructor(options: SeenOptions) {
    this.#options = options;
    const kept = read(options);
    this.key = kept ? Buffer.from(kept.key, "hex") : options.random.bytes(32);
    this.#sightings = new Map(Object.entries(kept?.sightings ?? {}));
  }

  get(id: string): Sighting | undefined {
    return this.#sightings.get(id);
  }

  ids(): readonly string[] {
    return [...this.#sightings.keys()];
  }

  set(id: string, sighting: Sighting | undefined): void {
    if (sighting) this.#sightings.set(id, sighting);
    else this.#sightings.delete(id);
    this.#dirty = true;
    this.#timer ??= this.#options.clock.after(delay, () => void this.save(), { background: true });
  }

  /** Resolves when the file says what is known now, or cannot be written. */
  save(): Promise<void> {
    this.#timer?.();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const { file, onTrouble } = this.#options;
    const key = Buffer.from(this.key).toString("hex");
    const text = JSON.stringify({ format, key, sightings: Object.fromEntries(this.#sightings) });
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(`${file}.next`, text, { mode: 0o600 });
      await rename(`${file}.next`, file);
    } catch (error) {
      this.#dirty = true;
      onTrouble(`what was seen of objects cannot be kept in ${file}`, error);
    }
  }
}

interface Kept {
  readonly key: string;
  readonly sightings: Record<string, Sighting>;
}

function read({ file, onTrouble }: SeenOptions): Kept | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept & { format: number };
    if (kept.format !== format) throw new Error(`format ${kept.format} instead of ${format}`);
    return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      onTrouble(`what was seen of objects cannot be read from ${file}: all of them are told anew`, error);
    return undefined;
  }
}
