/**
 * Sets of fields, in the very form of `managedFields[].fieldsV1`: a tree whose keys are path elements. A node without
 * children is a member of the set; one with children is a member only if it has ".", too.
 *
 * Sets are never changed; results share what they can with their operands, so that taking a few fields out of a large
 * set costs the depth and the width of their paths only.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 fieldpath (Set).
 */
import { isObject } from "./json.ts";
import { canonicalElement, compareElements, fieldElement, showElement } from "./path-element.ts";
import { childShape, type Shape } from "./shape.ts";

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const emptySet: FieldSet = {};

const self = ".";
const leaf: FieldSet = {};

export function isEmpty(set: FieldSet): boolean {
  for (const key in set) if (key !== self) return false;
  return true;
}

/** Of a node, not of a whole set: the root is no member of itself. */
export function isMember(node: FieldSet): boolean {
  return self in node || isEmpty(node);
}

const hasChildren = (node: FieldSet): boolean => !isEmpty(node);

/** The node as a member, its children kept. */
export function asMember(node: FieldSet | undefined): FieldSet {
  if (!node || isEmpty(node)) return leaf;
  return self in node ? node : { [self]: leaf, ...node };
}

/** The node as no member; undefined if nothing is left. */
export function withoutSelf(node: FieldSet): FieldSet | undefined {
  if (!hasChildren(node)) return undefined;
  if (!(self in node)) return node;
  const { [self]: _, ...children } = node;
  return children;
}

/** The set with exactly these paths. */
export function fieldSet(paths: Iterable<readonly string[]>): FieldSet {
  let set = emptySet;
  for (const path of paths) {
    if (path.length > 0) set = union(set, { [path[0] as string]: path.slice(1).reduceRight(nest, leaf) });
  }
  return set;
}

const nest = (node: FieldSet, element: string): FieldSet => ({ [element]: node });

export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmpty(right)) return left;
  if (isEmpty(left)) return right;
  const merged: Record<string, FieldSet> = { ...left };
  for (const element in right) {
    const theirs = right[element] as FieldSet;
    const ours = left[element];
    merged[element] = ours ? unionNodes(ours, theirs) : theirs;
  }
  return merged;
}

function unionNodes(left: FieldSet, right: FieldSet): FieldSet {
  const merged = union(left, right);
  return isMember(left) || isMember(right) ? asMember(merged) : merged;
}

/** The members of `left` that are no members of `right`. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  let changed: Record<string, FieldSet> | undefined;
  for (const element in right) {
    const ours = left[element];
    if (!ours || element === self) continue;
    const rest = differenceNodes(ours, right[element] as FieldSet);
    if (rest === ours) continue;
    changed ??= { ...left };
    if (rest) changed[element] = rest;
    else delete changed[element];
  }
  return changed ?? left;
}

function differenceNodes(left: FieldSet, right: FieldSet): FieldSet | undefined {
  const rest = difference(left, right);
  const member = isMember(left) && !isMember(right);
  if (member) return rest === left ? left : asMember(rest);
  return isMember(left) || isEmpty(rest) ? withoutSelf(rest) : rest;
}

/** `left` without the members of `right` and all that is below them. */
export function recursiveDifference(left: FieldSet, right: FieldSet): FieldSet {
  const rest: Record<string, FieldSet> = {};
  for (const element in left) {
    const ours = left[element] as FieldSet;
    const theirs = element === self ? undefined : right[element];
    if (!theirs) {
      rest[element] = ours;
    } else if (!isMember(theirs)) {
      const below = recursiveDifference(ours, theirs);
      if (isMember(ours)) rest[element] = asMember(below);
      else if (hasChildren(below)) rest[element] = below;
    }
  }
  return rest;
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  const common: Record<string, FieldSet> = {};
  for (const element in right) {
    const ours = left[element];
    if (!ours || element === self) continue;
    const theirs = right[element] as FieldSet;
    const below = intersection(ours, theirs);
    if (isMember(ours) && isMember(theirs)) common[element] = asMember(below);
    else if (hasChildren(below)) common[element] = below;
  }
  return common;
}

export function equalSets(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true;
  const elements = Object.keys(left);
  if (elements.length !== Object.keys(right).length) return false;
  return elements.every((element) => {
    const theirs = right[element];
    return theirs !== undefined && equalSets(left[element] as FieldSet, theirs);
  });
}

/** Each member's path, in the order in which Kubernetes lists them: members of a level before what is below them. */
export function* members(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  const elements = Object.keys(set)
    .filter((element) => element !== self)
    .sort(compareElements);
  for (const element of elements) {
    if (isMember(set[element] as FieldSet)) yield [...prefix, element];
  }
  for (const element of elements) yield* members(set[element] as FieldSet, [...prefix, element]);
}

export const has = (set: FieldSet, path: readonly string[]): boolean => {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return node !== undefined && path.length > 0 && isMember(node);
};

/** ".spec.containers[name=\"web\"].image". */
export const showPath = (path: readonly string[]): string => path.map(showElement).join("");

/** The set with declared fields as members wherever it reaches below them, but not the keys of plain maps. */
export function withNamedFields(set: FieldSet, shape: Shape | undefined): FieldSet {
  const named: Record<string, FieldSet> = {};
  for (const element in set) {
    const node = set[element] as FieldSet;
    if (element === self || isEmpty(node)) {
      named[element] = node;
      continue;
    }
    const name = element.startsWith("f:") ? element.slice(2) : undefined;
    const declared = name !== undefined && shape?.map?.field(name) !== undefined;
    const below = withNamedFields(node, elementShape(shape, element));
    named[element] = declared ? asMember(below) : below;
  }
  return named;
}

function elementShape(shape: Shape | undefined, element: string): Shape | undefined {
  if (element.startsWith("f:")) return shape?.map && childShape(shape.map, element.slice(2));
  return element.startsWith("k:") ? shape?.list?.item() : undefined;
}

/** The set with its elements in the order in which Kubernetes writes them; itself if they already are. */
export function sortedSet(set: FieldSet): FieldSet {
  const elements = Object.keys(set);
  let inOrder = true;
  for (let i = 1; i < elements.length && inOrder; i++) {
    inOrder = compareWithSelf(elements[i - 1] as string, elements[i] as string) <= 0;
  }
  let sorted: Record<string, FieldSet> | undefined;
  if (!inOrder) {
    elements.sort(compareWithSelf);
    sorted = {};
  }
  for (const element of elements) {
    const node = set[element] as FieldSet;
    const below = sortedSet(node);
    if (below !== node) sorted ??= { ...set };
    if (sorted) sorted[element] = below;
  }
  return sorted ?? set;
}

function compareWithSelf(left: string, right: string): number {
  if (left === right) return 0;
  if (left === self) return -1;
  return right === self ? 1 : compareElements(left, right);
}

/** A set that a client wrote. Elements of a kind that nobody knows are dropped, as in Kubernetes; other faults throw. */
export function parseFieldSet(fields: unknown): FieldSet {
  if (!isObject(fields)) throw new Error("fieldsV1 is not an object");
  const set: Record<string, FieldSet> = {};
  for (const [element, node] of Object.entries(fields)) {
    const known = element === self ? self : canonicalElement(element);
    if (known !== undefined) set[known] = parseFieldSet(node);
  }
  return set;
}

/** The path of nested fields: `fields("metadata", "name")`. */
export const fields = (...names: string[]): readonly string[] => names.map(fieldElement);
