/** JSON values as all patches see them. Keys such as "constructor" or "__proto__" are data like any other. */
import { isRecord } from "@flotilla/objects";

export type JsonObject = { [key: string]: unknown };

export const isObject: (value: unknown) => value is JsonObject = isRecord;

/** The kind of a JSON value; what Go's reflection tells apart when it compares the types of two values. */
export type JsonKind = "undefined" | "null" | "boolean" | "number" | "string" | "list" | "object";

export function kindOf(value: unknown): JsonKind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value as "undefined" | "boolean" | "number" | "string" | "object";
}

/** The own property, or undefined. */
export const get = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Sets an own property, also for a key that an assignment would take for the prototype. */
export function put(object: JsonObject, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

export function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, i) => equal(item, right[i]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]));
}

/** Byte order for the strings that occur as names and keys; never the locale's. */
export const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
