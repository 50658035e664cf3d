/**
 * The recent changes of one resource: what a watch resumes from and what an older state is rebuilt from. Bounded; each
 * resource has its own, so that a busy one does not push out the history of a quiet one.
 */
import type { KubeObject } from "@flotilla/objects";

export interface Committed {
  readonly revision: number;
  readonly resource: string;
  readonly key: string;
  readonly before: KubeObject | undefined;
  /** Undefined: removed. Otherwise its resourceVersion is `revision`. */
  readonly after: KubeObject | undefined;
}

const kept = 500;

export class ChangeLog {
  /** All changes after this revision are known, none before. */
  #since: number;
  #changes: Committed[] = [];

  constructor(since: number) {
    this.#since = since;
  }

  push(change: Committed): void {
    this.#changes.push(change);
    // Half of the room is freed at a time, so that most pushes move nothing.
    if (this.#changes.length < kept * 2) return;
    const dropped = this.#changes.splice(0, kept);
    this.#since = (dropped.at(-1) as Committed).revision;
  }

  /** In order; undefined when some are no longer known. */
  after(revision: number): readonly Committed[] | undefined {
    if (revision < this.#since) return undefined;
    const first = this.#changes.findIndex((change) => change.revision > revision);
    return first < 0 ? [] : this.#changes.slice(first);
  }

  /** The oldest revision from which `after` still answers. */
  get since(): number {
    return this.#since;
  }
}
