import { expect, test } from "vitest";
import { knownFiles } from "../files.ts";
import { check, nameOf } from "./check.ts";
import { formatMistake } from "./mistake.ts";

const files = knownFiles({ "web/server.ts": "" });
const web = { source: "./web", port: 3000 };

const say = (app: Record<string, unknown>) => {
  const whole = { name: "shop", services: { web }, ...app };
  return check(whole, { files }).map((mistake) => formatMistake(nameOf(whole), mistake).replace("App shop: ", ""));
};
const promising = (objectives: unknown, service: Record<string, unknown> = web) =>
  say({ services: { web: { ...service, objectives } } }).map((text) => text.replace("services.web.objectives", "~"));
const telling = (telemetry: unknown, environment = "production") =>
  say({
    secrets: { hooks: { keys: ["slack"] } },
    environments: { [environment]: { telemetry } },
  }).map((text) => text.replace(`environments.${environment}.telemetry`, "~"));

const bad = "sum(rate(failed_total[$window]))";
const total = "sum(rate(done_total[$window]))";

test.each<[string, unknown, unknown[]]>([
  ["all of it", { availability: "99.9%", latency: { p95: "300ms", "p99.9": "2s" }, success: "95%", window: "7d" }, []],
  ["queries", { success: { target: "99%", bad, total } }, []],
  ["nothing", {}, ['~: promises nothing; state one, for example availability: "99.9%"']],
  ["all", { availability: "100%" }, [expect.stringMatching(/^~.availability: "100%" is not a share below 100%; /)]],
  ["nothing of all", { availability: "0%" }, ['~.availability: 0% promises nothing; write for example "99.9%"']],
  ["a number", { availability: 99.9 }, ['~.availability: 99.9 is not a share below 100%; write it in quotes: "99.9"']],
  [
    "no percentile",
    { latency: { fast: "1s" } },
    [expect.stringMatching(/^~.latency.fast: the name "fast" is not a percentile/)],
  ],
  ["no unit", { latency: { p95: "300" } }, [expect.stringMatching(/^~.latency.p95: "300" is not a duration/)]],
  [
    "a window too long",
    { availability: "99%", window: "100d" },
    ['~.window: 100d is not between 5 minutes and 90 days; write for example "30d"'],
  ],
  [
    "no window",
    { availability: "99%", window: "month" },
    [expect.stringMatching(/^~.window: "month" is not a period/)],
  ],
  [
    "queries without a range",
    { success: { target: "99%", bad: "sum(failed)", total } },
    [expect.stringMatching(/^~.success.bad: .*must hold \$window in place of its range/)],
  ],
  [
    "a query with a mistake",
    { success: { target: "99%", bad: "sum(rate(failed_total[$window])", total } },
    [expect.stringMatching(/^~.success.bad: 1:\d+: parse error: .*; correct the query/)],
  ],
  [
    "events without a range",
    { success: { target: "99%", bad, total, events: "sum(done_total)" } },
    [expect.stringMatching(/^~.success.events: .*must hold \$window in place of its range/)],
  ],
  [
    "half of a share",
    { success: { target: "99%", total } },
    [expect.stringMatching(/^~.success.good: specify one of `good` and `bad`/)],
  ],
  ["lag", { availability: "99%", lag: 10 }, ["~.lag: not built yet; leave it out"]],
])("objectives: %s", (_, objectives, expected) => expect(promising(objectives)).toEqual(expected));

test("a service without requests is judged by queries", () => {
  const worker = { source: "./web" };
  expect(promising({ availability: "99%" }, worker)).toEqual([
    "~.availability: it has no port for http or grpc, so there are no requests to judge it by; leave it out, or state success with queries: { target, bad, total }",
  ]);
  expect(promising({ success: { target: "99%", bad, total } }, worker)).toEqual([]);
});

test("a threshold beyond all buckets cannot be told", () => {
  const slow = { services: { web: { ...web, objectives: { latency: { p99: "30s" } } } } };
  const metrics = (stated: object) => ({ environments: { production: { telemetry: { metrics: stated } }, local: {} } });
  expect(say({ ...slow, ...metrics({}) })).toContainEqual(
    expect.stringMatching(
      /latency.p99: .*30s is above the last bucket of http_server_request_duration_seconds, 10s; state the buckets/,
    ),
  );
  const stated = check(
    { name: "shop", ...slow, ...metrics({ buckets: ["1s", "60s"] }) },
    { files, environment: "production" },
  );
  expect(stated).toEqual([]);
});

test.each<[string, string, unknown, unknown[]]>([
  [
    "otlp",
    "production",
    { otlp: { endpoint: "http://collector.observability:4318", headers: { secret: "hooks", key: "slack" } } },
    [],
  ],
  [
    "otlp without an address",
    "production",
    { otlp: {} },
    [expect.stringMatching(/~.otlp.endpoint: .*is missing; add it: its address/)],
  ],
  [
    "no URL",
    "production",
    { otlp: { endpoint: "collector:4318" } },
    [expect.stringMatching(/~.otlp.endpoint: "collector:4318" is not an http or https URL/)],
  ],
  [
    "a key that is not there",
    "production",
    { otlp: { endpoint: "http://a.b", headers: { secret: "hooks", key: "no" } } },
    [expect.stringMatching(/~.otlp.headers.key: .*secret "hooks" has no key "no"/)],
  ],
  ["rules", "production", { rules: "PrometheusRule", metrics: { of: "flotilla" } }, []],
  [
    "no kind of rules",
    "production",
    { rules: "File" },
    [expect.stringMatching(/~.rules: no "File" here; there are PrometheusRule, ConfigMap/)],
  ],
  [
    "retention elsewhere",
    "production",
    { retention: { logs: { age: "7d" } } },
    [expect.stringMatching(/~.retention: .*is for environments.local/)],
  ],
  [
    "alerts elsewhere",
    "production",
    { alerts: [] },
    [expect.stringMatching(/~.alerts: .*elsewhere Alertmanager tells of alerts/)],
  ],
  [
    "all of local",
    "local",
    {
      otlp: { endpoint: "http://127.0.0.1:4320" },
      retention: { traces: { age: "1d", size: "2Gi" } },
      alerts: [{ slack: { secret: "hooks", key: "slack" }, severities: ["page"] }],
    },
    [],
  ],
  [
    "rules of local",
    "local",
    { rules: "ConfigMap" },
    [expect.stringMatching(/~.rules: .*local judges objectives itself/)],
  ],
  [
    "grpc from local",
    "local",
    { otlp: { endpoint: "http://a.b", protocol: "grpc" } },
    [expect.stringMatching(/~.otlp.protocol: .*goes over HTTP/)],
  ],
  [
    "a receiver of nothing",
    "local",
    { alerts: [{}] },
    [expect.stringMatching(/~.alerts\[0\]: .*states nobody to tell; state exactly one/)],
  ],
  [
    "two of a name",
    "local",
    { alerts: [{ webhook: "http://a.b" }, { webhook: "http://a.c" }] },
    [expect.stringMatching(/~.alerts\[1\].name: .*there are two receivers "webhook"/)],
  ],
])("telemetry: %s", (_, environment, telemetry, expected) => expect(telling(telemetry, environment)).toEqual(expected));
