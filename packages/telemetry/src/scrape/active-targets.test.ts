import { expect, test } from "vitest";
import { attributesOf } from "../attributes.ts";
import { activeTargets } from "./active-targets.ts";

const state = {
  key: "shop/orders-1/u1",
  url: "http://127.96.0.3:8080/metrics",
  resource: { attributes: attributesOf({ "service.name": "orders", "service.instance.id": "orders-1" }) },
  interval: 15_000,
  duration: 0.25,
};

test.each([
  ["not scraped yet", undefined, undefined, "unknown", "0001-01-01T00:00:00Z"],
  ["up", undefined, 0, "up", "1970-01-01T00:00:00.000Z"],
  ["down", "no answer", 0, "down", "1970-01-01T00:00:00.000Z"],
])("%s", (_, fault, at, health, lastScrape) =>
  expect(activeTargets([{ ...state, fault, at }])).toEqual([
    {
      discoveredLabels: {
        service: "orders",
        job: "orders",
        instance: "orders-1",
        __address__: "127.96.0.3:8080",
        __metrics_path__: "/metrics",
      },
      labels: { service: "orders", job: "orders", instance: "orders-1" },
      scrapePool: "shop",
      scrapeUrl: state.url,
      globalUrl: state.url,
      lastError: fault ?? "",
      lastScrape,
      lastScrapeDuration: 0.25,
      health,
      scrapeInterval: "15s",
      scrapeTimeout: "10s",
    },
  ]),
);
