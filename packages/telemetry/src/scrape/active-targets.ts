/** Targets as Prometheus' API shows them. */
import type { Target } from "../api/status.ts";
import { resourceLabels } from "../metrics/point-labels.ts";
import type { TargetState } from "./scrape-loop.ts";

/** Source: prometheus web/api/v1, TargetDiscovery; times that never were are Go's. */
export const activeTargets = (states: readonly TargetState[]): Target[] =>
  states.map(({ key, url, resource, interval, fault, at, duration }) => {
    const { promoted, identity } = resourceLabels(resource);
    const labels = Object.fromEntries([...promoted, ...identity]);
    return {
      discoveredLabels: {
        ...labels,
        __address__: URL.parse(url)?.host ?? "",
        __metrics_path__: URL.parse(url)?.pathname ?? "",
      },
      labels,
      scrapePool: key.split("/")[0] ?? "",
      scrapeUrl: url,
      globalUrl: url,
      lastError: fault ?? "",
      lastScrape: at === undefined ? "0001-01-01T00:00:00Z" : new Date(at).toISOString(),
      lastScrapeDuration: duration,
      health: at === undefined ? "unknown" : fault === undefined ? "up" : "down",
      scrapeInterval: `${interval / 1000}s`,
      scrapeTimeout: `${Math.min(interval, 10_000) / 1000}s`,
    };
  });
