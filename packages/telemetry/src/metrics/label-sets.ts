/**
 * Many label sets, compact: every text once, each set a run of numbers. `__name__` comes first in a set, the others are sorted
 * by name.
 */
import { parseRegexp } from "../promql/regexp/regexp.ts";
import type { Labels } from "../telemetry.ts";
import type { Matcher } from "./series.ts";

export interface LabelSets {
  readonly symbols: readonly string[];
  /** Name and value of each label, as places in `symbols`. */
  readonly pairs: Uint32Array;
  /** Set i is in `pairs` from offsets[i] to offsets[i + 1]. */
  readonly offsets: Uint32Array;
}

/** A set as a flat list: name, value, name, value, ... in the order of `LabelSets`. */
export type FlatLabels = readonly string[];

export function flatLabels({ symbols, pairs, offsets }: LabelSets, set: number): string[] {
  const flat: string[] = [];
  for (let at = offsets[set] as number; at < (offsets[set + 1] as number); at++)
    flat.push(symbols[pairs[at] as number] as string);
  return flat;
}

export function labelsOf(flat: FlatLabels): Labels {
  const labels: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) labels[flat[i] as string] = flat[i + 1] as string;
  return labels;
}

/** The order in which series lie in blocks: by metric name, then by the other labels. */
export function compareFlat(a: FlatLabels, b: FlatLabels): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a[i] as string;
    const y = b[i] as string;
    if (x !== y) return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

/** One text for one set; sets that differ have different texts. */
export const keyOfFlat = (flat: FlatLabels): string => flat.map((text) => `${text.length}:${text}`).join("");

export interface CompiledMatcher {
  readonly name: string;
  test(value: string): boolean;
  /** Set where exactly one value matches. */
  readonly only?: string;
}

export function compileMatcher({ name, op, value }: Matcher): CompiledMatcher {
  if (op === "=") return { name, only: value, test: (text) => text === value };
  if (op === "!=") return { name, test: (text) => text !== value };
  const expression = parseRegexp(value);
  return op === "=~"
    ? { name, test: (text) => expression.test(text) }
    : { name, test: (text) => !expression.test(text) };
}

/** Tests sets one by one; what a matcher said of a text is remembered. */
export function setTester(
  sets: Pick<LabelSets, "symbols">,
  placeOf: (symbol: string) => number | undefined,
  matchers: readonly CompiledMatcher[],
): (pairs: Uint32Array, from: number, to: number) => boolean {
  const tests = matchers.map((matcher) => ({
    matcher,
    name: placeOf(matcher.name),
    only: matcher.only === undefined || matcher.only === "" ? undefined : (placeOf(matcher.only) ?? -1),
    whenAbsent: matcher.test(""),
    known: new Map<number, boolean>(),
  }));
  return (pairs, from, to) =>
    tests.every(({ matcher, name, only, whenAbsent, known }) => {
      if (name === undefined) return whenAbsent;
      for (let at = from; at < to; at += 2) {
        if (pairs[at] !== name) continue;
        const value = pairs[at + 1] as number;
        if (only !== undefined) return value === only;
        let result = known.get(value);
        if (result === undefined) {
          result = matcher.test(sets.symbols[value] as string);
          known.set(value, result);
        }
        return result;
      }
      return whenAbsent;
    });
}
