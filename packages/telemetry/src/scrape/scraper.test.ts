import { simulation } from "@flotilla/ambient";
import { afterEach, describe, expect, test } from "vitest";
import { type Point, translate } from "../metrics/translate.ts";
import { decodeMetrics } from "../otlp/codec.ts";
import { Losses, UnavailableError } from "../sink.ts";
import type { ScrapeRequest } from "./fetch.ts";
import { Scraper, type ScraperOptions } from "./scraper.ts";
import type { ScrapeTarget } from "./targets.ts";

const begin = 1_700_000_000_000;
let scraper: Scraper | undefined;

afterEach(() => scraper?.stop());

function setUp(options: Partial<ScraperOptions> = {}) {
  const simulated = simulation(1, begin);
  const losses = new Losses();
  let points: Point[] = [];
  const state = { text: "a 1\n" as string | Error, full: false, requests: [] as ScrapeRequest[] };
  scraper = new Scraper({
    clock: simulated.clock,
    losses,
    nodeName: "node",
    sink: {
      metrics(request) {
        if (state.full) throw new UnavailableError("full");
        translate(decodeMetrics(request), {
          point: (point) => points.push(point) > 0,
          refuse: (reason) => expect.fail(reason),
          metadata: () => {},
        });
        return { taken: 0, rejected: 0 };
      },
    },
    async fetch(request) {
      state.requests.push(request);
      if (state.text instanceof Error) throw state.text;
      return { text: state.text, contentType: "text/plain" };
    },
    ...options,
  });
  /** What came since, without what is said of the scrape itself. */
  const seen = (all = false) => {
    const lines = points.flatMap(({ parts, isEnd }) =>
      parts.map(({ labels, value }) => {
        const at = (name: string) => labels[labels.indexOf(name) + 1];
        return { name: at("__name__"), line: `${at("__name__")} ${isEnd ? "ends" : value}`, labels };
      }),
    );
    points = [];
    return lines.filter(({ name = "" }) => all || !/^(up|scrape_|target_info)/.test(name)).map(({ line }) => line);
  };
  return { ...simulated, state, losses, seen, perform: scraper.perform, scraper };
}

const target = (url = "http://pod/metrics", interval = 15_000): ScrapeTarget => ({
  key: "shop/orders-1/u1",
  url,
  interval,
  resource: { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] },
});

const known = { pod: "shop/orders-1", labels: { service: "orders" } };

describe("a target", () => {
  test("is scraped once in each interval", async () => {
    const { perform, advance, state, seen } = setUp();
    await perform({ ...known, target: target() });
    await advance(60_000);
    expect(state.requests).toHaveLength(4);
    expect(seen()).toEqual(["a 1", "a 1", "a 1", "a 1"]);
  });

  test("that stays the same is not begun anew; one that moves is", async () => {
    const { perform, advance, state } = setUp();
    await perform({ ...known, target: target() });
    await advance(15_000);
    await perform({ ...known, target: target() });
    await perform({ ...known, target: target("http://moved/metrics") });
    await advance(15_000);
    expect(state.requests.map(({ url }) => url)).toEqual(["http://pod/metrics", "http://moved/metrics"]);
  });

  test("is said to be up", async () => {
    const { perform, advance, seen } = setUp();
    await perform({ ...known, target: target() });
    await advance(15_000);
    expect(seen(true)).toEqual([
      "a 1",
      "up 1",
      "scrape_duration_seconds 0",
      "scrape_samples_scraped 1",
      "scrape_samples_post_metric_relabeling 1",
      "scrape_series_added 1",
    ]);
  });

  test("that does not answer is down, and its series end", async () => {
    const { perform, advance, state, seen, scraper } = setUp();
    await perform({ ...known, target: target() });
    await advance(15_000);
    seen();
    state.text = new Error("connect ECONNREFUSED");
    await advance(15_000);
    expect(seen(true)).toEqual([
      "up 0",
      "scrape_duration_seconds 0",
      "scrape_samples_scraped 0",
      "scrape_samples_post_metric_relabeling 0",
      "scrape_series_added 0",
      "a ends",
    ]);
    expect(scraper.targets()).toMatchObject([{ fault: "connect ECONNREFUSED" }]);
    await advance(15_000);
    expect(seen()).toEqual([]);
  });

  test("with a mistake in its text is down, with the place", async () => {
    const { perform, advance, state, scraper } = setUp();
    state.text = "a 1\nb\n";
    await perform({ ...known, target: target() });
    await advance(15_000);
    expect(scraper.targets()[0]?.fault).toContain("line 2");
  });

  test("that is gone ends, what was said of it as well", async () => {
    const { perform, advance, seen } = setUp();
    await perform({ ...known, target: target() });
    await advance(15_000);
    seen();
    await perform({ pod: known.pod });
    await advance(60_000);
    expect(seen(true)).toEqual([
      "a ends",
      "up ends",
      "scrape_duration_seconds ends",
      "scrape_samples_scraped ends",
      "scrape_samples_post_metric_relabeling ends",
      "scrape_series_added ends",
    ]);
  });
});

test("a series that is not said any more ends", async () => {
  const { perform, advance, state, seen } = setUp();
  state.text = 'a{b="1"} 1\na{b="2"} 1\n';
  await perform({ ...known, target: target() });
  await advance(15_000);
  seen();
  state.text = 'a{b="2"} 2\n';
  await advance(15_000);
  expect(seen()).toEqual(["a 2", "a ends"]);
});

test("fifty thousand samples with many labels are taken whole", async () => {
  const { perform, advance, state, seen } = setUp();
  const labels = Array.from({ length: 12 }, (_, i) => `label_${i}="a"`).join();
  state.text = Array.from({ length: 49_000 }, (_, i) => `a{i="${i}",${labels}} 1\n`).join("");
  await perform({ ...known, target: target() });
  await advance(15_000);
  expect(seen()).toHaveLength(49_000);
});

test("a sink that takes nothing is counted, and scraping goes on", async () => {
  const { perform, advance, state, seen, losses } = setUp();
  await perform({ ...known, target: target() });
  state.full = true;
  await advance(15_000);
  state.full = false;
  await advance(15_000);
  expect(seen()).toEqual(["a 1"]);
  expect(losses.list()).toEqual([{ signal: "metrics", reason: "scrape not kept", count: 6 }]);
});

describe("the node agent", () => {
  test("is asked with its token; its samples say whose they are", async () => {
    const found: string[] = [];
    const { perform, advance, state } = setUp({
      kubelet: { url: "http://agent:10250", token: "secret" },
      sink: {
        metrics(request) {
          for (const { scopeMetrics = [] } of decodeMetrics(request).resourceMetrics ?? [])
            for (const { metrics = [] } of scopeMetrics)
              for (const { name, sum } of metrics)
                for (const { attributes = [] } of sum?.dataPoints ?? [])
                  found.push(`${name} ${attributes.map(({ key, value }) => `${key}=${value?.stringValue}`).join(" ")}`);
          return { taken: 0, rejected: 0 };
        },
      },
    });
    await perform({ pod: "shop/orders-1", labels: { service: "orders", app: "shop", version: "v2" } });
    const type = "# TYPE container_cpu_usage_seconds_total counter\n";
    state.text = `${type}container_cpu_usage_seconds_total{container="web",namespace="shop",pod="orders-1"} 1 ${begin}\n`;
    await advance(10_000);
    expect(state.requests).toMatchObject([
      { url: "http://agent:10250/metrics/resource", token: "secret", timeout: 10_000 },
    ]);
    expect(found).toEqual([
      "container_cpu_usage_seconds_total container=web namespace=shop pod=orders-1 service=orders app=shop version=v2",
    ]);
  });
});

test("the process's own metrics", async () => {
  const { advance, seen } = setUp({ own: () => "own 1\n" });
  await advance(15_000);
  expect(seen()).toEqual(["own 1"]);
});
