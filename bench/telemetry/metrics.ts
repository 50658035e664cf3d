// How fast metrics are taken in (by CPU time), how much they take on disk and in memory, and how long questions over many days take.
//   node --expose-gc bench/telemetry/metrics.ts [series]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulation } from "@flotilla/ambient";
import { attributesOf, encodeMetrics, Losses, type Metric, MetricStore } from "@flotilla/telemetry";

const seriesCount = Number(process.argv[2] ?? 20_000);
const step = 15_000;
const begin = Date.parse("2026-01-05T00:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "bench-metrics-"));
const { clock, advance } = simulation(1, begin);
const losses = new Losses();
const store = MetricStore.open({ folder, clock, losses });
const rss = () => `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`;
/** Of the CPU, so that what else runs on the machine does not count. */
const seconds = async (run: () => unknown) => {
  const start = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};

/** One pod's scrape: counters, gauges and sums of 400 series. */
const perPod = 400;
function request(pod: number, round: number): Uint8Array {
  const time = `${clock.now()}000000`;
  const metrics: Metric[] = Array.from({ length: 20 }, (_, metric): Metric => {
    const dataPoints = Array.from({ length: perPod / 20 }, (_, route) => ({
      timeUnixNano: time,
      attributes: attributesOf({ "http.route": `/api/v1/things/${route}`, "http.method": "GET", code: "200" }),
      asDouble: sampleOf(metric, route + pod, round),
    }));
    return metric % 4 === 3
      ? { name: `bench.gauge.${metric}`, gauge: { dataPoints } }
      : { name: `bench.counter.${metric}`, sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } };
  });
  const resource = {
    attributes: attributesOf({
      "service.name": `service-${pod % 20}`,
      "service.namespace": "shop",
      "service.instance.id": `service-${pod % 20}-${pod}`,
      "k8s.pod.name": `service-${pod % 20}-${pod}`,
      "k8s.namespace.name": "default",
    }),
  };
  return encodeMetrics({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
}

function sampleOf(metric: number, salt: number, round: number): number {
  const noise = ((round * 2_654_435_761 + salt * 40_503) >>> 8) % 100;
  if (metric % 4 === 3) return 1e6 + noise * 4096;
  if (metric % 4 === 2) return round * 0.173 + noise / 1000;
  return metric % 4 === 1 ? Math.floor(round / 40) : round * 7 + (noise % 7);
}

const pods = Math.ceil(seriesCount / perPod);
let taken = 0;
let spent = 0;
async function rounds(count: number, first: number, every: number, of = pods) {
  for (let round = first; round < first + count; round++) {
    const requests = Array.from({ length: of }, (_, pod) => request(pod, round));
    spent += await seconds(() => {
      for (const each of requests) store.add(each);
    });
    taken += of * perPod;
    await advance(every);
  }
}

console.log(`start: ${rss()}`);
await rounds(20, 0, step);
console.log(`${store.stats().series} series: ${Math.round(taken / spent)} samples/s taken in; ${rss()}`);
await rounds(220, 20, step);
const { records: samples, bytesOnDisk } = store.stats();
console.log(
  `after an hour: ${samples} samples, ${(bytesOnDisk / samples).toFixed(2)} bytes each with the journal; ${rss()}`,
);
const period = { from: clock.now() - 3_600_000, to: clock.now() };
const name = [{ name: "__name__", op: "=" as const, value: "bench_counter_0_total" }];
let found = 0;
const first = await seconds(() => {
  found = [...store.select(name, period)].length;
});
console.log(`an hour of ${found} series: ${(first * 1000).toFixed(0)} ms`);

// A few series over 30 days.
for (let hour = 0; hour < 24 * 30; hour++) {
  await rounds(12, 240 + hour * 12, 300_000, 1);
}
console.log(`${(store.stats().bytesOnDisk / store.stats().records).toFixed(2)} bytes a sample after 30 days; ${rss()}`);
const days = { from: begin, to: clock.now() };
const one = [...name, { name: "pod", op: "=" as const, value: "service-0-0" }];
let read = 0;
const long = await seconds(() => {
  read = [...store.select(one, days)].reduce((sum, { times }) => sum + times.length, 0);
});
console.log(`30 days of ${perPod / 20} series, ${read} samples: ${(long * 1000).toFixed(0)} ms`);
console.log(`series refused: ${JSON.stringify(losses.list())}`);
store.close();
const again = await seconds(() => MetricStore.open({ folder, clock, losses }).close());
console.log(`opened again in ${(again * 1000).toFixed(0)} ms`);
rmSync(folder, { recursive: true });
