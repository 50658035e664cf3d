/** Takes what is wrong out of a model, so that the rest of it can be looked at. */
import { isRecord } from "@flotilla/objects";
import { at } from "./mistake.ts";

/** The keys of a path as `at` writes it, up to the first index: what is in a list is taken out with the list, so that no index changes. */
function keysOf(path: string): string[] {
  const keys: string[] = [];
  for (const [step, index] of path.matchAll(/\[(\d+)\]|\["(?:[^"\\]|\\.)*"\]|[\w-]+/g)) {
    if (index !== undefined) break;
    keys.push(step.startsWith("[") ? JSON.parse(step.slice(1, -1)) : step);
  }
  return keys;
}

/** Removes from `value` what is at `path`; of what is not there at all, the record that lacks it. Returns the path of what was removed; "": all. */
export function cutOut(value: Record<string, unknown>, path: string): string {
  const keys = keysOf(path);
  const records = [value];
  for (const key of keys.slice(0, -1)) {
    const next = records.at(-1)?.[key];
    if (!isRecord(next)) break;
    records.push(next);
  }
  let depth = records.length - 1;
  if (depth === keys.length - 1 && !((keys[depth] as string) in (records[depth] as object))) depth--;
  const key = keys[depth];
  if (depth < 0 || key === undefined) return "";
  delete (records[depth] as Record<string, unknown>)[key];
  return keys.slice(0, depth + 1).reduce(at, "");
}
