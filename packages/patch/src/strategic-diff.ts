/**
 * The strategic merge patch that turns one object into another.
 *
 * Source: apimachinery pkg/util/strategicpatch (diffMaps and what it calls, with SetElementOrder).
 */
import type { TypeRef, TypeTable } from "@flotilla/objects";
import { byText, equal, get, isObject, type JsonObject, put } from "./json.ts";
import { StrategicMergePatchError } from "./patch-error.ts";
import { itemType, patchField, type Schema } from "./schema.ts";
import { directive } from "./strategic-merge-patch.ts";
import { identity, itemKind } from "./strategic-order.ts";

/** A patch with `strategicMergePatch(from, patch, schema)` equal to `to`, as far as nulls in `to` allow. */
export function createTwoWayStrategicMergePatch(from: unknown, to: unknown, schema: Schema): unknown {
  if (!isObject(from) || !isObject(to)) throw new StrategicMergePatchError("invalid JSON document");
  const type = schema.type === undefined ? undefined : { ref: schema.type };
  return diffObjects(from, to, type, schema.table, false);
}

function diffObjects(
  from: JsonObject,
  to: JsonObject,
  type: TypeRef | undefined,
  table: TypeTable,
  retainKeys: boolean,
): JsonObject {
  const patch: JsonObject = {};
  for (const key of Object.keys(to)) diffField(patch, key, from, to, type, table);
  for (const key of Object.keys(from)) {
    if (!Object.hasOwn(to, key)) put(patch, key, null);
  }
  if (retainKeys) {
    const retained = Object.keys(to).filter((key) => to[key] !== null);
    const cleared = Object.keys(from).some((key) => from[key] !== null && !Object.hasOwn(to, key));
    if (retained.length > 0 && (Object.keys(patch).length > 0 || cleared)) {
      patch[directive.retainKeys] = retained.sort(byText);
    }
  }
  return patch;
}

function diffField(
  patch: JsonObject,
  key: string,
  from: JsonObject,
  to: JsonObject,
  type: TypeRef | undefined,
  table: TypeTable,
): void {
  const before = get(from, key);
  const after = to[key];
  if (equal(before, after)) return;
  const field = patchField(table, type, key);
  if (isObject(before) && isObject(after) && field.strategy !== "replace") {
    const nested = diffObjects(before, after, field.type, table, field.retainKeys);
    if (Object.keys(nested).length > 0) put(patch, key, nested);
  } else if (Array.isArray(before) && Array.isArray(after) && field.strategy === "merge") {
    diffLists(patch, key, before, after, itemType(field.type), field.mergeKey, table, field.retainKeys);
  } else {
    put(patch, key, after);
  }
}

function diffLists(
  patch: JsonObject,
  key: string,
  from: unknown[],
  to: unknown[],
  type: TypeRef | undefined,
  mergeKey: string | undefined,
  table: TypeTable,
  retainKeys: boolean,
): void {
  if (from.length === 0) {
    put(patch, key, to);
    return;
  }
  if (itemKind(from, to) === "scalar") {
    const { added, deleted } = diffScalars(from, to);
    if (added.length > 0) put(patch, key, added);
    if (deleted.length > 0) patch[`${directive.deleteFromList}/${key}`] = deleted;
    if (to.length > 0) patch[`${directive.setOrder}/${key}`] = to;
    return;
  }
  if (mergeKey === undefined) throw new StrategicMergePatchError("cannot merge lists without merge key");
  const changes = diffItems(from as JsonObject[], to as JsonObject[], type, mergeKey, table, retainKeys);
  if (changes.length > 0) put(patch, key, changes);
  if (to.length > 0 && (changes.length > 0 || !sameOrder(from, to, mergeKey))) {
    patch[`${directive.setOrder}/${key}`] = to.map((item) => ({ [mergeKey]: identity(item, mergeKey) }));
  }
}

/** Additions come in the new order, deletions sorted. */
function diffScalars(from: unknown[], to: unknown[]): { added: unknown[]; deleted: unknown[] } {
  const before = new Set(from);
  const after = new Set(to);
  return {
    added: [...after].filter((item) => !before.has(item)),
    deleted: [...before].filter((item) => !after.has(item)).sort((a, b) => byText(String(a), String(b))),
  };
}

/**
 * Changed and new items in the new order, then a delete directive for each item that is gone. Items with the same key
 * are paired in their order.
 */
function diffItems(
  from: JsonObject[],
  to: JsonObject[],
  type: TypeRef | undefined,
  mergeKey: string,
  table: TypeTable,
  retainKeys: boolean,
): JsonObject[] {
  const before = Map.groupBy(from, (item) => identity(item, mergeKey));
  const changes: JsonObject[] = [];
  for (const item of to) {
    const id = identity(item, mergeKey);
    const counterpart = before.get(id)?.shift();
    if (counterpart === undefined) {
      changes.push(item);
      continue;
    }
    const change = diffObjects(counterpart, item, type, table, retainKeys);
    if (Object.keys(change).length > 0) changes.push({ ...change, [mergeKey]: id });
  }
  const gone = [...before].filter(([, left]) => left.length > 0).map(([id]) => id);
  gone.sort((a, b) => byText(String(a), String(b)));
  return [...changes, ...gone.map((id) => ({ [mergeKey]: id, [directive.patch]: "delete" }))];
}

const sameOrder = (from: unknown[], to: unknown[], mergeKey: string): boolean =>
  from.length === to.length && from.every((item, i) => identity(item, mergeKey) === identity(to[i], mergeKey));
