/**
 * The order of merged lists in strategic merge patches: what a patch says about order comes first, then the live order.
 *
 * Source: apimachinery pkg/util/strategicpatch (normalizeElementOrder, mergeSortedSlice).
 */
import { isObject, kindOf } from "./json.ts";
import { StrategicMergePatchError } from "./patch-error.ts";

/** What tells the items of a list apart: the value of the merge key, or the scalar itself. */
export function identity(item: unknown, mergeKey: string | undefined): unknown {
  if (mergeKey === undefined) return item;
  if (!isObject(item)) throw new StrategicMergePatchError(`expected an object, but received a ${kindOf(item)}`);
  if (!Object.hasOwn(item, mergeKey)) {
    const shown = JSON.stringify(item);
    throw new StrategicMergePatchError(`map: ${shown} does not contain declared merge key: ${mergeKey}`);
  }
  return item[mergeKey];
}

/** Identity of each item → its first position. */
export function positions(list: readonly unknown[], mergeKey: string | undefined): Map<unknown, number> {
  const found = new Map<unknown, number>();
  list.forEach((item, i) => {
    const id = identity(item, mergeKey);
    if (!found.has(id)) found.set(id, i);
  });
  return found;
}

/**
 * Orders `merged`: items named in `order` keep its order, all others that of `live`, and the two are interleaved by
 * their places in `live`.
 */
export function ordered(
  merged: readonly unknown[],
  order: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const stated = positions(order, mergeKey);
  const before = positions(live, mergeKey);
  const id = (item: unknown) => identity(item, mergeKey);
  const place = (places: Map<unknown, number>) => (item: unknown) => places.get(id(item)) ?? -1;
  const byPlace = (places: Map<unknown, number>) => (left: unknown, right: unknown) =>
    place(places)(left) - place(places)(right);

  const fromPatch = merged.filter((item) => stated.has(id(item))).sort(byPlace(stated));
  const liveOnly = merged.filter((item) => !stated.has(id(item))).sort(byPlace(before));

  const result: unknown[] = [];
  let next = 0;
  for (const item of fromPatch) {
    const at = before.get(id(item));
    while (next < liveOnly.length && at !== undefined && place(before)(liveOnly[next]) < at) {
      const candidate = place(before)(liveOnly[next]);
      if (candidate < 0) break;
      result.push(liveOnly[next++]);
    }
    result.push(item);
  }
  return [...result, ...liveOnly.slice(next)];
}

/** The kind of all items of the lists; undefined if there are none. Mixed kinds and lists of lists are errors. */
export function itemKind(...lists: (readonly unknown[])[]): "object" | "scalar" | undefined {
  const kinds = new Set(lists.flatMap((list) => list.map(kindOf)));
  if (kinds.has("list")) throw new StrategicMergePatchError("lists of lists are not supported", 422);
  if (kinds.size > 1) {
    const shown = JSON.stringify(lists);
    throw new StrategicMergePatchError(`list element types are not identical: ${shown}`);
  }
  const [kind] = kinds;
  return kind === undefined ? undefined : kind === "object" ? "object" : "scalar";
}
