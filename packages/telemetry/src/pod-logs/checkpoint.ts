/** How far each container's output has been read, in a file: after a restart nothing is missing, and nothing is there twice. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "@flotilla/ambient";
import type { KnownFile } from "./log-file.ts";
import type { PodLabels } from "./pod-resource.ts";

export interface KnownContainer {
  readonly files: readonly KnownFile[];
  /** Of a pod that may be gone from the API when its last lines are read. */
  readonly labels?: PodLabels;
}

interface Checkpoint {
  /** By "<pod's folder>/<container>". */
  readonly containers: ReadonlyMap<string, KnownContainer>;
  /** Written by a process that was stopped in order; a killed one has handed on a little more. */
  readonly clean: boolean;
}

const format = 1;

/** A file that is absent or damaged is an empty checkpoint; `damaged` says so. */
function readCheckpoint(path: string, damaged: (error: Error) => void): Checkpoint {
  try {
    const { format: found, containers, clean } = JSON.parse(readFileSync(path, "utf8"));
    if (found !== format) throw new Error(`format ${found} instead of ${format}`);
    return { containers: new Map(Object.entries(containers as Record<string, KnownContainer>)), clean: clean === true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") damaged(error as Error);
    return { containers: new Map(), clean: true };
  }
}

/** Whole or not at all, also when the process is killed meanwhile. */
function writeCheckpoint(path: string, { containers, clean }: Checkpoint): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.next`;
  writeFileSync(next, JSON.stringify({ format, clean, containers: Object.fromEntries(containers) }), { mode: 0o600 });
  renameSync(next, path);
}

/**
 * The sink may lose what it took within this when the process is killed; what is remembered as handed on is older, so that such lines
 * are read again. Milliseconds.
 */
const sinkNeeds = 300;

/** What is remembered of containers, and when it is written down. */
export class Progress {
  /** The process before was: what it handed on last may be handed on again. */
  readonly wasKilled: boolean;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #complain: (message: string, error: unknown) => void;
  readonly #containers: Map<string, KnownContainer>;
  #hasChanged = true;
  #saving: { readonly at: number; readonly checkpoint: Checkpoint } | undefined;

  constructor(path: string, clock: Clock, complain: (message: string, error: unknown) => void) {
    this.#path = path;
    this.#clock = clock;
    this.#complain = complain;
    const { containers, clean } = readCheckpoint(path, (error) =>
      complain(`${path} cannot be read; pods' logs are read from their beginning`, error),
    );
    this.#containers = new Map(containers);
    this.wasKilled = !clean;
  }

  of(key: string): KnownContainer | undefined {
    return this.#containers.get(key);
  }

  changed(): void {
    this.#hasChanged = true;
  }

  forget(key: string): void {
    if (this.#containers.delete(key)) this.changed();
  }

  /** Forgets all others. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#containers.keys()) if (!keys.has(key)) this.forget(key);
  }

  /** From now on the process may be killed. */
  begin(): void {
    this.#write({ containers: this.#containers, clean: false });
  }

  /** `now`: how far all are. `isLast`: the process ends in order, and so will the sink. */
  save(now: () => Iterable<readonly [string, KnownContainer]>, isLast = false): void {
    const at = this.#clock.now();
    if (isLast || (this.#hasChanged && !this.#saving)) {
      this.#hasChanged = false;
      for (const [key, known] of now()) this.#containers.set(key, known);
      this.#saving = { at, checkpoint: { containers: new Map(this.#containers), clean: isLast } };
    }
    if (!this.#saving || (!isLast && at - this.#saving.at < sinkNeeds)) return;
    this.#write(this.#saving.checkpoint);
    this.#saving = undefined;
  }

  #write(checkpoint: Checkpoint): void {
    try {
      writeCheckpoint(this.#path, checkpoint);
    } catch (error) {
      this.changed();
      this.#complain(`${this.#path} cannot be written`, error);
    }
  }
}
