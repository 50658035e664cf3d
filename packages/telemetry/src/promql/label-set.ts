/** Label sets as the engine compares, groups and changes them. Never changed once made. */
import type { Labels } from "../telemetry.ts";
import { quoted } from "./quote.ts";

export const metricName = "__name__";

/** Half of a surrogate pair, which is in no text that came as UTF-8. */
const separator = "\udfff";

export class LabelSet {
  static readonly empty = new LabelSet([]);

  /** Name, value, name, value, ...: by name. Empty values are absent labels. */
  readonly #pairs: readonly string[];
  #key: string | undefined;
  #unnamed: LabelSet | undefined;

  private constructor(pairs: readonly string[]) {
    this.#pairs = pairs;
  }

  static of(labels: Labels): LabelSet {
    const pairs: string[] = [];
    for (const name of Object.keys(labels).sort()) if (labels[name] !== "") pairs.push(name, labels[name] as string);
    return new LabelSet(pairs);
  }

  /** Equal for equal sets. */
  get key(): string {
    this.#key ??= this.#pairs.join(separator);
    return this.#key;
  }

  /** Of `names` alone, or of all but those. */
  keyOf(names: ReadonlySet<string>, without: boolean): string {
    let key = "";
    const pairs = this.#pairs;
    for (let at = 0; at < pairs.length; at += 2)
      if (names.has(pairs[at] as string) !== without) key += `${pairs[at]}${separator}${pairs[at + 1]}${separator}`;
    return key;
  }

  /** "" if there is none. */
  get(name: string): string {
    const pairs = this.#pairs;
    for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === name) return pairs[at + 1] as string;
    return "";
  }

  without(names: ReadonlySet<string>): LabelSet {
    return this.#filter((name) => !names.has(name));
  }

  keep(names: ReadonlySet<string>): LabelSet {
    return this.#filter((name) => names.has(name));
  }

  withoutName(): LabelSet {
    this.#unnamed ??= this.#filter((name) => name !== metricName);
    return this.#unnamed;
  }

  /** "" takes the label away. */
  with(name: string, value: string): LabelSet {
    return this.get(name) === value ? this : LabelSet.of({ ...this.toLabels(), [name]: value });
  }

  toLabels(): Record<string, string> {
    const labels: Record<string, string> = {};
    const pairs = this.#pairs;
    for (let at = 0; at < pairs.length; at += 2) labels[pairs[at] as string] = pairs[at + 1] as string;
    return labels;
  }

  /** `{__name__="up", a="b"}`. */
  toString(): string {
    const shown = Object.entries(this.toLabels()).map(([name, value]) => `${name}=${quoted(value)}`);
    return `{${shown.join(", ")}}`;
  }

  static compare(one: LabelSet, other: LabelSet): number {
    const a = one.#pairs;
    const b = other.#pairs;
    const length = Math.min(a.length, b.length);
    for (let at = 0; at < length; at++) if (a[at] !== b[at]) return (a[at] as string) < (b[at] as string) ? -1 : 1;
    return a.length - b.length;
  }

  #filter(isKept: (name: string) => boolean): LabelSet {
    const kept: string[] = [];
    const pairs = this.#pairs;
    for (let at = 0; at < pairs.length; at += 2)
      if (isKept(pairs[at] as string)) kept.push(pairs[at] as string, pairs[at + 1] as string);
    return kept.length === pairs.length ? this : new LabelSet(kept);
  }
}

export const isLabelName = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
