/**
 * Takes the members of a set out of a value, with all that is below them. What has lost all its content becomes null.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 typed (remove.go).
 */
import { type FieldSet, isEmpty, isMember } from "./field-set.ts";
import { get, isObject, type JsonObject, put } from "./json.ts";
import { fieldElement, itemElement } from "./path-element.ts";
import { childShape, formOf, type Shape, untyped } from "./shape.ts";

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

/**
 * `pruned` without the nulls that pruning left in place of emptied maps and lists of `original`, and without those that a
 * configuration stated for fields of known types, where Kubernetes knows no null either.
 */
export function withoutEmptied(original: unknown, pruned: unknown, shape: Shape): unknown {
  if (!hasNull(pruned)) return pruned;
  const form = formOf(shape, pruned);
  if (form === "list" && shape.list && shape.list.relation !== "atomic" && Array.isArray(pruned)) {
    const { list } = shape;
    const before = new Map(Array.isArray(original) ? original.map((item) => [itemElement(item, list), item]) : []);
    const left = pruned.filter((item) => item !== null);
    return left.map((item) => withoutEmptied(before.get(itemElement(item, list)), item, list.item()));
  }
  if (form !== "map" || !shape.map || shape.map.atomic || !isObject(pruned)) return pruned;
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(pruned)) {
    const field = childShape(shape.map, key);
    const before = isObject(original) ? get(original, key) : undefined;
    const emptied = before !== null && before !== undefined;
    if (value === null && (emptied || field !== untyped)) continue;
    put(kept, key, withoutEmptied(before, value, field));
  }
  return kept;
}

const hasNull = (value: unknown): boolean =>
  value === null || (typeof value === "object" && Object.values(value).some(hasNull));
