import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Simulation, simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeMetrics } from "../otlp/codec.ts";
import type { Metric } from "../otlp/types.ts";
import { Losses } from "../sink.ts";
import type { MetricLimits } from "./limits.ts";
import { MetricStore } from "./metric-store.ts";
import { counter, deltas, gauge, metricsOf, nano, point } from "./metrics.fixture.ts";
import type { Matcher } from "./series.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const begin = Date.parse("2026-03-01T00:00:00Z");
const ever = { from: 0, to: Number.MAX_SAFE_INTEGER };
const service = { "service.name": "orders" };

let folder: string;
let simulated: Simulation;
let losses: Losses;
let store: MetricStore;
const opened: MetricStore[] = [];

function open(limits: Partial<MetricLimits> = {}): MetricStore {
  store = MetricStore.open({ folder, clock: simulated.clock, losses, limits: { reserve: 0, ...limits } });
  opened.push(store);
  return store;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "metrics-"));
  simulated = simulation(1, begin);
  losses = new Losses();
});

afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  rmSync(folder, { recursive: true });
});

const now = () => simulated.clock.now();
const add = (...metrics: Metric[]) => store.add(encodeMetrics(metricsOf(service, ...metrics)));
const named = (value: string): Matcher => ({ name: "__name__", op: "=", value });
const valuesOf = (name: string, period = ever) =>
  store.select([named(name)], period).map(({ values }) => Array.from(values));
const lost = () => losses.list().map(({ reason, count }) => `${count} ${reason}`);
const files = (part: string) => readdirSync(folder).filter((name) => name.includes(part));

/** One sample every `step` over `span`; the clock goes along. */
async function run(span: number, step: number, value: (count: number) => Metric) {
  for (let count = 0; count * step < span; count++) {
    add(value(count));
    await simulated.advance(step);
  }
}

describe("what is taken is found", () => {
  test("at once", () => {
    open();
    expect(add(counter("orders", point(begin, 5, { code: "200" })))).toEqual({ rejected: 0 });
    expect(store.select([named("orders_total")], ever)).toEqual([
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
    expect(store.select([matcher, named("r_total")], ever).map(({ labels }) => labels.code)).toEqual(expected);
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

  test("the sender is told what was refused and why", () => {
    open();
    expect(add(gauge("g", point(begin - day, 1), point(begin, 1)))).toEqual({ rejected: 1, message: "g: 86400 s old" });
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
    expect(store.select([named("h")], ever)[0]?.histograms).toMatchObject([
      { schema: 1, count: 3, positive: { offset: 1, counts: [1, 2] } },
      { schema: 0, count: 6, positive: { offset: 1, counts: [6] } },
    ]);
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
    expect(store.add(encodeMetrics(metricsOf({ "service.name": "other" }, many("a", 6))))).toEqual({ rejected: 0 });
  });
  test("in all; those that went silent make room", async () => {
    open({ maxSeries: 10 });
    expect(add(many("a", 12)).rejected).toBe(2);
    await simulated.advance(3 * hour);
    expect(add(many("a", 10, 100))).toEqual({ rejected: 0 });
    expect(valuesOf("a")).toHaveLength(20);
  });
  test("also when nothing at all came since memory was written", async () => {
    open({ maxSeries: 10 });
    await simulated.advance(90 * minute);
    add(many("a", 10));
    await simulated.advance(2 * hour);
    expect(add(many("a", 10, 100))).toEqual({ rejected: 0 });
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
    expect(store.select([{ name: "__name__", op: "=~", value: "h.*" }], ever)).toEqual([]);
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

/** As SIGKILL: nothing is closed, no timer of the process runs any more, and the next one reads what the system has. */
function crash(limits: Partial<MetricLimits> = {}): void {
  simulated = simulation(1, now());
  open(limits);
}

describe("after a crash", () => {
  test("everything is there that came in 200 ms before", async () => {
    open();
    add({ ...counter("c", point(begin, 5)), description: "Counted." });
    await simulated.advance(200);
    crash();
    expect(valuesOf("c_total")).toEqual([[5]]);
    expect(store.metadata().get("c_total")?.help).toBe("Counted.");
    expect(store.stats().recovered).toEqual({ samples: 1, isClean: false, tornBytes: 0, damaged: [] });
  });

  test("a torn end is cut off and said", async () => {
    open();
    add(gauge("g", point(begin, 1)));
    await simulated.advance(200);
    appendFileSync(join(folder, files("journal")[0] as string), Buffer.from([9, 0, 0, 0, 1, 2, 3]));
    crash();
    expect(valuesOf("g")).toEqual([[1]]);
    expect(store.stats().recovered).toMatchObject({ tornBytes: 7, isClean: false });
  });

  test("again and again", async () => {
    open();
    for (let round = 0; round < 4; round++) {
      add(gauge("g", point(now(), round)));
      await simulated.advance(second);
      crash();
    }
    expect(valuesOf("g")).toEqual([[0, 1, 2, 3]]);
  });

  test("while a block was being written", async () => {
    open();
    await run(2 * hour - minute, minute, (count) => gauge("g", point(now(), count)));
    await simulated.advance(minute);
    writeFileSync(join(folder, "block-00000009.metrics.tmp"), "half");
    crash();
    expect(valuesOf("g")[0]).toHaveLength(119);
    expect(files(".tmp")).toEqual([]);
  });

  test("a stop in order is told apart", () => {
    open();
    add(gauge("g", point(begin, 1)));
    store.close();
    open();
    expect(store.stats().recovered).toMatchObject({ isClean: true, samples: 1 });
  });
});

describe("with time", () => {
  test("memory becomes blocks, whose journals go", async () => {
    open();
    await run(5 * hour, minute, (count) => counter("c", point(now(), count)));
    expect(files(".metrics")).toHaveLength(2);
    expect(files("journal")).toHaveLength(1);
    expect(valuesOf("c_total")).toEqual([Array.from({ length: 300 }, (_, index) => index)]);
  });

  test("older samples are fewer; counters still say the same increase", async () => {
    open();
    await run(20 * day, 10 * minute, (count) => counter("c", point(now(), count % 1000)));
    const stats = store.stats();
    const [values = []] = valuesOf("c_total");
    let increase = 0;
    for (let i = 1; i < values.length; i++) {
      const [before, after] = [values[i - 1] as number, values[i] as number];
      increase += after < before ? after : after - before;
    }
    expect(increase).toBe(2 * 999 + (2880 % 1000) - 1);
    expect(stats.oldest).toBe(begin);
    expect(files(".metrics").length).toBeLessThan(40);
  });

  test("old blocks go by age", async () => {
    open({ maxAge: 2 * day });
    await run(5 * day, 10 * minute, () => gauge("g", point(now(), 1)));
    expect(store.stats().oldest).toBeGreaterThanOrEqual(begin + 2 * day);
    expect(valuesOf("g", { from: begin, to: begin + day })).toEqual([]);
  });

  test("old blocks go by size", async () => {
    open({ maxBytes: 4000 });
    await run(2 * day, 10 * minute, (count) => gauge("g", point(now(), Math.sin(count))));
    expect(store.stats().bytesOnDisk).toBeLessThan(8000);
    expect(valuesOf("g")[0]?.length).toBeGreaterThan(10);
  });

  test("what memory may hold is written earlier when it is much", async () => {
    open({ headBytes: 1024 * 1024 });
    for (let round = 0; round < 12; round++) {
      add(gauge("g", ...Array.from({ length: 10_000 }, (_, index) => point(now(), round, { id: String(index) }))));
      await simulated.advance(15 * second);
    }
    expect(files(".metrics").length).toBeGreaterThan(1);
    expect(valuesOf("g")).toHaveLength(10_000);
    expect(valuesOf("g").every((values) => values.length === 12)).toBe(true);
  });
});

describe("histograms", () => {
  const native = (time: number, ...bucketCounts: number[]): Metric => ({
    name: "h",
    exponentialHistogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          timeUnixNano: nano(time),
          scale: 2,
          count: String(bucketCounts.reduce((sum, count) => sum + count, 0)),
          sum: 1.5,
          positive: { offset: -1, bucketCounts: bucketCounts.map(String) },
        },
      ],
    },
  });
  const counts = () =>
    store.select([named("h")], ever)[0]?.histograms?.map((each) => Array.from(each?.positive.counts ?? []));

  test("are the same from memory, journal and block", async () => {
    open();
    const rounds = 125;
    await run(rounds * minute, minute, (count) => native(now(), 1 + count, 2, 3 * count));
    const expected = Array.from({ length: rounds }, (_, count) => (count === 0 ? [1, 2] : [1 + count, 2, 3 * count]));
    expect(files(".metrics")).toHaveLength(1);
    expect(counts()).toEqual(expected);
    crash();
    expect(counts()).toEqual(expected);
  });

  test("the same again is nothing, another at the same time is refused", () => {
    open();
    add(native(begin, 1, 2));
    add(native(begin, 1, 2));
    add(native(begin, 1, 3));
    expect(counts()).toEqual([[1, 2]]);
    expect(lost()).toEqual(["1 duplicate"]);
  });
});

test("a question amid writing a block sees everything once", async () => {
  open();
  for (let id = 0; id < 500; id++) add(gauge("g", point(begin, id, { id: String(id) })));
  const seen: number[] = [];
  let turns = 0;
  const look = () => {
    seen.push(valuesOf("g").length, valuesOf("g").flat().length);
    if (++turns < 20) simulated.clock.soon(look);
  };
  await simulated.advance(2 * hour - 10 * second);
  // The store looks after itself every 30 s: at the whole two hours it begins to write, a piece in each turn.
  simulated.clock.after(10 * second, look);
  await simulated.advance(minute);
  expect(files(".metrics")).toHaveLength(1);
  expect(seen).toHaveLength(40);
  expect(new Set(seen)).toEqual(new Set([500]));
});

test("a question for too much is refused with what to do", () => {
  open({ maxSelected: 3 });
  add(gauge("g", ...[1, 2, 3, 4].map((value) => point(begin + value, value))));
  expect(() => valuesOf("g")).toThrow("more than 3 samples; ask for fewer series or a shorter time");
});

test("what comes late goes to its place also when earlier samples are in a block", async () => {
  open();
  await run(2 * hour, minute, (count) => gauge("g", point(now(), count)));
  await simulated.advance(minute);
  expect(files(".metrics")).toHaveLength(1);
  add(gauge("g", point(begin + 115.5 * minute, 1000)));
  expect(valuesOf("g")[0]?.slice(-6)).toEqual([115, 1000, 116, 117, 118, 119]);
  expect(lost()).toEqual([]);
});

describe("what is damaged", () => {
  async function withBlocks() {
    open();
    await run(5 * hour, minute, (count) => counter("c", point(now(), count)));
    store.close();
    return files(".metrics").map((name) => join(folder, name));
  }
  test("a block without an end is put aside; the rest is read", async () => {
    const [first = ""] = await withBlocks();
    truncateSync(first, 100);
    open();
    expect(valuesOf("c_total")[0]).toHaveLength(180);
    expect(store.stats().recovered.damaged).toHaveLength(1);
    expect(files(".damaged")).toHaveLength(1);
  });
  test("a page that changed does not keep others from being merged", async () => {
    const [first = ""] = await withBlocks();
    open();
    flip(first, 40);
    await simulated.advance(2 * day);
    expect(store.stats().recovered.damaged).toHaveLength(1);
    expect(files(".metrics").filter((name) => !name.endsWith(".damaged"))).toHaveLength(1);
    expect(store.stats().fault).toBeUndefined();
  });
  test("a journal that is none is put aside", () => {
    const record = Buffer.from([0, 2, 4, 9]);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(record.length, 0);
    head.writeUInt32LE(crc32(record), 4);
    writeFileSync(join(folder, "journal-00000001"), Buffer.concat([head, record]));
    open();
    expect(store.stats().recovered.damaged[0]).toContain("journal-00000001");
    expect(add(gauge("g", point(begin, 1)))).toEqual({ rejected: 0 });
  });
  test("a page that changed is noticed when it is read", async () => {
    const [first = ""] = await withBlocks();
    open();
    flip(first, 40);
    expect(valuesOf("c_total")[0]).toHaveLength(180);
    expect(store.stats().recovered.damaged[0]).toContain("damaged");
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 0xff;
  writeFileSync(path, bytes);
}
