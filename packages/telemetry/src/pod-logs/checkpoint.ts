/** How far each container's output has been read, in a file: after a restart nothing is missing, and nothing is there twice. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { KnownFile } from "./log-file.ts";
import type { PodLabels } from "./pod-resource.ts";

export interface KnownContainer {
  readonly files: readonly KnownFile[];
  /** Of a pod that may be gone from the API when its last lines are read. */
  readonly labels?: PodLabels;
}

export interface Checkpoint {
  /** By "<pod's folder>/<container>". */
  readonly containers: ReadonlyMap<string, KnownContainer>;
  /** Written by a process that was stopped in order; a killed one has handed on a little more. */
  readonly clean: boolean;
}

const format = 1;

/** A file that is absent or damaged is an empty checkpoint; `damaged` says so. */
export function readCheckpoint(path: string, damaged: (error: Error) => void): Checkpoint {
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
export function writeCheckpoint(path: string, { containers, clean }: Checkpoint): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.next`;
  writeFileSync(next, JSON.stringify({ format, clean, containers: Object.fromEntries(containers) }), { mode: 0o600 });
  renameSync(next, path);
}
