import { describe, expect, test } from "vitest";
import { attributesOf } from "../attributes.ts";
import type { Metric, MetricsData } from "../otlp/types.ts";
import { counter, gauge, metricsOf, nano, point, scraped } from "./metrics.fixture.ts";
import type { MetricMetadata } from "./series.ts";
import { type Point, translate } from "./translate.ts";

const shop = { "service.name": "orders", "service.namespace": "shop", "service.instance.id": "orders-1" };

function translated(data: MetricsData) {
  const points: Point[] = [];
  const refused: [string, number][] = [];
  const metadata = new Map<string, MetricMetadata>();
  translate(data, {
    point: (point) => points.push(point) > 0,
    refuse: (reason, _, count) => refused.push([reason, count]),
    metadata: (name, value) => metadata.set(name, value),
  });
  return { points, refused, metadata };
}

const text = (labels: readonly string[]): string => {
  const pairs: string[] = [];
  for (let i = 2; i < labels.length; i += 2) pairs.push(`${labels[i]}=${labels[i + 1]}`);
  return `${labels[1]}{${pairs.join(",")}}`;
};

/** Series and values, without labels of the resource. */
const seriesOf = (...metrics: Metric[]): string[] =>
  translated(metricsOf({}, ...metrics)).points.flatMap(({ parts }) =>
    parts.map(({ labels, value }) => `${text(labels)} ${value}`),
  );

describe("labels", () => {
  const labelsOf = (resource: Record<string, string>, labels: Record<string, string>, isScraped = false) => {
    const metric = gauge("up", point(1000, 1, labels));
    return text(
      translated(metricsOf(resource, isScraped ? scraped(metric, "gauge") : metric)).points[0]?.parts[0]?.labels ?? [],
    );
  };
  test.each<[string, Record<string, string>, Record<string, string>, string]>([
    ["those of the service", shop, {}, "up{app=shop,instance=orders-1,job=shop/orders,service=orders}"],
    ["a service without a namespace", { "service.name": "orders" }, {}, "up{job=orders,service=orders}"],
    ["its own win", { "service.name": "orders" }, { service: "mine" }, "up{job=orders,service=mine}"],
    ["but not job", { "service.name": "orders" }, { job: "mine" }, "up{job=orders,service=orders}"],
    [
      "of the pod",
      { "k8s.pod.name": "p", "k8s.node.name": "n", "service.version": "2" },
      {},
      "up{node=n,pod=p,version=2}",
    ],
    ["empty ones are none", {}, { a: "", b: "1" }, "up{b=1}"],
    ["the same name twice", {}, { "a.b": "2", "a/b": "3", a_b: "1" }, "up{a_b=2;3;1}"],
    ["a name of its own is no label", {}, { __name__: "x" }, "up{}"],
  ])("%s", (_, resource, labels, expected) => expect(labelsOf(resource, labels)).toBe(expected));

  test("what was scraped keeps its own job under another name", () =>
    expect(labelsOf({ "service.name": "orders" }, { job: "mine", _x: "1" }, true)).toBe(
      "up{_x=1,exported_job=mine,job=orders,service=orders}",
    ));
});

describe("kinds", () => {
  const histogram: Metric = {
    name: "latency",
    unit: "s",
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        { timeUnixNano: nano(1000), count: "6", sum: 2.5, explicitBounds: [0.1, 1], bucketCounts: ["1", "2", "3"] },
      ],
    },
  };
  test("a counter", () => expect(seriesOf(counter("orders", point(1000, 5)))).toEqual(["orders_total{} 5"]));
  test("a sum that may fall", () =>
    expect(
      seriesOf({ name: "queue", unit: "1", sum: { aggregationTemporality: 2, dataPoints: [point(1000, 5)] } }),
    ).toEqual(["queue{} 5"]));
  test("whole numbers", () =>
    expect(seriesOf(gauge("g", { timeUnixNano: nano(1000), asInt: "-42" }))).toEqual(["g{} -42"]));
  test("a histogram with bounds", () =>
    expect(seriesOf(histogram)).toEqual([
      "latency_seconds_sum{} 2.5",
      "latency_seconds_count{} 6",
      "latency_seconds_bucket{le=0.1} 1",
      "latency_seconds_bucket{le=1} 3",
      "latency_seconds_bucket{le=+Inf} 6",
    ]));
  test("what was scraped has le as Prometheus has it", () =>
    expect(seriesOf(scraped(histogram, "histogram"))).toContain("latency_bucket{le=1.0} 3"));
  test("a summary", () =>
    expect(
      seriesOf({
        name: "rpc",
        summary: {
          dataPoints: [{ timeUnixNano: nano(1000), count: "3", sum: 6, quantileValues: [{ quantile: 0.5, value: 2 }] }],
        },
      }),
    ).toEqual(["rpc_sum{} 6", "rpc_count{} 3", "rpc{quantile=0.5} 2"]));
  test("names that were scraped stay", () =>
    expect(seriesOf(scraped(counter("node__vmstat_pgfault", point(1000, 5)), "counter"))).toEqual([
      "node__vmstat_pgfault{} 5",
    ]));
});

describe("exponential histograms", () => {
  const native = (scale: number, offset: number, bucketCounts: string[]) => {
    const { points, refused } = translated(
      metricsOf(
        {},
        {
          name: "h",
          exponentialHistogram: {
            aggregationTemporality: 2,
            dataPoints: [
              {
                timeUnixNano: nano(1000),
                count: "9",
                sum: 5,
                scale,
                zeroCount: "1",
                positive: { offset, bucketCounts },
              },
            ],
          },
        },
      ),
    );
    const histogram = points[0]?.parts[0]?.histogram;
    if (!histogram) return refused;
    const { positive } = histogram;
    return { ...histogram, positive: { offset: positive.offset, counts: Array.from(positive.counts) } };
  };
  test("its index is one higher; empty buckets at the ends go", () =>
    expect(native(3, -2, ["0", "5", "0", "3", "0"])).toMatchObject({
      schema: 3,
      zeroThreshold: 1e-128,
      zeroCount: 1,
      count: 9,
      sum: 5,
      positive: { offset: 0, counts: [5, 0, 3] },
      negative: { offset: 0, counts: [] },
    }));
  test("a scale above 8 becomes 8: (1, b], (b, b²] become one", () =>
    expect(native(9, -1, ["1", "2", "4", "8"])).toMatchObject({
      schema: 8,
      positive: { offset: 0, counts: [1, 6, 8] },
    }));
  test("a scale far above", () =>
    expect(native(20, 4096, ["1", "2"])).toMatchObject({ schema: 8, positive: { offset: 2, counts: [3] } }));
  test("a scale beyond what shifts can do", () =>
    expect(native(100, -1, ["1", "2", "4"])).toMatchObject({ schema: 8, positive: { offset: 0, counts: [1, 6] } }));
  test("the largest and the smallest numbers", () => {
    expect(native(0, 1023, ["1"])).toMatchObject({ positive: { offset: 1024, counts: [1] } });
    expect(native(0, -1075, ["1"])).toMatchObject({ positive: { offset: -1074, counts: [1] } });
  });
  test.each([
    ["a scale below -4", -5, 0],
    ["a bucket above all numbers", 0, 1025],
    ["a bucket below all numbers", 0, -1076],
    ["a bucket at the end of 32 bits", 8, 2 ** 31 - 1],
    ["the same, at a scale that is reduced", 20, 2 ** 31 - 1],
  ])("%s is refused", (_, scale, offset) => expect(native(scale, offset, ["1"])).toEqual([["bad buckets", 1]]));
});

describe("target_info", () => {
  const infos = (resource: Record<string, string>, ...times: number[]) =>
    translated(metricsOf(resource, gauge("g", ...times.map((time) => point(time, 1)))))
      .points.filter(({ parts }) => parts[0]?.labels[1] === "target_info")
      .map(({ time, parts }) => `${time} ${text(parts[0]?.labels ?? [])}`);
  test("what the resource says beside its identity", () =>
    expect(infos({ ...shop, "process.pid": "7" }, 1000)).toEqual([
      "1000 target_info{instance=orders-1,job=shop/orders,process_pid=7}",
    ]));
  test("nothing beside its identity", () => expect(infos(shop, 1000)).toEqual([]));
  test("nothing that says whose it is", () => expect(infos({ "process.pid": "7" }, 1000)).toEqual([]));
  test("over a longer time, often enough to be found", () =>
    expect(infos({ ...shop, a: "b" }, 1000, 301_000).map((line) => line.split(" ")[0])).toEqual([
      "1000",
      "151000",
      "301000",
    ]));
});

describe("what is refused", () => {
  test.each<[string, Metric, string]>([
    ["a name of nothing", gauge("字符", point(1000, 1)), "bad name"],
    ["no temporality", { name: "x", sum: { dataPoints: [point(1000, 1)], isMonotonic: true } }, "bad temporality"],
  ])("%s", (_, metric, reason) => expect(translated(metricsOf({}, metric)).refused).toEqual([[reason, 1]]));
});

test("metadata by the name that is asked", () =>
  expect([
    ...translated(metricsOf({}, { ...counter("io", point(1000, 1)), unit: "By", description: "Bytes moved." }))
      .metadata,
  ]).toEqual([["io_bytes_total", { type: "counter", help: "Bytes moved.", unit: "bytes" }]]));

test("no value says the end; the start is told", () => {
  const [first] = translated(
    metricsOf({}, gauge("g", point(2000, 0, {}, { flags: 1, startTimeUnixNano: nano(1000) }))),
  ).points;
  expect(first).toMatchObject({ time: 2000, start: 1000, isEnd: true, isDelta: false });
});

test("attributes that are lists are JSON", () =>
  expect(
    seriesOf(
      gauge("g", {
        timeUnixNano: nano(1),
        asDouble: 1,
        attributes: [
          ...attributesOf({ n: 5, b: true }),
          { key: "l", value: { arrayValue: { values: [{ intValue: "1" }] } } },
        ],
      }),
    ),
  ).toEqual(["g{b=true,l=[1],n=5} 1"]));
