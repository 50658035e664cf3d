// Samples written as Prometheus' own tests write them, and a SeriesSource of them.
import type { Matcher, NativeHistogram, SeriesSamples, SeriesSource } from "../metrics/series.ts";
import type { Labels } from "../telemetry.ts";
import { parseDuration } from "./duration.ts";
import { added } from "./native-histogram.ts";
import { parseFloatText } from "./number.ts";
import { parseSelector } from "./parse.ts";
import { parseRegexp } from "./regexp/regexp.ts";

/** "stale": the series is said to have ended. */
export type Point = { readonly time: number; readonly value: number | "stale" | NativeHistogram };

export interface TestSeries {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

/**
 *     load 30s
 *       name{label="value"} 0+10x3 _x2 stale 1 NaN -Inf {{schema:1 sum:2 count:4 offset:1 buckets:[1 3]}}
 *
 * `1+2x3` is 1 3 5 7; `_` is no sample; histograms repeat and grow in the same way.
 */
export function parseSamples(text: string, start: number): TestSeries[] {
  const series: TestSeries[] = [];
  let step = 0;
  for (const line of text.split("\n").map((line) => line.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const load = /^load (\S+)$/.exec(line);
    if (load) {
      step = parseDuration(load[1] as string) as number;
      continue;
    }
    const end =
      line.includes("}") && line.indexOf("{") < line.indexOf(" ") ? line.indexOf("} ") + 1 : line.indexOf(" ");
    const labels = Object.fromEntries(parseSelector(line.slice(0, end)).map(({ name, value }) => [name, value]));
    const values = line.slice(end).match(/\{\{[^}]*\}\}(?:\+\{\{[^}]*\}\})?(?:x\d+)?|\S+/g) ?? [];
    const points: Point[] = [];
    let at = start;
    for (const value of values.flatMap(expand)) {
      if (value !== undefined) points.push({ time: at, value });
      at += step;
    }
    series.push({ labels, points });
  }
  return series;
}

function expand(token: string): (Point["value"] | undefined)[] {
  const histogram = /^\{\{([^}]*)\}\}(?:\+\{\{([^}]*)\}\})?(?:x(\d+))?$/.exec(token);
  if (histogram) {
    const [, first = "", increment, times = "0"] = histogram;
    const values = [parseHistogram(first)];
    for (let count = 0; count < Number(times); count++) {
      const before = values.at(-1) as NativeHistogram;
      values.push(increment === undefined ? before : added(before, parseHistogram(increment)));
    }
    return values;
  }
  const blank = /^_(?:x(\d+))?$/.exec(token);
  if (blank) return new Array(Number(blank[1] ?? 1)).fill(undefined);
  if (token === "stale") return ["stale"];
  const run = /^([^x+]+?)(?:([+-][^x]+))?x(\d+)$/.exec(token);
  if (run) {
    const [, first = "", increment = "0", times = ""] = run;
    return Array.from({ length: Number(times) + 1 }, (_, index) => Number(first) + Number(increment) * index);
  }
  const value = parseFloatText(token);
  if (value === undefined) throw new Error(`no sample: ${token}`);
  return [value];
}

function parseHistogram(text: string): NativeHistogram {
  const field = (name: string, fallback = 0) =>
    Number(new RegExp(`(?:^|\\s)${name}:(\\S+)`).exec(text)?.[1] ?? fallback);
  const buckets = (name: string) =>
    new RegExp(`(?:^|\\s)${name}:\\[([^\\]]*)\\]`).exec(text)?.[1]?.trim().split(/\s+/).map(Number) ?? [];
  return {
    schema: field("schema"),
    zeroThreshold: field("z_bucket_w", 0.001),
    zeroCount: field("z_bucket"),
    count: field("count"),
    sum: field("sum"),
    positive: { offset: field("offset", 1), counts: buckets("buckets") },
    negative: { offset: field("n_offset", 1), counts: buckets("n_buckets") },
  };
}

export function sourceOf(series: readonly TestSeries[]): SeriesSource {
  const samples = series.map(({ labels, points }): SeriesSamples => {
    const kept = points.filter(({ value }) => value !== "stale");
    const histograms = kept.map(({ value }) => (typeof value === "object" ? value : undefined));
    return {
      labels,
      times: Float64Array.from(kept, ({ time }) => time),
      values: Float64Array.from(kept, ({ value }) => (typeof value === "number" ? value : Number.NaN)),
      ...(histograms.some((histogram) => histogram) && { histograms }),
      ends: points.filter(({ value }) => value === "stale").map(({ time }) => time),
    };
  });
  const find = (matchers: readonly Matcher[]) =>
    samples.filter(({ labels }) => matchers.every((matcher) => matches(matcher, labels[matcher.name] ?? "")));
  const within = (one: SeriesSamples, { from, to }: { from: number; to: number }): SeriesSamples => {
    const isIn = (_: unknown, at: number): boolean =>
      (one.times[at] as number) >= from && (one.times[at] as number) <= to;
    return {
      labels: one.labels,
      times: one.times.filter(isIn),
      values: one.values.filter(isIn),
      ...(one.histograms && { histograms: one.histograms.filter(isIn) }),
      ends: one.ends.filter((end) => end >= from && end <= to),
    };
  };
  const select = (...[matchers, period]: Parameters<SeriesSource["select"]>) =>
    find(matchers)
      .map((one) => within(one, period))
      .filter(({ times }) => times.length > 0);
  return {
    select,
    series: (matchers, period) => select(matchers, period).map(({ labels }) => labels),
    metadata: () => new Map(),
  };
}

function matches({ op, value }: Matcher, text: string): boolean {
  if (op === "=") return text === value;
  if (op === "!=") return text !== value;
  return parseRegexp(value).test(text) === (op === "=~");
}

/** What is asked, as in testdata/expressions.txt; times are seconds after the first sample. */
export type Question = { readonly query: string } & (
  | { readonly at: number }
  | { readonly from: number; readonly to: number; readonly step: number }
);

/** `at 600` or `from 0 to 600 step 60` on a line of its own holds for the expressions that follow. */
export function parseQuestions(text: string): Question[] {
  const questions: Question[] = [];
  let when: { at: number } | { from: number; to: number; step: number } = { at: 0 };
  for (const line of text.split("\n").map((line) => line.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const at = /^at (-?[\d.]+)$/.exec(line);
    const range = /^from (-?[\d.]+) to (-?[\d.]+) step ([\d.]+)$/.exec(line);
    if (at) when = { at: Number(at[1]) };
    else if (range) when = { from: Number(range[1]), to: Number(range[2]), step: Number(range[3]) };
    else questions.push({ query: line.replaceAll("\\n", "\n"), ...when });
  }
  return questions;
}

/** Of the first sample in testdata/samples.txt; ms. */
export const recordedStart = 1_700_000_400_000;
