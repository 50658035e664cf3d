import { newObject, Pods } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { idle, type LocalPod } from "./local-pod.ts";
import { machineUsage, type ResourceFacts, ResourceMetrics } from "./resource-metrics.ts";
import type { Usage } from "./usage.ts";

const at = 1_700_000_000_000;

const usage = (cpuSeconds: number, memoryBytes: number): Usage => ({
  cpuNanocores: 0,
  cpuNanosecondsTotal: cpuSeconds * 1e9,
  memoryBytes,
  at,
  windowMs: 10_000,
});

/** Containers by name, with their run's id. */
function pod(name: string, runs: Record<string, string>): LocalPod {
  const containers = Object.keys(runs).map((name) => ({
    name,
    image: "shop:1",
    resources: { limits: { memory: "1Ki" } },
  }));
  return {
    pod: newObject(Pods, { metadata: { name, namespace: "shop" }, spec: { containers } }),
    uid: name,
    podIP: "127.96.0.3",
    holdsAddress: true,
    startTime: "",
    containers: Object.fromEntries(
      Object.entries(runs).map(([name, id]) => [
        name,
        { ...idle, state: { is: "running" as const, id, startedAt: at - 5000 } },
      ]),
    ),
    volumes: { busy: false },
    shortcomings: [],
    notes: [],
  };
}

const facts = (pods: LocalPod[], used: Record<string, Usage>, more: Partial<ResourceFacts> = {}): ResourceFacts => ({
  nodeName: "local",
  pods,
  staticPods: [],
  usage: new Map(Object.entries(used)),
  now: at,
  machine: { cpuSeconds: 100.5, workingSetBytes: 4096 },
  ...more,
});

const samples = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
const value = (text: string, name: string) =>
  samples(text)
    .find((line) => line.startsWith(name))
    ?.match(/ ([\d.]+)/)?.[1];

describe("/metrics/resource", () => {
  test("what containers, pods and the node use", () => {
    const used = { r1: usage(1.5, 1000), r2: usage(2, 500) };
    expect(samples(new ResourceMetrics().resource(facts([pod("orders", { web: "r1", log: "r2" })], used)))).toEqual([
      `container_cpu_usage_seconds_total{container="web",namespace="shop",pod="orders"} 1.5 ${at}`,
      `container_cpu_usage_seconds_total{container="log",namespace="shop",pod="orders"} 2 ${at}`,
      `container_memory_working_set_bytes{container="web",namespace="shop",pod="orders"} 1000 ${at}`,
      `container_memory_working_set_bytes{container="log",namespace="shop",pod="orders"} 500 ${at}`,
      'container_start_time_seconds{container="web",namespace="shop",pod="orders"} 1699999995',
      'container_start_time_seconds{container="log",namespace="shop",pod="orders"} 1699999995',
      `node_cpu_usage_seconds_total 100.5 ${at}`,
      `node_memory_working_set_bytes 4096 ${at}`,
      `pod_cpu_usage_seconds_total{namespace="shop",pod="orders"} 3.5 ${at}`,
      `pod_memory_working_set_bytes{namespace="shop",pod="orders"} 1500 ${at}`,
      "resource_scrape_error 0",
      "scrape_error 0",
    ]);
  });

  test("each family says its type before its samples", () => {
    const text = new ResourceMetrics().resource(facts([], {}));
    expect(text).toContain(
      "# TYPE container_cpu_usage_seconds_total counter\n# HELP container_memory_working_set_bytes ",
    );
    expect(text.endsWith("\n")).toBe(true);
  });

  test("a container that is not measured yet has its start only", () =>
    expect(samples(new ResourceMetrics().resource(facts([pod("orders", { web: "r1" })], {})))[0]).toContain(
      "container_start_time_seconds",
    ));

  test("what the agent runs by itself is in kube-system, as the API shows it", () => {
    const staticPods = [{ name: "data-plane", command: [], restartCount: 0, run: { id: "s1", startedAt: at } }];
    expect(samples(new ResourceMetrics().resource(facts([], { s1: usage(1, 1) }, { staticPods })))[0]).toBe(
      `container_cpu_usage_seconds_total{container="data-plane",namespace="kube-system",pod="data-plane-local"} 1 ${at}`,
    );
  });
});

describe("counters", () => {
  const metrics = new ResourceMetrics();
  const text = (runs: Record<string, string>, used: Record<string, Usage>) =>
    metrics.resource(facts([pod("orders", runs)], used));
  const seen = (runs: Record<string, string>, used: Record<string, Usage>) => {
    const found = text(runs, used);
    return [
      value(found, 'container_cpu_usage_seconds_total{container="web"'),
      value(found, "pod_cpu_usage_seconds_total"),
    ];
  };
  test("never fall when a process takes its time with it, and a pod's not when a container starts again", () => {
    expect(seen({ web: "r1" }, { r1: usage(10, 1) })).toEqual(["10", "10"]);
    expect(seen({ web: "r1" }, { r1: usage(8, 1) })).toEqual(["10", "10"]);
    expect(seen({ web: "r1" }, { r1: usage(9, 1) })).toEqual(["11", "11"]);
    expect(seen({ web: "r2" }, { r2: usage(3, 1) })).toEqual(["3", "14"]);
  });
});

test("/metrics/cadvisor has what is known of processes", () =>
  expect(samples(new ResourceMetrics().cadvisor(facts([pod("orders", { web: "r1" })], { r1: usage(1, 10) })))).toEqual(
    [
      ["container_cpu_usage_seconds_total", ',cpu="total"', "1"],
      ["container_memory_rss", "", "10"],
      ["container_memory_working_set_bytes", "", "10"],
      ["container_spec_memory_limit_bytes", "", "1024"],
      ["container_start_time_seconds", "", "1699999995"],
    ].map(
      ([name, cpu, value]) =>
        `${name}{container="web",namespace="shop",pod="orders"${cpu},id="/r1",image="shop:1",name="r1"} ${value} ${at}`,
    ),
  ));

test("labels are escaped", () =>
  expect(new ResourceMetrics().resource(facts([pod('a"\\\nb', { web: "r1" })], {}))).toContain('pod="a\\"\\\\\\nb"'));

test("this machine uses something", () => {
  const { cpuSeconds, workingSetBytes } = machineUsage();
  expect(cpuSeconds).toBeGreaterThan(0);
  expect(workingSetBytes).toBeGreaterThan(1_000_000);
});
