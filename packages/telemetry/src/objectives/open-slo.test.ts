import { objectiveMistakes } from "@flotilla/objects";
import { expect, test } from "vitest";
import { readOpenSlo } from "./open-slo.ts";
import { amount, queryMistake } from "./open-slo-queries.ts";

type Fields = Record<string, unknown>;

const source = (query: string, more: Fields = {}) => ({
  metricSource: { type: "Prometheus", spec: { query }, ...more },
});
const ratioMetric = {
  counter: true,
  good: source('sum(checkout_total{code=~"2.."})'),
  total: source("sum(checkout_total)"),
};
const indicator = (metric: Fields) => ({ metadata: { name: "checkout" }, spec: metric });
const slo = (spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: "openslo/v1",
  kind: "SLO",
  metadata: { name: "checkout", ...metadata },
  spec: {
    service: "shop",
    indicator: indicator({ ratioMetric }),
    timeWindow: [{ duration: "4w", isRolling: true }],
    budgetingMethod: "Occurrences",
    objectives: [{ target: 0.9995 }],
    ...spec,
  },
});
const document = (kind: string, name: string, spec: Fields) => ({
  apiVersion: "openslo/v1",
  kind,
  metadata: { name },
  spec,
});
const condition = (more: Fields = {}) => ({
  severity: "page",
  condition: { kind: "burnrate", op: "gte", threshold: 14.4, lookbackWindow: "1h", alertAfter: "5m", ...more },
});
const policy = (more: Fields = {}) => ({
  alertWhenBreaching: true,
  alertWhenResolved: true,
  conditions: [{ kind: "AlertCondition", metadata: { name: "fast" }, spec: condition() }],
  notificationTargets: [{ kind: "AlertNotificationTarget", metadata: { name: "on-call" }, spec: { target: "email" } }],
  ...more,
});

/** The one objective of documents without mistakes. */
function read(...documents: unknown[]) {
  const { objectives, mistakes } = readOpenSlo(documents);
  expect(mistakes).toEqual([]);
  for (const { object } of objectives) expect(objectiveMistakes(object.spec)).toEqual([]);
  return objectives.map(({ object }) => object);
}

test("a ratio of counters becomes one of rates", () => {
  const [object] = read(
    slo({ description: "Buying works." }, { displayName: "Checkout", labels: { team: ["a", "b"] } }),
  );
  expect(object).toEqual({
    apiVersion: "flotilla.dev/v1alpha1",
    kind: "ServiceLevelObjective",
    metadata: { name: "checkout", labels: { team: "a_b" } },
    spec: {
      service: "shop",
      target: "99.95%",
      window: "28d",
      description: "Checkout: Buying works.",
      indicator: {
        good: 'sum(rate(checkout_total{code=~"2.."}[$window]))',
        total: "sum(rate(checkout_total[$window]))",
        events: "sum(increase(checkout_total[$window]))",
      },
    },
  });
});

test("several targets of one document are several objectives", () =>
  expect(
    read(slo({ objectives: [{ target: 0.9 }, { targetPercent: 99.9 }] })).map(({ metadata, spec }) => [
      metadata.name,
      spec.target,
    ]),
  ).toEqual([
    ["checkout-1", "90%"],
    ["checkout-2", "99.9%"],
  ]));

test("indicators, alerts, targets and sources are found by name, in any order", () => {
  const [object] = read(
    slo({ indicator: undefined, indicatorRef: "ratio", alertPolicies: [{ alertPolicyRef: "fast" }] }),
    document(
      "AlertPolicy",
      "fast",
      policy({ conditions: [{ conditionRef: "fast" }], notificationTargets: [{ targetRef: "mail" }] }),
    ),
    [document("AlertCondition", "fast", condition()), document("AlertNotificationTarget", "mail", { target: "email" })],
    document("SLI", "ratio", {
      ratioMetric: {
        ...ratioMetric,
        total: source("sum(checkout_total)", { type: undefined, metricSourceRef: "main" }),
      },
    }),
    document("DataSource", "main", { type: "prometheus" }),
    document("Service", "shop", { description: "The shop" }),
  );
  expect(object?.spec).toMatchObject({
    labels: { notification_targets: "mail" },
    alerting: { policies: [{ severity: "page", long: "1h", factor: 14.4, for: "5m" }] },
  });
});

test("ends that are not to be told", () =>
  expect(
    read(slo({ alertPolicies: [{ kind: "AlertPolicy", spec: policy({ alertWhenResolved: false }) }] }))[0]?.spec
      .alerting?.resolved,
  ).toBe(false));

const thresholdMetric = source("histogram_quantile(0.9, sum by (le) (rate(search_seconds_bucket[5m])))");
const of = (metric: Fields, objective: Fields, spec: Fields = {}) =>
  read(slo({ indicator: indicator(metric), objectives: [{ target: 0.99, ...objective }], ...spec }))[0]?.spec.indicator;

test.each<[string, unknown, Fields]>([
  [
    "a ratio with ranges of its own",
    of({ ratioMetric: { bad: source("sum(rate(a[{{.window}}]))"), total: source("sum(rate(b[$window]))") } }, {}),
    { bad: "sum(rate(a[$window]))", total: "sum(rate(b[$window]))" },
  ],
  [
    "a ratio of values",
    of({ ratioMetric: { counter: false, good: source("up_replicas"), total: source("replicas") } }, {}),
    { good: "avg_over_time((up_replicas)[$window:1m])", total: "avg_over_time((replicas)[$window:1m])" },
  ],
  [
    "a raw ratio",
    of({ ratioMetric: { rawType: "success", raw: source("ok:ratio") } }, {}),
    { errorRatio: "1 - avg_over_time((ok:ratio)[$window:1m])" },
  ],
  [
    "a raw ratio of failures",
    of({ ratioMetric: { rawType: "failure", raw: source("bad:ratio") } }, {}),
    { errorRatio: "avg_over_time((bad:ratio)[$window:1m])" },
  ],
  [
    "a threshold",
    of({ thresholdMetric: source("queue_length") }, { op: "lte", value: 5 }),
    { errorRatio: "1 - avg_over_time(((queue_length) <= bool 5)[$window:1m])" },
  ],
  [
    "a threshold of a query with ranges",
    of({ thresholdMetric }, { op: "lt", value: 0.5 }),
    {
      errorRatio:
        "1 - avg_over_time(((histogram_quantile(0.9, sum by (le) (rate(search_seconds_bucket[5m])))) < bool 0.5)[$window:1m])",
    },
  ],
  [
    "time slices",
    of({ ratioMetric }, { timeSliceTarget: 0.95, timeSliceWindow: "1m" }, { budgetingMethod: "Timeslices" }),
    {
      errorRatio:
        '1 - avg_over_time((((((sum(rate(checkout_total{code=~"2.."}[1m]))) or 0 * (sum(rate(checkout_total[1m])))) / (sum(rate(checkout_total[1m])))) >= bool 0.95) and (sum(rate(checkout_total[1m]))) > 0)[$window:1m])',
    },
  ],
  [
    "time slices of a threshold",
    of(
      { thresholdMetric: source("q") },
      { op: "lt", value: 5, timeSliceTarget: 0.9, timeSliceWindow: 10 },
      { budgetingMethod: "Timeslices" },
    ),
    { errorRatio: "1 - avg_over_time(((avg_over_time(((q) < bool 5)[10m:1m]) >= bool 0.9))[$window:10m])" },
  ],
])("%s", (_, made, expected) => {
  const { errorRatio } = expected as { errorRatio?: string };
  if (errorRatio) expect(queryMistake(errorRatio)).toBeUndefined();
  expect(made).toEqual(expected);
});

test.each<[string, unknown, string]>([
  [
    "another version",
    { ...slo(), apiVersion: "openslo/v2alpha" },
    'SLO checkout: apiVersion: "openslo/v2alpha" is not supported; only openslo/v1 is',
  ],
  ["no object", 5, "document: apiVersion: null is not supported; only openslo/v1 is"],
  ["an unknown kind", document("Slo", "a", {}), 'Slo a: kind: "Slo" is no kind of OpenSLO; there are DataSource, SLO'],
  [
    "an unknown field",
    slo({ tier: 1 }),
    "SLO checkout: spec.tier: no such field, or not supported; there are description",
  ],
  [
    "a window of the calendar",
    slo({ timeWindow: [{ duration: "1M", calendar: { startTime: "2026-01-01 00:00:00" } }] }),
    "SLO checkout: spec.timeWindow[0].calendar: windows of the calendar are not supported; state isRolling: true",
  ],
  [
    "a window too long",
    slo({ timeWindow: [{ duration: "1Y", isRolling: true }] }),
    'SLO checkout: spec.window: Invalid value: "365d": must be a period',
  ],
  ["no window at all", slo({ timeWindow: [] }), "SLO checkout: spec.timeWindow: has not exactly one window"],
  [
    "a target of everything",
    slo({ objectives: [{ target: 1 }] }),
    "SLO checkout: spec.objectives[0].target: 1 promises everything, which leaves no budget",
  ],
  [
    "two targets",
    slo({ objectives: [{ target: 0.9, targetPercent: 90 }] }),
    "SLO checkout: spec.objectives[0]: has not exactly one of target and targetPercent",
  ],
  ["no service", slo({ service: undefined }), "SLO checkout: spec.service: is missing; add it as a text"],
  [
    "another source",
    slo({
      indicator: indicator({ thresholdMetric: source("x", { type: "Datadog" }) }),
      objectives: [{ target: 0.9, op: "lt", value: 1 }],
    }),
    'SLO checkout: spec.indicator.spec.thresholdMetric.metricSource.type: "Datadog" is not supported; only "Prometheus" is',
  ],
  [
    "good and bad",
    slo({ indicator: indicator({ ratioMetric: { ...ratioMetric, bad: source("x") } }) }),
    "SLO checkout: spec.indicator.spec.ratioMetric: has not exactly one of good and bad",
  ],
  [
    "counters that are no sum",
    slo({ indicator: indicator({ ratioMetric: { ...ratioMetric, good: source("max(x)") } }) }),
    "SLO checkout: spec.indicator.spec.ratioMetric.good.metricSource.spec.query: is no sum of counters",
  ],
  [
    "a mistake in a query",
    slo({ indicator: indicator({ ratioMetric: { ...ratioMetric, good: source("sum(x") } }) }),
    "SLO checkout: spec.indicator.spec.ratioMetric.good.metricSource.spec.query: 1:6: parse error",
  ],
  [
    "a reference to nothing",
    slo({ indicator: undefined, indicatorRef: "x" }),
    'SLO checkout: spec.indicatorRef: there is no SLI "x"',
  ],
  [
    "an alert while little burns",
    slo({
      alertPolicies: [{ spec: policy({ conditions: [{ kind: "AlertCondition", spec: condition({ op: "lte" }) }] }) }],
    }),
    "SLO checkout: spec.alertPolicies[0].spec.conditions[0].spec.condition.op: an alert while little burns is not supported",
  ],
  [
    "an alert of missing data",
    slo({ alertPolicies: [{ kind: "AlertPolicy", spec: policy({ alertWhenNoData: true }) }] }),
    "SLO checkout: spec.alertPolicies[0].spec.alertWhenNoData: alerts of missing data are not supported",
  ],
  [
    "slices of what happens",
    slo({ objectives: [{ target: 0.9, timeSliceWindow: "1m" }] }),
    "SLO checkout: spec.objectives[0].timeSliceWindow: is for time slices",
  ],
  ["no method", slo({ budgetingMethod: "Monthly" }), 'SLO checkout: spec.budgetingMethod: "Monthly" is no method'],
  [
    "a name that is none",
    slo({}, { name: "Check out" }),
    'SLO Check out: metadata.name: "Check out" is no name in Kubernetes',
  ],
])("refused by name: %s", (_, value, expected) => {
  const { objectives, mistakes } = readOpenSlo([value]);
  expect(objectives).toEqual([]);
  expect(mistakes.map(({ path, message, remedy }) => `${path}: ${message}; ${remedy}`).join("\n")).toContain(expected);
});

test.each([
  ["sum(a)", "sum(rate(a[$window]))"],
  ["a", "sum(rate(a[$window]))"],
  ['sum(a{x="]"}) + sum by (b) (c)', 'sum(rate(a{x="]"}[$window])) + sum by (b) (rate(c[$window]))'],
])("counters added up: %s", (query, expected) => expect(amount(query, true)).toBe(expected));
