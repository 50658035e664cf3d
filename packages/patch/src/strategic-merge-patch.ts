/**
 * Strategic merge patch: a merge patch whose lists merge by key, with directives ($patch, $deleteFromPrimitiveList,
 * $setElementOrder, $retainKeys). Where the schema does not know a field, a plain merge patch.
 *
 * Source: apimachinery pkg/util/strategicpatch (mergeMap and what it calls, as called on the server).
 */
import type { TypeRef, TypeTable } from "@flotilla/objects";
import { get, isObject, type JsonObject, kindOf, put } from "./json.ts";
import { StrategicMergePatchError } from "./patch-error.ts";
import { itemType, patchField, type Schema } from "./schema.ts";
import { identity, itemKind, ordered, positions } from "./strategic-order.ts";

export const directive = {
  patch: "$patch",
  retainKeys: "$retainKeys",
  deleteFromList: "$deleteFromPrimitiveList",
  setOrder: "$setElementOrder",
} as const;

/** The target with the patch applied. Neither is changed; untouched parts of the target are shared. */
export function strategicMergePatch(target: unknown, patch: unknown, schema: Schema): unknown {
  if (!isObject(patch)) throw new StrategicMergePatchError("invalid JSON document");
  const type = schema.type === undefined ? undefined : { ref: schema.type };
  return mergeObject(isObject(target) ? target : {}, patch, type, schema.table);
}

function mergeObject(target: JsonObject, patch: JsonObject, type: TypeRef | undefined, table: TypeTable): JsonObject {
  if (Object.hasOwn(patch, directive.patch)) return wholeObject(patch);
  const merged = retainKeys(target, patch);
  const done = mergeOrderedLists(merged, patch, type, table);

  for (const key of Object.keys(patch)) {
    if (key === directive.retainKeys || done.has(key)) continue;
    const change = patch[key];
    if (key.startsWith(directive.deleteFromList)) {
      deleteScalars(merged, fieldOf(key, directive.deleteFromList), change);
      continue;
    }
    if (change === null) {
      delete merged[key];
      continue;
    }
    const value = mergeField(get(merged, key), change, key, type, table);
    if (value === undefined) delete merged[key];
    else put(merged, key, value);
  }
  return merged;
}

function mergeField(
  before: unknown,
  change: unknown,
  key: string,
  type: TypeRef | undefined,
  table: TypeTable,
): unknown {
  const field = patchField(table, type, key);
  if (isObject(before) && isObject(change)) {
    return field.strategy === "replace" ? change : mergeObject(before, change, field.type, table);
  }
  if (Array.isArray(before) && Array.isArray(change)) {
    if (field.strategy !== "merge") return change;
    return mergeList(before, change, itemType(field.type), field.mergeKey, table).merged;
  }
  return isObject(change) || Array.isArray(change) ? withoutDirectives(withoutNulls(change)) : change;
}

/** `$patch: replace` takes the patch as it is, `$patch: delete` leaves nothing. */
function wholeObject(patch: JsonObject): JsonObject {
  const { [directive.patch]: what, ...rest } = patch;
  if (what === "replace") return rest;
  if (what === "delete") return {};
  throw new StrategicMergePatchError(`unknown patch type: ${String(what)} in map: ${JSON.stringify(patch)}`);
}

/** A copy of the target without the fields that `$retainKeys` does not name. */
function retainKeys(target: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, directive.retainKeys)) return { ...target };
  const bad = () => new StrategicMergePatchError("invalid patch format of retainKeys");
  const named = patch[directive.retainKeys];
  if (!Array.isArray(named)) throw bad();
  const retained = new Set<unknown>(named);
  for (const [key, change] of Object.entries(patch)) {
    if (change === null || key.startsWith("$")) continue;
    if (!retained.has(key)) throw bad();
  }
  return Object.fromEntries(Object.entries(target).filter(([key]) => retained.has(key)));
}

/**
 * Merges each list that comes with a `$setElementOrder/<field>`, in that order, into `merged`.
 * Returns the keys of the patch that are thereby done.
 */
function mergeOrderedLists(
  merged: JsonObject,
  patch: JsonObject,
  type: TypeRef | undefined,
  table: TypeTable,
): Set<string> {
  const done = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(directive.setOrder)) continue;
    done.add(key);
    const name = fieldOf(key, directive.setOrder);
    const order = listOrError(patch[key]);
    const field = patchField(table, type, name);
    const change = Object.hasOwn(patch, name) ? listOrError(patch[name]) : undefined;
    const live = Object.hasOwn(merged, name) ? listOrError(merged[name]) : undefined;
    checkOrder(change ?? [], order, field.mergeKey);

    done.add(name);
    if (live && change && field.strategy === "merge") {
      const list = mergeList(live, change, itemType(field.type), field.mergeKey, table);
      put(merged, name, ordered(list.merged, order, list.places, field.mergeKey));
    } else if (change) {
      put(merged, name, ordered(live ? change : (withoutDirectives(change) as unknown[]), order, [], field.mergeKey));
    } else if (live) {
      put(merged, name, ordered(live, order, live, field.mergeKey));
    }
  }
  return done;
}

/** The items of the patch, deletions aside, must come in the stated order and be among it. */
function checkOrder(patch: unknown[], order: unknown[], mergeKey: string | undefined): void {
  const changes = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, directive.patch)));
  if (order.length === 0 || patch.length === 0) return;
  let at = 0;
  for (const item of order) {
    if (at === changes.length) return;
    if (identity(changes[at], mergeKey) === identity(item, mergeKey)) at++;
  }
  if (at === changes.length) return;
  const shown = `${JSON.stringify(patch)} doesn't match ${directive.setOrder} list: ${JSON.stringify(order)}`;
  throw new StrategicMergePatchError(`The order in patch list: ${shown}`);
}

/**
 * `places` is the order by which live items find their place among those of the patch. The places of deleted items are
 * taken by new ones, as in strategicpatch, which edits the list in place: so new items come behind live ones.
 */
function mergeList(
  live: unknown[],
  patch: unknown[],
  type: TypeRef | undefined,
  mergeKey: string | undefined,
  table: TypeTable,
): { merged: unknown[]; places: unknown[] } {
  const kind = itemKind(live, patch);
  if (kind === undefined) return { merged: live, places: live };
  if (kind === "scalar") {
    return { merged: ordered([...new Set([...live, ...patch])], patch, live, undefined), places: live };
  }
  if (mergeKey === undefined) throw new StrategicMergePatchError("cannot merge lists without merge key");

  const { kept, changes } = applyItemDirectives(live as JsonObject[], patch as JsonObject[], mergeKey);
  const merged: JsonObject[] = [...kept];
  const at = positions(kept, mergeKey);
  for (const change of changes) {
    const id = identity(change, mergeKey);
    const index = at.get(id);
    if (index === undefined) {
      at.set(id, merged.push(change) - 1);
    } else {
      merged[index] = mergeObject(merged[index] as JsonObject, change, type, table);
    }
  }
  return { merged: ordered(merged, changes, kept, mergeKey), places: merged.slice(0, live.length) };
}

/** Handles the items that carry `$patch`: deletes what they name, or drops all live items. */
function applyItemDirectives(
  live: JsonObject[],
  patch: JsonObject[],
  mergeKey: string,
): { kept: JsonObject[]; changes: JsonObject[] } {
  const changes: JsonObject[] = [];
  const deleted = new Set<unknown>();
  let replace = false;
  for (const item of patch) {
    const what = get(item, directive.patch);
    if (what === undefined) changes.push(item);
    else if (what === "delete") deleted.add(identity(item, mergeKey));
    else if (what === "replace") replace = true;
    else if (what === "merge") throw new StrategicMergePatchError("merging lists cannot yet be specified in the patch");
    else throw new StrategicMergePatchError(`unknown patch type: ${String(what)} in map: ${JSON.stringify(item)}`);
  }
  const kept = replace ? [] : live.filter((item) => !deleted.has(get(item, mergeKey)));
  return { kept, changes };
}

function deleteScalars(merged: JsonObject, name: string, change: unknown): void {
  const live = get(merged, name);
  if (!Array.isArray(live)) return;
  const deleted = new Set(listOrError(change));
  put(
    merged,
    name,
    live.filter((item) => !deleted.has(item)),
  );
}

/** "containers" of "$setElementOrder/containers". */
function fieldOf(key: string, prefix: typeof directive.deleteFromList | typeof directive.setOrder): string {
  if (key.startsWith(`${prefix}/`)) return key.slice(prefix.length + 1);
  const what = prefix === directive.setOrder ? "setElementOrder" : "primitive";
  throw new StrategicMergePatchError(`invalid patch format of ${what} list`);
}

function listOrError(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new StrategicMergePatchError(`expected a list, but received a ${kindOf(value)}`);
}

/** New values are taken without their null fields, as a delete of what is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== null) put(kept, key, withoutNulls(item));
  }
  return kept;
}

/** New values are taken without the objects that carry `$patch`; undefined if the value itself is one. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, directive.patch)) return undefined;
  const kept: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const rest = withoutDirectives(item);
    if (rest !== undefined) put(kept, key, rest);
  }
  return kept;
}
