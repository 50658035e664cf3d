/** A deep copy of a JSON value; faster than structuredClone, which handles what JSON cannot hold. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T;
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined) continue;
    if (key === "__proto__")
      Object.defineProperty(copy, key, { value: clone(field), enumerable: true, writable: true });
    else copy[key] = clone(field);
  }
  return copy as T;
}
