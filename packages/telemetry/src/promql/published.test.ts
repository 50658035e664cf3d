// What others have published is read and carried out; see scripts/collect-expressions.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@flotilla/ambient";
import { parser as official } from "@prometheus-io/lezer-promql";
import { describe, expect, test } from "vitest";
import type { Matcher, SeriesSource } from "../metrics/series.ts";
import { promqlEngine } from "./engine.ts";
import { parseQuery } from "./parse.ts";
import { printQuery } from "./print.ts";
import { queryData } from "./result.ts";

const read = (name: string) =>
  readFileSync(join(import.meta.dirname, "testdata", name), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
const published = read("published.txt").map((line) => line.replaceAll("\\n", "\n"));

const now = 1_700_000_000_000;
const step = 15_000;
const times = Float64Array.from({ length: 480 }, (_, index) => now - (479 - index) * step);

/** One growing series for whatever is asked, with the labels that are asked for. */
const source: SeriesSource = {
  select(matchers: readonly Matcher[], { from, to }) {
    const labels: Record<string, string> = { __name__: "any", instance: "a:80", le: "+Inf" };
    for (const { name, op, value } of matchers) if (op === "=" && value !== "") labels[name] = value;
    const kept = times.filter((time) => time >= from && time <= to);
    return [{ labels, times: kept, values: kept.map((time) => (time - now) / step + 1000), ends: [] }];
  },
  series: () => [],
  metadata: () => new Map(),
};
const engine = promqlEngine({ source, clock: systemClock });

test("there are many", () => expect(published.length).toBeGreaterThan(600));

describe("published expressions", () => {
  test.each(published)("%s", async (query) => {
    const expr = parseQuery(query);
    // What is printed reads back as the same.
    expect(printQuery(parseQuery(printQuery(expr)))).toBe(printQuery(expr));
    const period = { from: now - 600_000, to: now, step: 60_000 };
    for (const result of [await engine.instant(query, now), await engine.range(query, period)])
      expect(JSON.stringify(queryData(result))).toContain('"result":');
  });
});

/** The grammar of Prometheus' own editor is an independent reader; it is of a newer version, whose language contains ours. */
describe("the official grammar finds no mistake either", () => {
  const recorded = read("expressions.txt").filter((line) => {
    if (/^(at|from) [-\d]/.test(line) || line.includes("holt_winters")) return false;
    // Octal numbers and identifiers that later became keywords are not in it any more.
    if (/^017$|\\n/.test(line)) return false;
    try {
      parseQuery(line);
      return true;
    } catch {
      // One of the mistakes.
      return false;
    }
  });
  test.each([...published, ...recorded])("%s", (query) => {
    const mistakes: number[] = [];
    official.parse(query).iterate({
      enter: (node) => {
        if (node.type.isError) mistakes.push(node.from);
      },
    });
    expect(mistakes).toEqual([]);
  });
});
