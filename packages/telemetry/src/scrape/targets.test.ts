import type { Pod } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { attribute } from "../attributes.ts";
import { type ScrapeEffect, scrapeController } from "./targets.ts";

type Ports = { name?: string; containerPort: number }[];

function pod(
  annotations: Record<string, string>,
  ports: Ports = [{ containerPort: 8080 }],
  more: Partial<Pod> = {},
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "orders-1",
      namespace: "shop",
      uid: "u1",
      annotations,
      labels: {
        "app.kubernetes.io/name": "orders",
        "app.kubernetes.io/part-of": "shop",
        "app.kubernetes.io/version": "v2",
      },
    },
    spec: { nodeName: "node", containers: [{ name: "web", ports }] },
    status: { phase: "Running", podIP: "127.96.0.3" },
    ...more,
  } as Pod;
}

const decide = (pod: Pod | undefined) => {
  const { effects = [], events = [] } = scrapeController.decide(
    { key: "shop/orders-1", pod },
    { now: new Date(0), failures: [] },
  );
  const effect = effects[0]?.do as ScrapeEffect;
  return { effect, target: effect.target, events: events.map(({ message }) => message) };
};

const asks = { "prometheus.io/scrape": "true" };
const url = (annotations: Record<string, string>, ports?: Ports) =>
  decide(pod({ ...asks, ...annotations }, ports)).target?.url;

describe("where", () => {
  test.each<[string, Record<string, string>, Ports | undefined, string]>([
    ["at the port that is declared", {}, undefined, "http://127.96.0.3:8080/metrics"],
    [
      "at the one that is named for it",
      {},
      [{ containerPort: 1 }, { name: "http-metrics", containerPort: 2 }],
      "http://127.96.0.3:2/metrics",
    ],
    ["at the port that is said", { "prometheus.io/port": "9100" }, [], "http://127.96.0.3:9100/metrics"],
    ["at the path that is said", { "prometheus.io/path": "stats?a=b" }, undefined, "http://127.96.0.3:8080/stats?a=b"],
    ["by TLS", { "prometheus.io/scheme": "https" }, undefined, "https://127.96.0.3:8080/metrics"],
  ])("%s", (_, annotations, ports, expected) => expect(url(annotations, ports)).toBe(expected));

  test("at an IPv6 address", () =>
    expect(decide(pod(asks, undefined, { status: { phase: "Running", podIP: "fd00::1" } })).target?.url).toBe(
      "http://[fd00::1]:8080/metrics",
    ));
});

describe("not at all", () => {
  test.each<[string, Pod]>([
    ["nobody asked", pod({})],
    ["asked not to", pod({ "prometheus.io/scrape": "false" })],
    ["not running yet", pod(asks, undefined, { status: { phase: "Pending", podIP: "127.96.0.3" } })],
    ["no address", pod(asks, undefined, { status: { phase: "Running" } })],
  ])("%s", (_, pod) => expect(decide(pod)).toMatchObject({ target: undefined, events: [] }));

  test("a pod that is gone is forgotten", () => expect(decide(undefined).effect).toEqual({ pod: "shop/orders-1" }));
});

describe("mistakes are said", () => {
  test.each<[Record<string, string>, Ports, string]>([
    [{}, [], "prometheus.io/port is needed: the pod's containers declare no port"],
    [{ "prometheus.io/port": "http" }, [], 'prometheus.io/port: "http" is no port from 1 to 65535'],
    [{ "prometheus.io/port": "70000" }, [], 'prometheus.io/port: "70000" is no port from 1 to 65535'],
    [
      { "prometheus.io/scheme": "ftp" },
      [{ containerPort: 1 }],
      'prometheus.io/scheme: "ftp" is neither http nor https',
    ],
    [{ "prometheus.io/interval": "5" }, [{ containerPort: 1 }], 'prometheus.io/interval: "5" is no time from 1s to 2m'],
    [
      { "prometheus.io/interval": "5m" },
      [{ containerPort: 1 }],
      'prometheus.io/interval: "5m" is no time from 1s to 2m',
    ],
  ])("%j", (annotations, ports, message) => {
    const { target, events } = decide(pod({ ...asks, ...annotations }, ports));
    expect(target).toBeUndefined();
    expect(events).toEqual([message]);
  });
});

test("whose it is", () => {
  const { target } = decide(pod({ ...asks, "prometheus.io/interval": "30s" }));
  const of = (key: string) => attribute(target?.resource.attributes, key);
  expect(target?.interval).toBe(30_000);
  expect(
    ["service.name", "service.namespace", "service.version", "service.instance.id", "k8s.container.name"].map(of),
  ).toEqual(["orders", "shop", "v2", "orders-1", "web"]);
});
