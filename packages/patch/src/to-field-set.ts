/**
 * The fields that a value states: its leaves, the items of its lists and the keys of its maps.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 typed (tofieldset.go).
 */
import { asMember, emptySet, type FieldSet, isEmpty, withoutSelf } from "./field-set.ts";
import { isObject, type JsonObject } from "./json.ts";
import { fieldElement, itemElement } from "./path-element.ts";
import { childShape, formOf, type ListShape, type MapShape, type Shape } from "./shape.ts";

export function toFieldSet(value: unknown, shape: Shape): FieldSet {
  const node = nodeOf(value, shape);
  return (node && withoutSelf(node)) ?? emptySet;
}

function nodeOf(value: unknown, shape: Shape): FieldSet | undefined {
  const form = formOf(shape, value);
  if (form === "list" && shape.list) {
    if (shape.list.relation === "atomic") return asMember(undefined);
    return Array.isArray(value) ? listNode(value, shape.list) : undefined;
  }
  if (form === "map" && shape.map) {
    if (shape.map.atomic) return asMember(undefined);
    return isObject(value) ? mapNode(value, shape.map) : undefined;
  }
  return asMember(undefined);
}

const orNone = (node: Record<string, FieldSet>): FieldSet | undefined => (isEmpty(node) ? undefined : node);

function listNode(list: unknown[], shape: ListShape): FieldSet | undefined {
  const node: Record<string, FieldSet> = {};
  const seen = new Set<string>();
  for (const item of list) {
    const element = itemElement(item, shape);
    node[element] = seen.has(element) ? asMember(undefined) : asMember(nodeOf(item, shape.item()));
    seen.add(element);
  }
  return orNone(node);
}

function mapNode(map: JsonObject, shape: MapShape): FieldSet | undefined {
  const node: Record<string, FieldSet> = {};
  for (const key of Object.keys(map)) {
    const value = map[key];
    if (value === undefined) continue;
    const below = nodeOf(value, childShape(shape, key));
    const bare = value === null || (isObject(value) && Object.keys(value).length === 0);
    if (bare || shape.field(key) === undefined) node[fieldElement(key)] = asMember(below);
    else if (below) node[fieldElement(key)] = below;
  }
  return orNone(node);
}
