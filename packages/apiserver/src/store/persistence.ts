/** Where the store's state survives: `sqlite-persistence.ts` and `memory-persistence.ts`, both held to `persistence.cases.ts`. */
import type { KubeObject } from "@flotilla/objects";

/** One object as it is after a change; `object` is undefined when the change removed it. */
export interface StoredChange {
  /** "pods", "deployments.apps". */
  readonly resource: string;
  /** "namespace/name", or "name" for what is cluster-wide. */
  readonly key: string;
  readonly revision: number;
  readonly object: KubeObject | undefined;
}

export interface StoredState {
  /** The highest revision that was ever committed; it never goes back. */
  readonly revision: number;
  /** For each resource, the revision of its last change, deletions included. */
  readonly revisions: ReadonlyMap<string, number>;
  readonly objects: Iterable<Omit<StoredChange, "revision"> & { readonly object: KubeObject }>;
}

export interface Persistence {
  /** The committed state. Called once, before the first commit. */
  load(): StoredState;
  /** All of the changes or, with an error, none. When it returns (or resolves), they survive a crash of the process. */
  commit(changes: readonly StoredChange[]): void | Promise<void>;
  close(): void;
}
