import type { ServiceLevelObjective } from "@flotilla/objects";
import { expect, test } from "vitest";
import { table } from "./slo.ts";

const objective = (status: ServiceLevelObjective["status"]): ServiceLevelObjective => ({
  apiVersion: "flotilla.dev/v1alpha1",
  kind: "ServiceLevelObjective",
  metadata: { name: "web-availability" },
  spec: { service: "web", target: "99.9%", indicator: { errorRatio: "x" } },
  status,
});
const condition = (type: string, status: string, reason: string) =>
  ({ type, status, reason, message: `it is ${reason}`, lastTransitionTime: "2026-01-01T00:00:00Z" }) as never;
const row = (status?: ServiceLevelObjective["status"]) => table([objective(status)], (_, text) => text).slice(1);

test("before the first measurement", () =>
  expect(row()).toEqual(["web-availability  web      99.9% over 30d  -    -            -          not measured yet"]));

test("what is left, how fast it goes, and what is wrong", () =>
  expect(
    row({
      current: "99.95%",
      errorBudget: { ratio: 0.001, time: "43m12s", remaining: 0.5, remainingTime: "21m36s" },
      burnRates: { "6h": 0.5, "5m": 20, "1h": 15 },
      conditions: [condition("Healthy", "False", "Burning"), condition("Alerting", "True", "page")],
      alerts: [{ severity: "page", state: "Firing", since: "s", firedAt: "2026-01-01T00:00:00Z", message: "too fast" }],
    }),
  ).toEqual([
    "web-availability  web      99.9% over 30d  99.95%  █████░░░░░ 50%  21m36s  5m 20, 1h 15, 6h 0.5  alerting: page",
    "",
    "page: web-availability, since 2026-01-01T00:00:00Z: too fast",
  ]));

test("what is promised is said in words where it is known", () => {
  const described = { ...objective(undefined), spec: { ...objective(undefined).spec, description: "It answers." } };
  expect(table([described, objective(undefined)], (_, text) => text).map((line) => line.slice(0, 16))).toEqual([
    "OBJECTIVE       ",
    "web-availability",
    "  It answers.",
    "web-availability",
  ]);
});

test("of many windows three are shown", () => {
  const burnRates = { "5m": 1, "30m": 2, "1h": 3, "2h": 4, "6h": 5, "1d": 6, "3d": 7 };
  expect(row({ burnRates })[0]).toContain("  5m 1, 2h 4, 3d 7  ");
});

test("what keeps it from being judged is said in words", () =>
  expect(row({ conditions: [condition("Healthy", "Unknown", "TooFewEvents")] })).toEqual([
    expect.stringMatching(/ {2}too few events$/),
    "",
    "web-availability: it is TooFewEvents",
  ]));

test("a budget that is overspent is empty, and says by how much", () =>
  expect(row({ errorBudget: { ratio: 0.001, time: "43m", remaining: -1.5, remainingTime: "-1h" } })[0]).toContain(
    "░░░░░░░░░░ spent 2.5 times",
  ));
