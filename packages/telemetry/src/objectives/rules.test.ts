/** The rendered rules, and what Prometheus itself makes of them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceLevelObjectiveSpec } from "@flotilla/objects";
import { afterAll, expect, test } from "vitest";
import { incidentCases } from "./incidents.cases.ts";
import { objectiveFor } from "./incidents.fixture.ts";
import { prometheusRules } from "./rules.ts";

const requests: ServiceLevelObjectiveSpec["indicator"] = {
  bad: 'sum(rate(requests_total{code=~"5.."}[$window]))',
  total: "sum(rate(requests_total[$window]))",
  events: "sum(increase(requests_total[$window]))",
};
const rulesOf = (spec: Partial<ServiceLevelObjectiveSpec> = {}) =>
  prometheusRules([objectiveFor({ indicator: requests, ...spec })]).groups;

test("ratios are recorded for every window, and the budget apart", () => {
  const [burning, left] = rulesOf();
  expect(burning?.rules.flatMap((rule) => ("record" in rule ? [rule.record] : []))).toEqual(
    ["5m", "30m", "1h", "2h", "6h", "1d", "3d"].map((window) => `slo:sli_error:ratio_rate${window}`),
  );
  expect(left?.rules.map((rule) => ("record" in rule ? rule.record : ""))).toEqual([
    "slo:objective:ratio",
    "slo:error_budget:ratio",
    "slo:sli_error:ratio_rate30d",
    "slo:period_error_budget_remaining:ratio",
  ]);
});

test("one alert for each severity, with both windows of each policy", () => {
  const alerts = rulesOf()[0]?.rules.flatMap((rule) => ("alert" in rule ? [rule] : [])) ?? [];
  expect(alerts.map(({ alert, labels }) => `${alert} ${labels.severity}`)).toEqual([
    "ErrorBudgetBurn page",
    "ErrorBudgetBurn ticket",
    "ObjectiveWithoutData ticket",
  ]);
  expect(alerts[0]?.expr).toBe(
    [
      '(slo:sli_error:ratio_rate1h{slo="web", namespace="shop"} > 0.0144 and slo:sli_error:ratio_rate5m{slo="web", namespace="shop"} > 0.0144)',
      "or",
      '(slo:sli_error:ratio_rate6h{slo="web", namespace="shop"} > 0.006 and slo:sli_error:ratio_rate30m{slo="web", namespace="shop"} > 0.006)',
    ].join("\n"),
  );
});

test("a minimum of bad events is one more condition, by a count of each long window", () => {
  const rules = rulesOf({ alerting: { minimumBad: 10 } })[0]?.rules ?? [];
  expect(rules.find((rule) => "record" in rule && rule.record === "slo:sli_event:increase1h")).toEqual({
    record: "slo:sli_event:increase1h",
    expr: "sum(increase(requests_total[1h]))",
    labels: { service: "web", slo: "web", namespace: "shop" },
  });
  expect(rules.flatMap((rule) => ("record" in rule ? [rule.record] : []))).toHaveLength(7 + 4);
  expect(rules.find((rule) => "alert" in rule && rule.labels.severity === "page")?.expr).toContain(
    ' > 0.0144 and slo:sli_error:ratio_rate1h{slo="web", namespace="shop"} * slo:sli_event:increase1h{slo="web", namespace="shop"} >= 10)',
  );
});

test("no errors yet are none, and good counts the other way", () => {
  const [rule] = rulesOf()[0]?.rules ?? [];
  expect(rule?.expr).toBe(
    '((sum(rate(requests_total{code=~"5.."}[5m]))) or 0 * (sum(rate(requests_total[5m])))) / (sum(rate(requests_total[5m])))',
  );
  const [good] = rulesOf({ indicator: { good: "g[$window]", total: "t[$window]" } })[0]?.rules ?? [];
  expect(good?.expr).toBe("1 - ((g[5m]) or 0 * (t[5m])) / (t[5m])");
});

const folder = mkdtempSync(join(tmpdir(), "flotilla-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

const promtool = (...args: string[]) => spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
const installed = promtool("--version").status === 0;
// JSON is YAML.
const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
const passes = (...args: string[]) => {
  const { status, stdout, stderr } = promtool(...args);
  expect(status, stdout + stderr).toBe(0);
};

test.skipIf(!installed)("promtool finds nothing wrong with them (skipped without promtool)", () => {
  const specs = incidentCases.map(({ spec = {} }) => spec);
  const objects = specs.map((spec, i) => {
    const object = objectiveFor({
      indicator: requests,
      runbook: "https://runbooks.example/web",
      description: 'Says "hello"',
      ...spec,
    });
    return { ...object, metadata: { ...object.metadata, name: `web-${i}` } };
  });
  write("all.json", prometheusRules(objects));
  passes("check", "rules", "all.json");
});

test.skipIf(!installed)("Prometheus alerts in an incident as the arithmetic says (skipped without promtool)", () => {
  write("web.json", { groups: rulesOf() });
  const at = (time: string, value?: number) => ({
    expr: 'count by (severity) (ALERTS{alertname="ErrorBudgetBurn", alertstate="firing", severity="page"})',
    eval_time: time,
    exp_samples: value === undefined ? [] : [{ labels: '{severity="page"}', value }],
  });
  // Six hours without errors, ten minutes of nothing else, and an hour without: with a sample each minute.
  write("test.json", {
    rule_files: ["web.json"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: [
          { series: 'requests_total{code="200"}', values: "0+60x360 21600+0x9 21600+60x60" },
          { series: 'requests_total{code="500"}', values: "0+0x360 60+60x9 600+0x60" },
        ],
        // 51.84 s after it began; until 30m is good again, 29 min 49 s after the end. Samples and looks are a minute apart.
        promql_expr_test: [at("360m"), at("362m", 1), at("398m", 1), at("402m")],
      },
    ],
  });
  passes("test", "rules", "test.json");
});

test.skipIf(!installed)(
  "Prometheus waits for ten bad events where they are asked for (skipped without promtool)",
  () => {
    write("few.json", { groups: rulesOf({ alerting: { minimumBad: 10 } }) });
    const at = (time: string, value?: number) => ({
      expr: 'count by (severity) (ALERTS{alertname="ErrorBudgetBurn", alertstate="firing", severity="page"})',
      eval_time: time,
      exp_samples: value === undefined ? [] : [{ labels: '{severity="page"}', value }],
    });
    // Two requests a minute, all of which fail after six hours: by their share alone it would alert in the 361st minute.
    write("few-test.json", {
      rule_files: ["few.json"],
      evaluation_interval: "1m",
      tests: [
        {
          interval: "1m",
          input_series: [
            { series: 'requests_total{code="200"}', values: "0+2x360 720+0x30" },
            { series: 'requests_total{code="500"}', values: "0+0x360 2+2x30" },
          ],
          promql_expr_test: [at("363m"), at("368m", 1)],
        },
      ],
    });
    passes("test", "rules", "few-test.json");
  },
);
