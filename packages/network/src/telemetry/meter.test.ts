// What the meter says, as a decoder of OTLP reads it.
import { expect, test } from "vitest";
import { textOf } from "../../../telemetry/src/attributes.ts";
import { decodeMetrics } from "../../../telemetry/src/otlp/codec.ts";
import type { Metric } from "../../../telemetry/src/otlp/types.ts";
import { Meter, mostSeries } from "./meter.ts";

const scope = { name: "test" };
const requests = { name: "requests", unit: "{request}", description: "Requests.", labels: ["service", "code"] };
const duration = { name: "duration", unit: "s", description: "Time.", labels: ["service"] };

class Bench {
  now = 10_000;
  readonly meter = new Meter(() => this.now);

  collect({ taken = true } = {}): Metric[] {
    const collected = this.meter.collect({ "service.name": "a" }, scope);
    if (taken) collected.taken();
    return decodeMetrics(collected.request).resourceMetrics?.[0]?.scopeMetrics?.[0]?.metrics ?? [];
  }

  /** Points as text: labels, time, value. */
  points(options = {}): string[] {
    return this.collect(options).flatMap(({ sum, gauge }) =>
      [...(sum?.dataPoints ?? []), ...(gauge?.dataPoints ?? [])].map(
        ({ attributes = [], timeUnixNano, asDouble }) =>
          `${attributes.map(({ value }) => textOf(value)).join(" ")} ${Number(timeUnixNano) / 1e6} ${asDouble}`,
      ),
    );
  }
}

test("a counter is a cumulative, monotonic sum, with its name, unit and description", () => {
  const bench = new Bench();
  bench.meter.counter(requests).add(["orders", "200"], 3);
  bench.now = 15_000;
  const [metric] = bench.collect();
  expect(metric).toMatchObject({ name: "requests", unit: "{request}", description: "Requests." });
  expect(metric?.sum).toMatchObject({ aggregationTemporality: 2, isMonotonic: true });
  expect(metric?.sum?.dataPoints?.at(-1)).toEqual({
    startTimeUnixNano: "9999000000",
    timeUnixNano: "15000000000",
    asDouble: 3,
    attributes: [
      { key: "service", value: { stringValue: "orders" } },
      { key: "code", value: { stringValue: "200" } },
    ],
  });
});

test("a series begins at 0, said until somebody has taken it", () => {
  const bench = new Bench();
  const counter = bench.meter.counter(requests);
  counter.add(["orders", "200"]);
  bench.now = 15_000;
  const both = ["orders 200 9999 0", "orders 200 15000 1"];
  expect(bench.points({ taken: false })).toEqual(both);
  expect(bench.points()).toEqual(both);
  counter.add(["orders", "500"]);
  bench.now = 20_000;
  expect(bench.points()).toEqual(["orders 500 14999 0", "orders 500 20000 1", "orders 200 20000 1"]);
});

test("a series of one moment has two times nevertheless", () => {
  const bench = new Bench();
  bench.meter.counter(requests).add(["orders", "200"]);
  expect(bench.points()).toEqual(["orders 200 9999 0", "orders 200 10000 1"]);
});

test("what begins to count while it is asked, a moment later, has two times as well", () => {
  const bench = new Bench();
  const counter = bench.meter.counter(requests);
  bench.meter.observe(duration, false, () => {
    bench.now++;
    counter.add(["orders", "200"]);
    return [];
  });
  expect(bench.points()).toEqual(["orders 200 10000 0", "orders 200 10001 1"]);
});

test("labels beyond the limit are summed up in one series", () => {
  const bench = new Bench();
  const counter = bench.meter.counter(requests);
  for (let i = 0; i < 100_000; i++) counter.add(["orders", String(i)]);
  const points = bench.points().filter((point) => !point.endsWith(" 0"));
  expect(points.length).toBe(mostSeries + 1);
  expect(points.filter((point) => point.startsWith("true "))).toEqual([`true 10000 ${100_000 - mostSeries}`]);
});

test("what has not changed for an hour is forgotten, and makes room", () => {
  const bench = new Bench();
  const counter = bench.meter.counter(requests);
  for (let i = 0; i < mostSeries; i++) counter.add(["old", String(i)]);
  bench.collect();
  for (let minute = 0; minute <= 61; minute++) {
    bench.now += 60_000;
    counter.add(["old", "7"]);
    bench.collect();
  }
  counter.add(["new", "1"]);
  expect(bench.points().map((point) => point.split(" ").slice(0, 2).join(" "))).toEqual(["new 1", "new 1", "old 7"]);
});

test("a histogram is said with its buckets, which hold what was recorded", () => {
  const bench = new Bench();
  const histograms = bench.meter.histograms(duration);
  for (const value of [0, 0.001, 0.002, 0.004, 3]) histograms.record(["orders"], value);
  bench.now = 15_000;
  const [metric] = bench.collect();
  const [first, last] = metric?.exponentialHistogram?.dataPoints ?? [];
  expect(metric?.exponentialHistogram?.aggregationTemporality).toBe(2);
  expect(first).toMatchObject({ timeUnixNano: "9999000000", sum: 0 });
  expect(Number(first?.count ?? 0)).toBe(0);
  expect(last).toMatchObject({ count: "5", sum: 3.007, min: 0, max: 3, zeroCount: "1", scale: 3 });
  const counts = last?.positive?.bucketCounts?.map(Number) ?? [];
  const base = 2 ** (2 ** -3);
  const edges = counts.flatMap((count, at) => (count ? [base ** ((last?.positive?.offset ?? 0) + at + 1)] : []));
  expect(edges.length).toBe(4);
  for (const [index, value] of [0.001, 0.002, 0.004, 3].entries()) {
    expect(edges[index]).toBeGreaterThanOrEqual(value);
    expect((edges[index] as number) / base).toBeLessThan(value);
  }
});

test("what is observed is asked at each collection; nothing observed is not said", () => {
  const bench = new Bench();
  let value = 3;
  bench.meter.observe({ ...requests, name: "active" }, false, () => [{ labels: ["orders", ""], value }]);
  bench.meter.observe({ ...requests, name: "total" }, true, () => [{ labels: ["orders", ""], value }]);
  bench.meter.observe({ ...requests, name: "none" }, false, () => []);
  bench.collect();
  value = 7;
  bench.now = 12_000;
  const [total, active, ...rest] = bench.collect();
  expect(rest).toEqual([]);
  expect(active?.gauge?.dataPoints).toMatchObject([{ asDouble: 7, timeUnixNano: "12000000000" }]);
  expect(active?.gauge?.dataPoints?.[0]?.startTimeUnixNano).toBeUndefined();
  expect(total?.sum?.dataPoints).toMatchObject([{ asDouble: 7, startTimeUnixNano: "10000000000" }]);
});

test("what is observed no more is said to have ended, until somebody has taken it", () => {
  const bench = new Bench();
  let services = ["orders", "web"];
  bench.meter.observe(requests, false, () => services.map((service) => ({ labels: [service, ""], value: 1 })));
  const points = (options = {}) =>
    bench
      .collect(options)[0]
      ?.gauge?.dataPoints?.map(
        ({ attributes, flags, asDouble }) => `${textOf(attributes?.[0]?.value)} ${flags ? "ended" : asDouble}`,
      );
  expect(points()).toEqual(["web 1", "orders 1"]);
  services = ["web"];
  expect(points({ taken: false })).toEqual(["orders ended", "web 1"]);
  expect(points()).toEqual(["orders ended", "web 1"]);
  expect(points()).toEqual(["web 1"]);
});

test("names that are not ASCII and long ones are whole", () => {
  const bench = new Bench();
  const names = ["größe", "x".repeat(300), "日本".repeat(40), ""];
  const counter = bench.meter.counter(requests);
  for (const name of names) counter.add([name, "1"]);
  const said = bench.collect()[0]?.sum?.dataPoints?.map(({ attributes }) => textOf(attributes?.[0]?.value));
  expect(new Set(said)).toEqual(new Set(names));
});
