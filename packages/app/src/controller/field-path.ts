/** Fields as apply's conflicts name them: `.spec.template.spec.containers[name="web"].image`. */
import { isRecord, type KubeObject } from "@flotilla/objects";

/** The way to a field through keys and indexes. */
export type Place = readonly (string | number)[];

/** Where a configuration states the field; undefined if it does not. Keys are not escaped in paths, so they are tried out. */
export function placeOf(value: unknown, path: string): Place | undefined {
  if (path === "") return [];
  if (path.startsWith(".") && isRecord(value)) {
    const rest = path.slice(1);
    const keys = Object.keys(value).filter((key) => rest.startsWith(key) && /^([.[]|$)/.test(rest.slice(key.length)));
    // The longest first: labels hold dots.
    for (const key of keys.sort((left, right) => right.length - left.length)) {
      const further = placeOf(value[key], rest.slice(key.length));
      if (further) return [key, ...further];
    }
    return undefined;
  }
  const item = /^\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\]/.exec(path);
  if (!item || !Array.isArray(value)) return undefined;
  const index = indexOf(value, item[1] ?? "");
  const further = index === undefined ? undefined : placeOf(value[index], path.slice(item[0].length));
  return index === undefined || !further ? undefined : [index, ...further];
}

/** `name="web"`, `containerPort=80,protocol="TCP"`, `="value"` or `3`. */
function indexOf(list: readonly unknown[], selector: string): number | undefined {
  if (/^\d+$/.test(selector)) return Number(selector) < list.length ? Number(selector) : undefined;
  const pairs = [...selector.matchAll(/([^=,"]*)=("(?:[^"\\]|\\.)*"|[^,]+)/g)].map(
    ([, key = "", text = ""]) => [key, JSON.parse(text) as unknown] as const,
  );
  const found = list.findIndex((item) =>
    pairs.every(([key, value]) => {
      if (key === "") return item === value;
      // A key with a default may be left out.
      return isRecord(item) && (item[key] === undefined || item[key] === value);
    }),
  );
  return found < 0 ? undefined : found;
}

export const valueAt = (value: unknown, place: Place): unknown =>
  place.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], value);

/** A copy without these fields. Items of lists are left out last, so that indexes stay true. */
export function withoutPlaces(object: KubeObject, places: readonly Place[]): KubeObject {
  const copy = structuredClone(object);
  const byIndex = [...places].sort((left, right) => Number(right.at(-1)) - Number(left.at(-1)) || 0);
  for (const place of byIndex) {
    const parent = valueAt(copy, place.slice(0, -1));
    const last = place.at(-1);
    if (Array.isArray(parent) && typeof last === "number") parent.splice(last, 1);
    else if (isRecord(parent) && last !== undefined) delete parent[last];
  }
  return copy;
}
