import { expect, test } from "vitest";
import { formatPeriod, objectiveMistakes, parsePeriod, parseShare } from "./objective-texts.ts";
import type { ServiceLevelObjectiveSpec } from "./service-level-objective.ts";

const minute = 60_000;
const day = 86_400_000;

test.each([
  ["30d", 30 * day],
  ["1w", 7 * day],
  ["1h30m", 90 * minute],
  ["500ms", 500],
  ["1m500ms", minute + 500],
  ["0s", 0],
  ["", undefined],
  ["5", undefined],
  ["1.5h", undefined],
  ["-1h", undefined],
  ["30m1h", undefined],
  ["1 h", undefined],
])("period %s", (text, expected) => expect(parsePeriod(text)).toBe(expected));

test.each([
  [30 * day, "30d"],
  [90 * minute, "1h30m"],
  [1500, "1s500ms"],
  [0, "0s"],
])("%d as a period", (ms, expected) => {
  expect(formatPeriod(ms)).toBe(expected);
  expect(parsePeriod(expected)).toBe(ms);
});

test.each([
  ["99.9%", { share: 0.999, rest: 0.001 }],
  ["99.99%", { share: 0.9999, rest: 0.0001 }],
  ["95%", { share: 0.95, rest: 0.05 }],
  ["100%", { share: 1, rest: 0 }],
  ["100.1%", undefined],
  ["99.9", undefined],
  ["-1%", undefined],
  ["%", undefined],
])("share %s", (text, expected) => expect(parseShare(text)).toEqual(expected));

const good: ServiceLevelObjectiveSpec = {
  service: "web",
  target: "99.9%",
  indicator: { bad: "bad[$window]", total: "all[$window]" },
};
const url = { url: "https://hooks.example/x" };
const policy = { severity: "page", long: "1h", short: "5m", factor: 14.4 };
const alerting = (more: ServiceLevelObjectiveSpec["alerting"]) => ({ alerting: more });

test.each<[string, Partial<ServiceLevelObjectiveSpec>, string[]]>([
  ["a whole one", {}, []],
  ["no service", { service: "" }, ["spec.service"]],
  ["no target", { target: "" }, ["spec.target"]],
  ["a target without a budget", { target: "100%" }, ["spec.target"]],
  ["a target of nothing", { target: "0%" }, ["spec.target"]],
  ["a window too short", { window: "4m" }, ["spec.window"]],
  ["the shortest window", { window: "5m" }, []],
  ["the longest window", { window: "90d" }, []],
  ["a window too long", { window: "91d" }, ["spec.window"]],
  ["no indicator", { indicator: {} }, ["spec.indicator.total"]],
  ["a ratio", { indicator: { errorRatio: "x[$window]" } }, []],
  ["a query without $window", { indicator: { errorRatio: "x[5m]" } }, ["spec.indicator.errorRatio"]],
  ["two ways", { indicator: { errorRatio: "x[$window]", total: "y[$window]" } }, ["spec.indicator.total"]],
  ["total alone", { indicator: { total: "y[$window]" } }, ["spec.indicator.good"]],
  ["good and bad", { indicator: { ...good.indicator, good: "g[$window]" } }, ["spec.indicator.bad"]],
  ["a label that is none", { labels: { "a-b": "c" } }, ["spec.labels"]],
  ["a runbook that is none", { runbook: "see wiki" }, ["spec.runbook"]],
  ["a policy", alerting({ policies: [policy] }), []],
  ["a policy by budget", alerting({ policies: [{ ...policy, factor: undefined, budget: "2%" }] }), []],
  ["factor and budget", alerting({ policies: [{ ...policy, budget: "2%" }] }), ["spec.alerting.policies[0].factor"]],
  ["short above long", alerting({ policies: [{ ...policy, short: "2h" }] }), ["spec.alerting.policies[0].short"]],
  [
    "a severity that is none",
    alerting({ policies: [{ ...policy, severity: "" }] }),
    ["spec.alerting.policies[0].severity"],
  ],
  ["a receiver", alerting({ notify: [{ slack: { secret: "slack", key: "url" } }, { webhook: url }] }), []],
  ["a receiver of nothing", alerting({ notify: [{}] }), ["spec.alerting.notify[0].webhook"]],
  ["two receivers of a name", alerting({ notify: [{ slack: url }, { slack: url }] }), ["spec.alerting.notify[1].name"]],
  [
    "a URL that is none",
    alerting({ notify: [{ slack: { url: "T0/B0/xyz" } }] }),
    ["spec.alerting.notify[0].slack.url"],
  ],
  ["a secret without a key", alerting({ notify: [{ slack: { secret: "a" } }] }), ["spec.alerting.notify[0].slack.key"]],
  ["a minimum", { indicator: { errorRatio: "x[$window]", events: "y[$window]" }, ...alerting({ minimumBad: 10 }) }, []],
  ["a minimum of nothing known", alerting({ minimumBad: 10 }), ["spec.indicator.events"]],
  [
    "a minimum of nothing",
    { indicator: { ...good.indicator, events: "y[$window]" }, ...alerting({ minimumBad: 0 }) },
    ["spec.alerting.minimumBad"],
  ],
  ["events without $window", { indicator: { ...good.indicator, events: "y[5m]" } }, ["spec.indicator.events"]],
  ["a repeat too short", alerting({ repeat: "1s" }), ["spec.alerting.repeat"]],
])("%s", (_, change, fields) => {
  expect(objectiveMistakes({ ...good, ...change }).map(({ field }) => field)).toEqual(fields);
});

test("a URL in the wrong place is not repeated", () => {
  const [mistake] = objectiveMistakes({ ...good, ...alerting({ notify: [{ slack: { url: "T0/B0/hidden" } }] }) });
  expect(mistake?.message).not.toContain("hidden");
});
