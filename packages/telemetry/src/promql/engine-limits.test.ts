import { type Clock, simulation, systemClock } from "@flotilla/ambient";
import { describe, expect, test } from "vitest";
import type { NativeHistogram, SeriesSamples, SeriesSource } from "../metrics/series.ts";
import { QueryError } from "../telemetry.ts";
import { promqlEngine } from "./engine.ts";
import { ExecutionError } from "./failure.ts";
import { queryData, queryDataJson } from "./result.ts";
import { parseSamples, sourceOf } from "./samples.fixture.ts";

const many = (series: number, samples: number): SeriesSource => ({
  select: () =>
    Array.from({ length: series }, (_, index) => ({
      labels: { __name__: "m", index: String(index) },
      times: Float64Array.from({ length: samples }, (_, at) => at * 1000),
      values: new Float64Array(samples),
      ends: [],
    })),
  series: () => [],
  metadata: () => new Map(),
});
const minutes = { from: 0, to: 600_000, step: 1000 };

describe("what a query may cost", () => {
  test.each([
    ["samples read", "sum(m)"],
    ["points made", "m + on (index) m"],
  ])("%s", async (_, query) => {
    const limits = { samples: 10_000 };
    const engine = promqlEngine({ source: many(20, 1000), clock: systemClock, limits });
    await expect(engine.range(query, minutes)).rejects.toThrow(
      "query processing would load too many samples into memory in query execution",
    );
    await expect(engine.range(query, minutes)).rejects.toMatchObject({ type: "execution" });
  });

  test("too much for all together is done one after the other", async () => {
    const limits = { samples: 40_000, allSamples: 40_000, turn: 0 };
    const engine = promqlEngine({ source: many(20, 1000), clock: systemClock, limits });
    const results = await Promise.all(
      Array.from({ length: 5 }, () => engine.range("sum(count_over_time(m[9s]))", minutes)),
    );
    for (const result of results) expect(queryData(result)).toMatchObject({ result: [{ values: { length: 601 } }] });
  });

  test("a result counts until nobody holds it any more", async () => {
    const limits = { samples: 40_000, allSamples: 40_000 };
    const engine = promqlEngine({ source: many(20, 1000), clock: systemClock, limits });
    const held = new AbortController();
    await engine.range("m", minutes, { held: held.signal });
    let done = false;
    const waiting = engine.range("m", minutes).then(() => {
      done = true;
    });
    for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => systemClock.soon(resolve));
    expect(done).toBe(false);
    held.abort();
    await waiting;
  });
  test("series that have hardly a sample cost what their labels take", async () => {
    const engine = promqlEngine({ source: many(1000, 1), clock: systemClock, limits: { samples: 20_000 } });
    await expect(engine.instant("m", 0)).rejects.toThrow("too many samples");
  });

  /** Each look at the clock takes 20 ms, longer than a turn. */
  const ticking = (): Clock => {
    let now = 0;
    return { ...systemClock, now: () => (now += 20) };
  };
  test("time", async () => {
    const engine = promqlEngine({ source: many(50, 1000), clock: ticking(), limits: { time: 100 } });
    await expect(engine.range("sum(rate(m[5m]))", minutes)).rejects.toMatchObject({
      message: "query timed out in expression evaluation",
      type: "timeout",
    });
  });
  test("less time, if it is asked for", async () => {
    const engine = promqlEngine({ source: many(50, 1000), clock: ticking() });
    await expect(engine.range("sum(rate(m[5m]))", minutes, { timeout: 60 })).rejects.toThrow("timed out");
    await expect(engine.range("sum(rate(m[5m]))", minutes)).resolves.toBeDefined();
  });
  test("until it is aborted", async () => {
    const abort = new AbortController();
    let turns = 0;
    const clock: Clock = {
      ...ticking(),
      soon: (run) => {
        if (++turns === 3) abort.abort();
        run();
      },
    };
    const engine = promqlEngine({ source: many(50, 1000), clock });
    await expect(engine.range("sum(rate(m[5m]))", minutes, abort)).rejects.toMatchObject({
      message: "query was canceled in expression evaluation",
      type: "canceled",
    });
    expect(turns).toBe(3);
    await expect(engine.range("1", minutes, abort)).rejects.toThrow("canceled");
    // Nothing is left behind that others would wait for.
    const crowd = Array.from({ length: 300 }, () => engine.range("m", minutes));
    expect(await Promise.all(crowd)).toHaveLength(300);
  });
  test("others get their turn", async () => {
    let turns = 0;
    const clock: Clock = {
      ...ticking(),
      soon: (run) => {
        turns++;
        run();
      },
    };
    await promqlEngine({ source: many(50, 1000), clock }).range("sum(rate(m[5m]))", minutes);
    expect(turns).toBeGreaterThan(50);
  });
  test("a source that refuses is no mistake of the text", async () => {
    const source: SeriesSource = {
      ...many(1, 1),
      select: () => {
        throw new QueryError("too much");
      },
    };
    const engine = promqlEngine({ source, clock: systemClock });
    await expect(engine.instant("m", 0)).rejects.toThrow(ExecutionError);
  });
});

/** What came with Prometheus 3.0, or what 2.42 answers with nonsense for histograms. */
describe("native histograms beyond 2.42", () => {
  const engine = promqlEngine({
    source: sourceOf(
      parseSamples(
        `load 1m
        h{a="1"} {{schema:0 count:4 sum:8 offset:1 buckets:[2 2]}}x10
        h{a="2"} {{schema:0 count:8 sum:40 offset:2 buckets:[4 4]}}x10
        mixed 1 2 3 4 5 {{schema:0 count:4 sum:8 offset:1 buckets:[2 2]}}x5
        f{a="1"} 2x10`,
        0,
      ),
    ),
    clock: simulation(1).clock,
  });
  const ask = async (query: string) => {
    const data = queryData(await engine.instant(query, 600_000));
    return data.resultType === "vector"
      ? data.result.map(({ value, histogram }) => value?.[1] ?? `${histogram?.[1].count}/${histogram?.[1].sum}`)
      : data;
  };
  test.each<[query: string, answer: string[]]>([
    ["histogram_avg(h)", ["2", "5"]],
    ["histogram_stddev(f)", []],
    ["histogram_stdvar(f)", []],
    ["avg(h)", ["6/24"]],
    ["sum(h)", ["12/48"]],
    ['h{a="2"} - ignoring (a) h{a="1"}', ["4/32"]],
    ["h * 2", ["8/16", "16/80"]],
    ["2 * h", ["8/16", "16/80"]],
    ["h / 2", ["2/4", "4/20"]],
    ['h{a="1"} * on (a) f', ["8/16"]],
    ["h + 1", []],
    ["h > 1", []],
    ["h == on (a) h", ["4/8", "8/40"]],
    ["h != on (a) h", []],
    ["-h", ["-4/-8", "-8/-40"]],
    ["count(h)", ["2"]],
    ["group(h)", ["1"]],
    ["max(h)", []],
    ["topk(1, h)", []],
    ["abs(h)", []],
    ["count_over_time(h[5m])", ["6", "6"]],
    ["last_over_time(h[5m])", ["4/8", "8/40"]],
    ["sum_over_time(h[5m])", ["24/48", "48/240"]],
    ["avg_over_time(h[5m])", ["4/8", "8/40"]],
    ["max_over_time(h[5m])", []],
    ["max_over_time(mixed[10m])", ["5"]],
    ["sum_over_time(mixed[10m])", []],
    ["rate(mixed[10m])", []],
    ["count_over_time(mixed[10m])", ["11"]],
    ['sum({__name__=~"h|f"})', []],
  ])("%s", async (query, answer) => expect(await ask(query)).toEqual(answer));
});

test("the text of a result is its JSON", async () => {
  const samples: SeriesSamples = {
    labels: { __name__: "m" },
    times: Float64Array.of(0),
    values: Float64Array.of(1),
    ends: [],
  };
  const histogram: NativeHistogram = {
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 1,
    sum: 1,
    positive: { offset: 0, counts: [1] },
    negative: { offset: 0, counts: [] },
  };
  const source: SeriesSource = {
    select: () => [
      samples,
      { ...samples, labels: { __name__: "h" }, values: Float64Array.of(NaN), histograms: [histogram] },
    ],
    series: () => [],
    metadata: () => new Map(),
  };
  const engine = promqlEngine({ source, clock: systemClock });
  for (const result of [
    await engine.instant("m", 0),
    await engine.instant("m[5m]", 0),
    await engine.instant("1", 0),
    await engine.instant('"text"', 0),
    await engine.range("m", { from: 0, to: 60_000, step: 30_000 }),
  ])
    expect(JSON.parse([...queryDataJson(result)].join(""))).toEqual(queryData(result));
});
