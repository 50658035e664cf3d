/**
 * Takes the members of a set out of a value, with all that is below them. What has lost all its content becomes null.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 typed (remove.go).
 */
import { type FieldSet, isEmpty, isMember } from "./field-set.ts";
import { isObject, type JsonObject, put } from "./json.ts";
import { fieldElement, itemElement } from "./path-element.ts";
import { childShape, formOf, type Shape } from "./shape.ts";

export function removeFields(value: unknown, removed: FieldSet, shape: Shape): unknown {
  if (isEmpty(removed)) return value;
  const form = formOf(shape, value);
  if (form === "list" && shape.list && shape.list.relation !== "atomic" && Array.isArray(value)) {
    const { list } = shape;
    const left = keep(value, (item) => removed[itemElement(item, list)]);
    const rest = left.map(({ item, below }) => (below ? removeFields(item, below, list.item()) : item));
    return rest.length > 0 ? rest : null;
  }
  if (form === "map" && shape.map && !shape.map.atomic && isObject(value)) {
    const { map } = shape;
    const left = keep(Object.keys(value), (key) => removed[fieldElement(key)]);
    const rest: JsonObject = {};
    for (const { item: key, below } of left) {
      put(rest, key, below ? removeFields(value[key], below, childShape(map, key)) : value[key]);
    }
    return left.length > 0 ? rest : null;
  }
  return value;
}

/** The items that are no members themselves, each with the set of what goes below it, if any. */
function keep<T>(items: T[], nodeOf: (item: T) => FieldSet | undefined): { item: T; below: FieldSet | undefined }[] {
  const left: { item: T; below: FieldSet | undefined }[] = [];
  for (const item of items) {
    const node = nodeOf(item);
    if (node === undefined) left.push({ item, below: undefined });
    else if (!isMember(node)) left.push({ item, below: node });
  }
  return left;
}

/** `pruned` without the nulls that pruning left in place of emptied maps and lists of `original`. */
export function dropEmptied(original: unknown, pruned: unknown): unknown {
  if (original === pruned) return pruned;
  if (Array.isArray(original) && Array.isArray(pruned)) return pruned.filter((item) => item !== null);
  if (!isObject(original) || !isObject(pruned)) return pruned;
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(pruned)) {
    const before = Object.hasOwn(original, key) ? original[key] : undefined;
    if (value === null && before !== null && before !== undefined) continue;
    put(kept, key, dropEmptied(before, value));
  }
  return kept;
}
