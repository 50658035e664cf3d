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

/** By "<pod's folder>/<container>". */
export type Checkpoint = ReadonlyMap<string, KnownContainer>;

const format = 1;

/** A file that is absent or damaged is an empty checkpoint; `damaged` says so. */
export function readCheckpoint(path: string, damaged: (error: Error) => void): Checkpoint {
  try {
    const { format: found, containers } = JSON.parse(readFileSync(path, "utf8"));
    if (found !== format) throw new Error(`format ${found} instead of ${format}`);
    return new Map(Object.entries(containers as Record<string, KnownContainer>));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") damaged(error as Error);
    return new Map();
  }
}

/** Whole or not at all, also when the process is killed meanwhile. */
export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.next`;
  writeFileSync(next, JSON.stringify({ format, containers: Object.fromEntries(checkpoint) }), { mode: 0o600 });
  renameSync(next, path);
}
