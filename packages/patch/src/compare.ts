/**
 * What changed between two values of one shape, as three sets of fields.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 typed (compare.go).
 */
import { asMember, emptySet, type FieldSet, isEmpty, withoutSelf } from "./field-set.ts";
import { equal, get, isObject, type JsonObject } from "./json.ts";
import { fieldElement, itemElement } from "./path-element.ts";
import { childShape, type Form, formOf, type ListShape, type MapShape, type Shape } from "./shape.ts";

export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

/** No field is in more than one of the sets; all are empty if the values are equal. */
export function compare(before: unknown, after: unknown, shape: Shape): Comparison {
  const changes = compareNodes(before, after, shape);
  const children = (node: FieldSet | undefined) => (node && withoutSelf(node)) ?? emptySet;
  return {
    removed: children(changes?.removed),
    modified: children(changes?.modified),
    added: children(changes?.added),
  };
}

export const isSame = ({ removed, modified, added }: Comparison): boolean =>
  isEmpty(removed) && isEmpty(modified) && isEmpty(added);

/** The changes at and below one node, each as the node to stand at its path; undefined sets are empty. */
interface Changes {
  removed?: FieldSet;
  modified?: FieldSet;
  added?: FieldSet;
}

const kinds = ["removed", "modified", "added"] as const;

function compareNodes(before: unknown, after: unknown, shape: Shape): Changes | undefined {
  if (before === after) return undefined;
  const changes: Changes = {};
  let inLeaf = false;
  for (const form of formsOf(before, after, shape)) inLeaf = compareAs(form, before, after, shape, changes);
  if (!inLeaf) {
    if (before === undefined) changes.added = asMember(changes.added);
    else if (after === undefined) changes.removed = asMember(changes.removed);
  }
  return changes.removed || changes.modified || changes.added ? changes : undefined;
}

/** A missing or null value takes the form of the other; values of two forms are looked at as each in turn. */
function formsOf(before: unknown, after: unknown, shape: Shape): Form[] {
  if (after === undefined || after === null) return [formOf(shape, before)];
  if (before === undefined || before === null) return [formOf(shape, after)];
  const left = formOf(shape, before);
  const right = formOf(shape, after);
  return left === right ? [right] : [left, right];
}

/** True if the node is a leaf in this form. */
function compareAs(form: Form, before: unknown, after: unknown, shape: Shape, changes: Changes): boolean {
  if (form === "list" && shape.list) {
    const left = Array.isArray(before) ? before : [];
    const right = Array.isArray(after) ? after : [];
    if (shape.list.relation !== "atomic" && left.length + right.length > 0) {
      compareLists(left, right, shape.list, changes);
      return false;
    }
  } else if (form === "map" && shape.map) {
    const left = isObject(before) ? before : undefined;
    const right = isObject(after) ? after : undefined;
    if (!shape.map.atomic && !(isBare(left) && isBare(right))) {
      compareMaps(left ?? {}, right ?? {}, shape.map, changes);
      return false;
    }
  }
  if (before === undefined) changes.added = asMember(changes.added);
  else if (after === undefined) changes.removed = asMember(changes.removed);
  else if (!equal(before, after)) changes.modified = asMember(changes.modified);
  return true;
}

const isBare = (object: JsonObject | undefined): boolean => {
  for (const _ in object) return false;
  return true;
};

type Collected = Record<(typeof kinds)[number], Record<string, FieldSet>>;

function collect(collected: Collected, element: string, child: Changes | undefined): void {
  for (const kind of kinds) {
    const node = child?.[kind];
    if (node) collected[kind][element] = node;
  }
}

function merge(changes: Changes, collected: Collected): void {
  for (const kind of kinds) {
    if (!isEmpty(collected[kind])) changes[kind] = { ...changes[kind], ...collected[kind] };
  }
}

function compareMaps(before: JsonObject, after: JsonObject, map: MapShape, changes: Changes): void {
  const collected: Collected = { removed: {}, modified: {}, added: {} };
  const compareField = (key: string, left: unknown, right: unknown) => {
    const child = compareNodes(left, right, childShape(map, key));
    if (child?.added && left === undefined && map.always(key)) child.added = withoutSelf(child.added) ?? child.added;
    collect(collected, fieldElement(key), child);
  };
  for (const key of Object.keys(before)) compareField(key, before[key], get(after, key));
  for (const key of Object.keys(after)) {
    if (!Object.hasOwn(before, key)) compareField(key, undefined, after[key]);
  }
  merge(changes, collected);
}

function compareLists(before: unknown[], after: unknown[], list: ListShape, changes: Changes): void {
  if (equal(before, after)) return;
  const left = Map.groupBy(before, (item) => itemElement(item, list));
  const right = Map.groupBy(after, (item) => itemElement(item, list));
  const collected: Collected = { removed: {}, modified: {}, added: {} };
  for (const [element, olds] of left) collect(collected, element, compareItems(olds, right.get(element) ?? [], list));
  for (const [element, news] of right) {
    if (!left.has(element)) collect(collected, element, compareItems([], news, list));
  }
  merge(changes, collected);
}

/** Items that share one key are taken as a whole, as if they were atomic. */
function compareItems(olds: unknown[], news: unknown[], list: ListShape): Changes | undefined {
  if (olds.length <= 1 && news.length <= 1) return compareNodes(olds[0], news[0], list.item());
  if (olds.length >= 2 && news.length >= 2) return equal(olds, news) ? undefined : { modified: asMember(undefined) };
  if (olds.length >= 2) {
    const change = news.length > 0 ? compareNodes(undefined, news[0], list.item()) : undefined;
    return { ...change, removed: asMember(change?.removed) };
  }
  const change = olds.length > 0 ? compareNodes(olds[0], undefined, list.item()) : undefined;
  return { ...change, added: asMember(change?.added) };
}
