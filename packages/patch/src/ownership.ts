/**
 * Who owns which fields, and what an update or an apply does to that. Owners are told apart by an id; how they are
 * written into objects is the concern of managed-fields.ts.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 merge (update.go), for objects of one version.
 */
import { type Comparison, compare } from "./compare.ts";
import {
  difference,
  emptySet,
  type FieldSet,
  intersection,
  isEmpty,
  recursiveDifference,
  union,
  withNamedFields,
} from "./field-set.ts";
import { removeFields } from "./remove-fields.ts";
import type { Shape } from "./shape.ts";
import { toFieldSet } from "./to-field-set.ts";
import { mergeTyped } from "./typed-merge.ts";

/** Owner id → fields. */
export type Owners = ReadonlyMap<string, FieldSet>;

/** Fields that the applied configuration would change although others own them. */
export class OwnershipConflict extends Error {
  override readonly name = "OwnershipConflict";
  readonly conflicts: Owners;

  constructor(conflicts: Owners) {
    super(`conflicts with ${[...conflicts.keys()].join(", ")}`);
    this.conflicts = conflicts;
  }
}

/** Owners after somebody wrote the whole object: what changed is theirs and nobody else's, what is gone is nobody's. */
export function ownersAfterUpdate(owners: Owners, by: string, changes: Comparison): Owners {
  const changed = union(changes.modified, changes.added);
  const after = new Map<string, FieldSet>();
  for (const [id, set] of owners) {
    const left = difference(id === by ? set : difference(set, changed), changes.removed);
    if (!isEmpty(left)) after.set(id, left);
  }
  if (!isEmpty(changed)) after.set(by, union(after.get(by) ?? emptySet, changed));
  return after;
}

export interface Applied {
  /** What has lost all its content is null here. */
  readonly value: unknown;
  readonly merged: unknown;
  readonly owners: Owners;
}

/**
 * Applies a configuration: it is merged in, fields that its owner stated before and does not state now are removed
 * unless others own them, and its owner owns exactly what it states.
 * Nobody comes to own what is ignored. Throws an OwnershipConflict if that changes fields of others, unless forced; then those lose them.
 */
export function applyAs(
  live: unknown,
  config: unknown,
  owners: Owners,
  by: string,
  { shape, force, ignored = emptySet }: { shape: Shape; force: boolean; ignored?: FieldSet },
): Applied {
  const merged = mergeTyped(live, config, shape);
  const stated = recursiveDifference(toFieldSet(config, shape), ignored);
  const before = owners.get(by) ?? emptySet;
  const claimed = new Map(owners).set(by, stated);
  const value = prune(merged, claimed, before, stated, shape);
  return { value, merged, owners: settle(claimed, by, without(compare(live, value, shape), ignored), force) };
}

/** The comparison without the ignored fields and all that is below them. */
export function without(changes: Comparison, ignored: FieldSet): Comparison {
  if (isEmpty(ignored)) return changes;
  return {
    removed: recursiveDifference(changes.removed, ignored),
    modified: recursiveDifference(changes.modified, ignored),
    added: recursiveDifference(changes.added, ignored),
  };
}

function settle(owners: Owners, by: string, changes: Comparison, force: boolean): Owners {
  const changed = union(changes.modified, changes.added);
  const conflicts = new Map<string, FieldSet>();
  const after = new Map<string, FieldSet>();
  for (const [id, set] of owners) {
    let left = set;
    if (id !== by) {
      const conflict = intersection(set, changed);
      if (!isEmpty(conflict)) conflicts.set(id, conflict);
      left = difference(difference(set, changed), changes.removed);
    }
    if (!isEmpty(left)) after.set(id, left);
  }
  if (conflicts.size > 0 && !force) throw new OwnershipConflict(conflicts);
  return after;
}

/** Removes what the owner stated before, but nothing that anybody owns now, and nothing that nobody ever stated. */
function prune(merged: unknown, owners: Owners, before: FieldSet, stated: FieldSet, shape: Shape): unknown {
  if (isEmpty(difference(before, stated))) return merged;
  const named = (set: FieldSet) => withNamedFields(set, shape);
  const last = named(before);
  const all = named(toFieldSet(merged, shape));
  const owned = named([...owners.values()].reduce(union, emptySet));

  const withoutLast = named(toFieldSet(removeFields(merged, last, shape), shape));
  const withOwned = removeFields(merged, difference(all, union(withoutLast, owned)), shape);
  const left = named(toFieldSet(withOwned, shape));
  return removeFields(merged, intersection(difference(all, left), last), shape);
}
