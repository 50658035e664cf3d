import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kindOf, objectiveMistakes, type ServiceLevelObjective, validateShape } from "@flotilla/objects";
import { afterAll, expect, test } from "vitest";
import { toAppObject } from "../app-object.ts";
import { check } from "../check/check.ts";
import { knownFiles } from "../files.ts";
import type { App, Names } from "../model/model.ts";
import type { EnvironmentTelemetry } from "../model/objectives.ts";
import { telemetrySettings } from "../telemetry-settings.ts";
import { yaml } from "../yaml.ts";
import { container, env, type Loose, names, objects, one } from "./expand.fixture.ts";

const objectives = { availability: "99.9%", latency: { p95: "300ms", "p99.9": "1s" }, success: "99%" } as const;
const shop = (telemetry?: EnvironmentTelemetry<Names>, environment = "production"): App => ({
  name: "shop",
  team: "web",
  services: { web: { source: "./web", port: 3000, objectives } },
  ...(telemetry && { environments: { [environment]: { namespace: "shop", telemetry } } }),
});
const local = (telemetry?: EnvironmentTelemetry<Names>) => objects(shop(telemetry, "local"), { target: "local" });
const cluster = (telemetry?: EnvironmentTelemetry<Names>) =>
  objects(shop(telemetry), telemetry ? { environment: "production" } : {});
const objective = (from: readonly Loose[], name: string) =>
  one(from, "ServiceLevelObjective", name) as unknown as ServiceLevelObjective;

test("on a laptop each promise is an object", () => {
  const made = local();
  expect(names(made, "ServiceLevelObjective")).toEqual([
    "web-availability",
    "web-latency-p95",
    "web-latency-p99-9",
    "web-success",
  ]);
  for (const object of made.filter(({ kind }) => kind === "ServiceLevelObjective")) {
    const resource = kindOf(object.apiVersion, object.kind);
    expect(resource && validateShape(resource, object)).toEqual({ unknown: [], wrongType: [] });
    expect(objectiveMistakes(object.spec as unknown as ServiceLevelObjective["spec"])).toEqual([]);
    expect(object.metadata.labels).toMatchObject({
      "app.kubernetes.io/name": "web",
      "app.kubernetes.io/part-of": "shop",
    });
  }
  expect(names(made, "ConfigMap")).not.toContain("shop-objectives");
});

test("availability is judged by codes, latency by the native histogram of what was answered", () => {
  expect(objective(local(), "web-availability").spec).toMatchObject({
    service: "web",
    target: "99.9%",
    window: "30d",
    indicator: {
      bad: 'sum(rate(flotilla_requests_total{service="web",namespace="shop",code=~"5..|"}[$window]))',
      total: 'sum(rate(flotilla_requests_total{service="web",namespace="shop"}[$window]))',
      events: 'sum(increase(flotilla_requests_total{service="web",namespace="shop"}[$window]))',
    },
    description: "99.9% of requests are answered, and not with 5xx.",
  });
  expect(objective(local(), "web-latency-p95").spec).toMatchObject({
    target: "95%",
    indicator: {
      errorRatio:
        '1 - histogram_fraction(0, 0.3, sum(rate(flotilla_request_duration_seconds{service="web",namespace="shop",error="false"}[$window])))',
      events:
        'histogram_count(sum(increase(flotilla_request_duration_seconds{service="web",namespace="shop",error="false"}[$window])))',
    },
    description: "95% of answers without error come within 300ms.",
  });
  expect(objective(local(), "web-latency-p99-9").spec.target).toBe("99.9%");
});

test("a few bad requests alert nobody on a laptop, where they can be counted", () => {
  expect(objective(local(), "web-latency-p95").spec.alerting).toEqual({ minimumBad: 10 });
  const queried = (events?: string): App => ({
    ...shop(),
    services: {
      web: {
        source: "./web",
        port: 3000,
        objectives: { success: { target: "99%", errorRatio: "rate(a[$window])", ...(events && { events }) } },
      },
    },
  });
  const alerting = (app: App) => objective(objects(app, { target: "local" }), "web-success").spec.alerting;
  expect(alerting(queried())).toBeUndefined();
  expect(alerting(queried("increase(b[$window])"))).toEqual({ minimumBad: 10 });
});

test("receivers of alerts are those of the environment", () => {
  const alerts = [{ slack: { secret: "hooks", key: "url" } }, { webhook: "https://hooks.example/a", name: "pager" }];
  expect(objective(local({ alerts }), "web-success").spec.alerting?.notify).toEqual([
    { slack: { secret: "hooks", key: "url" } },
    { name: "pager", webhook: { url: "https://hooks.example/a" } },
  ]);
});

const ruleFile = (from: readonly Loose[]) =>
  one(from, "ConfigMap", "shop-objectives").data["objectives.rules.yaml"] ?? "";

test("elsewhere they are rules in a ConfigMap, of what OpenTelemetry measures in the services", () => {
  const made = cluster();
  expect(names(made, "ServiceLevelObjective")).toEqual([]);
  const { groups } = yaml().parse(ruleFile(made));
  expect(groups.map(({ name }: { name: string }) => name)).toEqual(
    ["web-availability", "web-latency-p95", "web-latency-p99-9", "web-success"].flatMap((name) => [
      `objective-shop-${name}`,
      `objective-shop-${name}-budget`,
    ]),
  );
  expect(groups[0].rules[0]).toEqual({
    record: "slo:sli_error:ratio_rate5m",
    expr: '((sum(rate(http_server_request_duration_seconds_count{job="shop/web",http_response_status_code=~"5..|"}[5m]))) or 0 * (sum(rate(http_server_request_duration_seconds_count{job="shop/web"}[5m])))) / (sum(rate(http_server_request_duration_seconds_count{job="shop/web"}[5m])))',
    labels: { slo: "web-availability", service: "web", app: "shop", namespace: "shop" },
  });
});

test.each<[string, string, EnvironmentTelemetry<Names>["metrics"], string]>([
  ["a bound", "250ms", undefined, 'sum(rate(h_bucket{M,le="0.25"}[$window]))'],
  ["a whole bound", "1s", undefined, 'sum(rate(h_bucket{M,le=~"1(\\\\.0)?"}[$window]))'],
  [
    "between two",
    "300ms",
    undefined,
    '0.8 * sum(rate(h_bucket{M,le="0.25"}[$window])) + 0.2 * sum(rate(h_bucket{M,le="0.5"}[$window]))',
  ],
  ["below the first", "1ms", undefined, '0.2 * sum(rate(h_bucket{M,le="0.005"}[$window]))'],
  ["of stated buckets", "300ms", { buckets: ["1s", "300ms"] }, 'sum(rate(h_bucket{M,le="0.3"}[$window]))'],
])("a threshold of a classic histogram: %s", (_, threshold, metrics, expected) => {
  const app: App = {
    ...shop({ metrics: { of: "otel", histogram: "h", match: "M", status: "S", ...metrics } }, "local"),
    services: { web: { source: "./web", port: 3000, objectives: { latency: { p95: threshold } } } },
  };
  const made = objective(objects(app, { target: "local" }), "web-latency-p95");
  expect(made.spec.indicator).toEqual({
    errorRatio: `1 - (${expected.replaceAll("{M", '{M,S!~"5..|"')}) / sum(rate(h_count{M,S!~"5..|"}[$window]))`,
    events: 'sum(increase(h_count{M,S!~"5..|"}[$window]))',
  });
});

const openSlo = `
apiVersion: openslo/v1
kind: SLO
metadata: { name: checkout }
spec:
  service: web
  indicatorRef: paid
  timeWindow: [{ duration: 1w, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.99 }]
`;
const sli = `
apiVersion: openslo/v1
kind: SLI
metadata: { name: paid }
spec:
  ratioMetric:
    counter: true
    bad: { metricSource: { type: Prometheus, spec: { query: sum(unpaid_total) } } }
    total: { metricSource: { type: Prometheus, spec: { query: sum(checkouts_total) } } }
`;
const manifests = (texts: Record<string, string>) => ({
  app: { name: "shop", services: { web: { source: "./web", port: 3000 } }, objects: ["slo"] } as App,
  files: knownFiles({ "web/server.ts": "", ...texts }),
});

test("OpenSLO documents among the objects are objectives, too", () => {
  const { app, files } = manifests({ "slo/checkout.yaml": openSlo, "slo/indicators.yaml": sli });
  expect(check(app, { files })).toEqual([]);
  expect(objective(objects(app, { target: "local", files }), "checkout")).toMatchObject({
    metadata: { namespace: "shop", labels: { "app.kubernetes.io/part-of": "shop" } },
    spec: {
      service: "web",
      target: "99%",
      window: "7d",
      indicator: {
        bad: "sum(rate(unpaid_total[$window]))",
        total: "sum(rate(checkouts_total[$window]))",
        events: "sum(increase(checkouts_total[$window]))",
      },
      alerting: { minimumBad: 10 },
    },
  });
  expect(ruleFile(objects(app, { files }))).toContain("objective-shop-checkout");
  const alone = manifests({ "slo/checkout.yaml": openSlo });
  expect(
    check(alone.app, { files: alone.files }).map(({ path, message, remedy }) => `${path}: ${message}; ${remedy}`),
  ).toEqual([
    'objects (slo/checkout.yaml): SLO checkout: spec.indicatorRef: there is no SLI "paid"; add it to the documents, or state it here',
  ]);
});

test("objectives among the objects are checked before they become rules", () => {
  const own = (spec: string) => {
    const { app, files } = manifests({
      "slo/own.yaml": `apiVersion: flotilla.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: { name: own }\nspec: ${spec}\n`,
    });
    return check(app, { files }).map(({ message }) => message);
  };
  expect(own('{ service: web, target: "99%", indicator: { errorRatio: "a[$window]" } }')).toEqual([
    expect.stringMatching(/own: spec.indicator.errorRatio: gives a matrix, not a number/),
  ]);
  expect(own('{ service: web, target: "99%", indicator: { errorRatio: "rate(a[$window])" } }')).toEqual([]);
  expect(own('{ service: web, target: "100%", indicator: { errorRatio: "rate(a[$window])" } }')).toEqual([
    expect.stringMatching(/own: spec.target: Invalid value: "100%"/),
  ]);
  expect(own("{ service: web, aim: 1 }")).toContainEqual(expect.stringMatching(/own has no field spec.aim/));
});

test("a PrometheusRule where the environment says so", () => {
  const made = cluster({ rules: "PrometheusRule" });
  const rule = one(made, "PrometheusRule", "shop-objectives");
  expect(rule.apiVersion).toBe("monitoring.coreos.com/v1");
  expect((rule.spec as unknown as { groups: unknown[] }).groups).toHaveLength(8);
  expect(names(made, "ConfigMap")).toEqual([]);
});

const folder = mkdtempSync(join(tmpdir(), "flotilla-objectives-"));
afterAll(() => rmSync(folder, { recursive: true }));
const promtool = (...args: string[]) => spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
const installed = promtool("--version").status === 0;

test.skipIf(!installed).each<[string, EnvironmentTelemetry<Names>["metrics"]]>([
  ["otel", {}],
  ["otel, native", { native: true }],
  ["flotilla", { of: "flotilla" }],
])("promtool finds nothing wrong with the rules of %s (skipped without promtool)", (name, metrics) => {
  const file = `${name.replace(/\W/g, "")}.yaml`;
  writeFileSync(join(folder, file), ruleFile(cluster({ metrics })));
  const { status, stdout, stderr } = promtool("check", "rules", file);
  expect(status, stdout + stderr).toBe(0);
});

test("services are told where to send telemetry, and what they are", () => {
  const app: App = {
    ...shop({ otlp: { endpoint: "http://collector.observability:4318", headers: { secret: "otlp", key: "headers" } } }),
    services: { web: { source: "./web", port: 3000, env: { OTEL_SERVICE_NAME: "mine" } } },
  };
  const made = objects(app, { environment: "production" });
  expect(env(made)).toMatchObject({
    OTEL_SERVICE_NAME: "mine",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.observability:4318",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_HEADERS: { secretKeyRef: { name: "otlp", key: "headers" } },
    OTEL_RESOURCE_ATTRIBUTES: expect.stringContaining("service.namespace=shop,service.version=dev,"),
    OTEL_RESOURCE_ATTRIBUTES_POD_NAME: { fieldRef: { fieldPath: "metadata.name" } },
  });
  const order = ((container(made)?.env ?? []) as { name: string }[]).map(({ name }) => name);
  expect(order.indexOf("OTEL_RESOURCE_ATTRIBUTES")).toBeGreaterThan(
    order.indexOf("OTEL_RESOURCE_ATTRIBUTES_NODE_NAME"),
  );
  expect(Object.keys(env(objects(shop(), {}))).filter((name) => name.startsWith("OTEL"))).toEqual([]);
});

const egressTo = (endpoint: string) => {
  const policy = one(cluster({ otlp: { endpoint } }), "NetworkPolicy", "web");
  return JSON.stringify((policy.spec as unknown as { egress: unknown[] }).egress[1]);
};

test.each([
  ["http://collector:4318", /^\{"to":\[\{"podSelector":\{\}\}\]/],
  ["http://collector.observability:4318", /"kubernetes.io\/metadata.name":"observability"/],
  ["http://collector.observability.svc.cluster.local:4317", /"kubernetes.io\/metadata.name":"observability"/],
  ["http://10.1.2.3:4318", /"cidr":"10.1.2.3\/32"\}\}\],"ports":\[\{"protocol":"TCP","port":4318\}\]/],
  ["https://otlp.eu.vendor.example", /"cidr":"0.0.0.0\/0".*"port":443/],
])("its network policy lets it send to %s", (endpoint, expected) => expect(egressTo(endpoint)).toMatch(expected));

test("what the telemetry process needs to know is in numbers", () => {
  const telemetry: EnvironmentTelemetry<Names> = {
    otlp: { endpoint: "http://127.0.0.1:4320", headers: { secret: "otlp", key: "headers" } },
    retention: { traces: { age: "1d", size: "2Gi" }, logs: { age: "1w" } },
  };
  const object = toAppObject(shop(telemetry, "local"), { files: knownFiles({}) });
  expect(telemetrySettings(object)).toEqual({
    retention: { traces: { age: 86_400_000, size: 2 * 1024 ** 3 }, logs: { age: 7 * 86_400_000 }, metrics: {} },
    forward: {
      endpoint: "http://127.0.0.1:4320",
      headers: { namespace: "shop", secret: "otlp", key: "headers" },
    },
  });
  expect(telemetrySettings(toAppObject(shop(), { files: knownFiles({}) }))).toEqual({
    retention: { traces: {}, logs: {}, metrics: {} },
  });
});
