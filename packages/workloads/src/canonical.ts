/** Values compared and hashed by what they mean: absent, null and an empty list are one; the order of keys does not count. */

function simplify(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => simplify(item) ?? null);
  if (value === null || value === undefined) return undefined;
  if (typeof value !== "object") return value;
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, simplify(inner)] as const)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

/** One text for all spellings of a value. */
export const canonical = (value: unknown): string => JSON.stringify(simplify(value)) ?? "";

export const sameMeaning = (a: unknown, b: unknown): boolean => a === b || canonical(a) === canonical(b);

/** Without keys that hold undefined, 0 or "": as Kubernetes writes a status. `keep` names those that are always written. */
export function compact<T extends object>(value: T, ...keep: (keyof T)[]): T {
  const kept = Object.entries(value).filter(
    ([key, inner]) => inner !== undefined && ((inner !== 0 && inner !== "") || keep.includes(key as keyof T)),
  );
  return Object.fromEntries(kept) as T;
}
