/**
 * What changed from one content to the next, in lines that can be read:
 * `spec.template.spec.containers[web].image: shop/web@sha256:aa → shop/web@sha256:bb`. Pure.
 */
import { type Json, longMark, secretMark } from "./content.ts";

export interface Difference {
  /** `spec.ports[http].port`: items of lists are named where they have a name, else counted. */
  readonly path: string;
  readonly text: string;
}

const longestValue = 120;

/** In the order of the fields. Undefined: there is no object. */
export function differences(before: Json | undefined, after: Json | undefined): Difference[] {
  const found: Difference[] = [];
  compare("", before, after, found);
  return found;
}

export const lineOf = ({ path, text }: Difference): string => `${path}: ${text}`;

function compare(path: string, before: Json | undefined, after: Json | undefined, found: Difference[]): void {
  if (isEqual(before, after)) return;
  if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare(below(path, key), before[key], after[key], found);
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    compareLists(path, before, after, found);
    return;
  }
  if (isText(before) && isText(after) && (before.includes("\n") || after.includes("\n"))) {
    found.push({ path, text: changedLines(before, after) });
    return;
  }
  found.push({ path, text: changed(before, after) });
}

/** Fields by which items of lists are told apart, the surest first. Source: the merge keys of Kubernetes' types. */
const itemKeys = ["name", "mountPath", "containerPort", "port", "key", "ip", "host", "type", "uid"];

function compareLists(path: string, before: readonly Json[], after: readonly Json[], found: Difference[]): void {
  const key = itemKeys.find((each) => tells(each, before) && tells(each, after));
  if (key === undefined) {
    if ([...before, ...after].every((item) => !isRecord(item))) found.push({ path, text: changed(before, after) });
    else
      for (let i = 0; i < Math.max(before.length, after.length); i++)
        compare(`${path}[${i}]`, before[i], after[i], found);
    return;
  }
  const byKey = (items: readonly Json[]) =>
    new Map(items.map((item) => [String((item as Record<string, Json>)[key]), item]));
  const [old, fresh] = [byKey(before), byKey(after)];
  const many = found.length;
  for (const name of new Set([...old.keys(), ...fresh.keys()]))
    compare(`${path}[${name}]`, old.get(name), fresh.get(name), found);
  // The same items in another order.
  if (found.length === many)
    found.push({ path, text: `${[...old.keys()].join(", ")} → ${[...fresh.keys()].join(", ")}` });
}

/** Every item has it, each another one. */
function tells(key: string, items: readonly Json[]): boolean {
  const values = items.map((item) => (isRecord(item) ? item[key] : undefined));
  const plain = values.every((value) => typeof value === "string" || typeof value === "number");
  return plain && new Set(values).size === items.length;
}

const changed = (before: Json | undefined, after: Json | undefined): string => {
  if (!isHidden(before) && !isHidden(after)) return `${shown(before)} → ${shown(after)}`;
  if (before === undefined) return "secret value set";
  return after === undefined ? "secret value removed" : "secret value changed";
};

/** A whole one: nothing stands for it. */
const isText = (value: Json | undefined): value is string => typeof value === "string" && !value.startsWith("\0");

const isHidden = (value: Json | undefined): boolean => typeof value === "string" && value.startsWith(secretMark);

/** As it is read in a line: digests by their beginning, what is long cut off, secrets not at all. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return "(unset)";
  if (isHidden(value)) return "(secret)";
  const plain = typeof value === "string" ? value : JSON.stringify(value, hide);
  if (plain === "") return '""';
  if (plain.startsWith(longMark)) return `${shortened(plain.slice(longMark.length, -13))}…`;
  const text = shortened(plain);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

const hide = (_: string, value: unknown): unknown => {
  if (typeof value !== "string") return value;
  if (value.startsWith(secretMark)) return "(secret)";
  return value.startsWith(longMark) ? `${value.slice(longMark.length, -13)}…` : value;
};

/** Digests as people compare them, by their first twelve digits. */
const shortened = (text: string): string =>
  text.replace(/sha256:([0-9a-f]{12})[0-9a-f]{52}\b/g, "sha256:$1").replaceAll("\n", "⏎");

/** Where the two differ, of what has lines. */
function changedLines(before: string, after: string): string {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let first = 0;
  while (first < Math.min(old.length, fresh.length) && old[first] === fresh[first]) first++;
  let same = 0;
  while (
    same < Math.min(old.length, fresh.length) - first &&
    old[old.length - 1 - same] === fresh[fresh.length - 1 - same]
  )
    same++;
  const [gone, came] = [old.slice(first, old.length - same), fresh.slice(first, fresh.length - same)];
  const at = `line ${first + 1}`;
  if (gone.length <= 1 && came.length <= 1) return `${at}: ${shown(gone[0])} → ${shown(came[0])}`;
  return `from ${at}, ${count(gone.length)} → ${count(came.length)}`;
}

const count = (lines: number): string => `${lines} line${lines === 1 ? "" : "s"}`;

/** Keys with dots, as annotations and files have, are quoted. */
const below = (path: string, key: string): string => {
  const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
  if (path === "") return name;
  return name === key ? `${path}.${name}` : `${path}[${name}]`;
};

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Keys of objects in any order. */
function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => isEqual(each, b[i]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isEqual(a[key], b[key]));
}
