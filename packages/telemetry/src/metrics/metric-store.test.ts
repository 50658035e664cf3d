import { describe, expect, test } from "vitest";
import { encodeMetrics } from "../otlp/codec.ts";
import type { Metric } from "../otlp/types.ts";
import {
  add,
  begin,
  crash,
  day,
  ever,
  hour,
  lost,
  minute,
  named,
  now,
  open,
  second,
  simulated,
  store,
  valuesOf,
} from "./metric-store.fixture.ts";
import { counter, deltas, gauge, metricsOf, nano, point } from "./metrics.fixture.ts";
import type { Matcher } from "./series.ts";

describe("what is taken is found", () => {
  test("at once", () => {
    open();
    expect(add(counter("orders", point(begin, 5, { code: "200" })))).toEqual({ taken: 1, rejected: 0 });
    expect([...store.select([named("orders_total")], ever)]).toEqual([
      {
        labels: { __name__: "orders_total", code: "200", job: "orders", service: "orders" },
        times: Float64Array.of(begin),
        values: Float64Array.of(5),
        ends: [],
      },
    ]);
  });

  test.each<[string, Matcher, string[]]>([
    ["equal", { name: "code", op: "=", value: "200" }, ["200"]],
    ["not equal", { name: "code", op: "!=", value: "200" }, ["404", "500"]],
    ["like", { name: "code", op: "=~", value: "[45].." }, ["404", "500"]],
    ["like, anchored", { name: "code", op: "=~", value: "0" }, []],
    ["like, in any case", { name: "service", op: "=~", value: "(?i)ORD.*" }, ["200", "404", "500"]],
    ["not like", { name: "code", op: "!~", value: "4.*|5.*" }, ["200"]],
    ["an absent label is empty", { name: "no", op: "=", value: "" }, ["200", "404", "500"]],
    ["and nothing else", { name: "no", op: "!=", value: "" }, []],
  ])("labels: %s", (_, matcher, expected) => {
    open();
    add(counter("r", ...["500", "200", "404"].map((code) => point(begin, 1, { code }))));
    expect([...store.select([matcher, named("r_total")], ever)].map(({ labels }) => labels.code)).toEqual(expected);
    expect(store.series([matcher, named("r_total")], ever).map(({ code }) => code)).toEqual(expected);
  });

  test("of a period, both ends included", () => {
    open();
    add(gauge("g", ...[1, 2, 3, 4].map((value) => point(begin + value * second, value))));
    expect(valuesOf("g", { from: begin + 2 * second, to: begin + 3 * second })).toEqual([[2, 3]]);
    expect(valuesOf("g", { from: begin + 5 * second, to: begin + hour })).toEqual([]);
  });

  test("its type and help", () => {
    open();
    add({ ...counter("io", point(begin, 1)), unit: "By", description: "Moved." });
    expect(store.metadata().get("io_bytes_total")).toEqual({ type: "counter", unit: "bytes", help: "Moved." });
  });
});

describe("order", () => {
  test.each<[string, [number, number][], number[], string[]]>([
    [
      "late samples find their place",
      [
        [0, 1],
        [30, 3],
        [15, 2],
      ],
      [1, 2, 3],
      [],
    ],
    [
      "the same again is nothing",
      [
        [0, 1],
        [15, 2],
        [15, 2],
        [0, 1],
      ],
      [1, 2],
      [],
    ],
    [
      "another value at the same time is refused",
      [
        [0, 1],
        [15, 2],
        [15, 3],
      ],
      [1, 2],
      ["1 duplicate"],
    ],
    [
      "also further back",
      [
        [0, 1],
        [15, 2],
        [0, 3],
      ],
      [1, 2],
      ["1 duplicate"],
    ],
    [
      "too late for its series",
      [
        [0, 1],
        [601, 2],
        [0.5, 3],
      ],
      [1, 2],
      ["1 out of order"],
    ],
    [
      "too far in the future",
      [
        [0, 1],
        [5000, 2],
      ],
      [1],
      ["1 too new"],
    ],
    [
      "too old",
      [
        [-3601, 1],
        [0, 2],
      ],
      [2],
      ["1 too old"],
    ],
  ])("%s", (_, samples, expected, refused) => {
    open({ maxAhead: 20 * minute });
    for (const [at, value] of samples) add(gauge("g", point(begin + at * second, value)));
    expect(valuesOf("g")).toEqual([expected]);
    expect(lost()).toEqual(refused);
  });

  test("what is said of the resource besides is none of the sender's points", () => {
    open();
    const resource = { "service.name": "orders", "host.name": "h" };
    const send = (...metrics: Metric[]) => store.add(encodeMetrics(metricsOf(resource, ...metrics)));
    expect(send(gauge("g", point(begin - day, 1)))).toMatchObject({ taken: 0, rejected: 1 });
    expect(lost()).toEqual(["1 too old"]);
    expect(send(gauge("g", point(begin, 1)))).toEqual({ taken: 1, rejected: 0 });
    expect(valuesOf("target_info")).toEqual([[1]]);
  });

  test("the sender is told what was refused and why", () => {
    open();
    expect(add(gauge("g", point(begin - day, 1), point(begin, 1)))).toEqual({
      taken: 1,
      rejected: 1,
      message: "g: 86400 s old",
    });
  });
});

describe("differences are added up", () => {
  test("of numbers", () => {
    open();
    for (const [at, value] of [
      [1, 5],
      [2, 3],
      [3, 0],
      [4, 2],
    ] as const)
      add(deltas("d", point(begin + at * second, value)));
    expect(valuesOf("d_total")).toEqual([[5, 8, 8, 10]]);
  });
  test("a repetition is not counted again", () => {
    open();
    for (const value of [5, 5]) add(deltas("d", point(begin, value)));
    expect(valuesOf("d_total")).toEqual([[5]]);
  });
  test("of histograms, at the coarser scale", () => {
    open();
    const histogram = (time: number, scale: number, ...bucketCounts: string[]): Metric => ({
      name: "h",
      exponentialHistogram: {
        aggregationTemporality: 1,
        dataPoints: [{ timeUnixNano: nano(time), scale, count: "3", sum: 1, positive: { offset: 0, bucketCounts } }],
      },
    });
    add(histogram(begin, 1, "1", "2"));
    add(histogram(begin + second, 0, "3"));
    expect([...store.select([named("h")], ever)][0]?.histograms).toMatchObject([
      { schema: 1, count: 3, positive: { offset: 1, counts: [1, 2] } },
      { schema: 0, count: 6, positive: { offset: 1, counts: [6] } },
    ]);
  });
  test("of histograms whose buckets lie far apart, at a scale at which they are few", () => {
    open();
    const histogram = (time: number, offset: number): Metric => ({
      name: "h",
      exponentialHistogram: {
        aggregationTemporality: 1,
        dataPoints: [
          { timeUnixNano: nano(time), scale: 8, count: "1", sum: 1, positive: { offset, bucketCounts: ["1"] } },
        ],
      },
    });
    add(histogram(begin, 200_000));
    add(histogram(begin + second, -200_000));
    const last = [...store.select([named("h")], ever)][0]?.histograms?.[1];
    expect(last).toMatchObject({ schema: 0, count: 2 });
    expect(last?.positive.counts).toHaveLength(1564);
  });
  test("across a crash", async () => {
    open();
    add(deltas("d", point(begin, 100)));
    await simulated.advance(200);
    crash();
    add(deltas("d", point(begin + second, 5)));
    expect(valuesOf("d_total")).toEqual([[100, 105]]);
  });
});

describe("the start of counting", () => {
  const started = (time: number, start: number, value: number) =>
    counter("c", point(begin + time * second, value, {}, { startTimeUnixNano: nano(begin + start * second) }));
  test.each<[string, [number, number, number][], number[]]>([
    ["was at 0", [[10, 1, 7]], [0, 7]],
    [
      "is told once",
      [
        [10, 1, 7],
        [20, 1, 9],
      ],
      [0, 7, 9],
    ],
    [
      "anew, though no value fell",
      [
        [10, 1, 7],
        [20, 15, 9],
      ],
      [0, 7, 0, 9],
    ],
    [
      "anew, and the value shows it",
      [
        [10, 1, 7],
        [20, 15, 3],
      ],
      [0, 7, 3],
    ],
    [
      "in between what is there says nothing",
      [
        [10, 1, 7],
        [20, 5, 9],
      ],
      [0, 7, 9],
    ],
    ["long ago is not made up", [[10, -7200, 7]], [7]],
  ])("%s", (_, samples, expected) => {
    open();
    for (const sample of samples) add(started(...sample));
    expect(valuesOf("c_total")).toEqual([expected]);
  });
});

test("no recorded value ends a series, and it may begin again", () => {
  open();
  add(gauge("g", point(begin, 1)));
  add(gauge("g", point(begin + second, 0, {}, { flags: 1 })));
  add(gauge("g", point(begin + 2 * second, 2)));
  const [series] = store.select([named("g")], ever);
  expect(Array.from(series?.values ?? [])).toEqual([1, 2]);
  expect(series?.ends).toEqual([begin + second]);
});

describe("too many series", () => {
  const many = (name: string, count: number, from = 0) =>
    gauge(name, ...Array.from({ length: count }, (_, index) => point(now(), 1, { id: String(index + from) })));
  test("of one metric: others have their room", () => {
    open({ maxSeriesPerMetric: 10 });
    expect(add(many("bad", 25)).rejected).toBe(15);
    expect(add(many("good", 5)).rejected).toBe(0);
    expect(lost()).toEqual(["15 too many series"]);
  });
  test("those that are there go on", async () => {
    open({ maxSeriesPerMetric: 10 });
    add(many("bad", 25));
    await simulated.advance(second);
    expect(add(many("bad", 10)).rejected).toBe(0);
  });
  test("of one service", () => {
    open({ maxSeriesPerService: 10 });
    add(many("a", 6), many("b", 6));
    expect(store.stats().series).toBe(10);
    expect(store.add(encodeMetrics(metricsOf({ "service.name": "other" }, many("a", 6))))).toEqual({
      taken: 6,
      rejected: 0,
    });
  });
  test("in all; those that went silent make room", async () => {
    open({ maxSeries: 10 });
    expect(add(many("a", 12)).rejected).toBe(2);
    await simulated.advance(3 * hour);
    expect(add(many("a", 10, 100))).toEqual({ taken: 10, rejected: 0 });
    expect(valuesOf("a")).toHaveLength(20);
  });
  test("of characters in labels; those that went silent make room", async () => {
    open({ maxLabelCharacters: 5000 });
    const long = (from: number) =>
      gauge(
        "a",
        ...Array.from({ length: 12 }, (_, index) => point(now(), 1, { id: `${from + index}${"x".repeat(500)}` })),
      );
    expect(add(long(0)).rejected).toBe(2);
    expect(lost()).toEqual(["2 too many series"]);
    await simulated.advance(3 * hour);
    expect(add(long(100)).rejected).toBe(2);
  });
  test("of names and help texts, of which the first stay", () => {
    open({ maxMetadataCharacters: 100 });
    const described = (name: string, description: string) => add({ ...gauge(name, point(now(), 1)), description });
    described("a", "x".repeat(60));
    described("b", "x".repeat(60));
    described("a", "y".repeat(200));
    described("c", "z".repeat(10));
    expect([...store.metadata()].map(([name, { help }]) => `${name} ${help.length}`)).toEqual(["a 60", "c 10"]);
    expect(valuesOf("b")).toHaveLength(1);
  });
  test("also when nothing at all came since memory was written", async () => {
    open({ maxSeries: 10 });
    await simulated.advance(90 * minute);
    add(many("a", 10));
    await simulated.advance(2 * hour);
    expect(add(many("a", 10, 100))).toEqual({ taken: 10, rejected: 0 });
  });
  test("a histogram is taken whole or not at all", () => {
    open({ maxSeries: 3 });
    add({
      name: "h",
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          { timeUnixNano: nano(begin), count: "1", sum: 1, explicitBounds: [1, 2], bucketCounts: ["1", "0", "0"] },
        ],
      },
    });
    expect([...store.select([{ name: "__name__", op: "=~", value: "h.*" }], ever)]).toEqual([]);
    expect(lost()).toEqual(["1 too many series"]);
  });
  test.each<[string, Record<string, string>, string]>([
    ["labels", Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`l${index}`, "x"])), "1 too many labels"],
    ["characters of a label", { l: "x".repeat(5000) }, "1 label too long"],
  ])("too many %s", (_, labels, expected) => {
    open();
    add(gauge("g", point(begin, 1, labels)));
    expect(lost()).toEqual([expected]);
  });
});
