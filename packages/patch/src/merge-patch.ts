/** JSON Merge Patch, RFC 7386: null deletes, objects merge, everything else (lists too) replaces. */
import { equal, get, isObject, type JsonObject, put } from "./json.ts";

/** The target with the patch applied. Parts that the patch does not mention are shared with the target. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const change = patch[key];
    if (change === null) delete merged[key];
    else put(merged, key, mergePatch(get(merged, key), change));
  }
  return merged;
}

/**
 * The smallest merge patch that turns `from` into `to`: `mergePatch(from, createMergePatch(from, to))` equals `to`,
 * provided that no object in `to` holds a null (a merge patch cannot say that).
 */
export function createMergePatch(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return to;
  const patch: JsonObject = {};
  for (const key of Object.keys(from)) {
    if (!Object.hasOwn(to, key)) put(patch, key, null);
  }
  for (const key of Object.keys(to)) {
    const before = get(from, key);
    const after = to[key];
    if (equal(before, after)) continue;
    put(patch, key, isObject(before) && isObject(after) ? createMergePatch(before, after) : after);
  }
  return patch;
}
