import { formatPeriod, parsePeriod } from "@flotilla/objects";
import { expect, test } from "vitest";
import { defaultPolicies, objectiveOf } from "./burn-rate.ts";

const shown = (window: string) =>
  defaultPolicies(parsePeriod(window) ?? 0).map(
    ({ severity, long, short, factor }) => `${severity} ${formatPeriod(long)}/${formatPeriod(short ?? 0)} ${factor}`,
  );

test.each([
  ["30d", ["page 1h/5m 14.4", "page 6h/30m 6", "ticket 1d/2h 3", "ticket 3d/6h 1"]],
  ["90d", ["page 3h/15m 14.4", "page 18h/1h30m 6", "ticket 3d/6h 3", "ticket 9d/18h 1"]],
  ["7d", ["page 14m/1m10s 14.4", "page 1h24m/7m 6", "ticket 5h36m/28m 3", "ticket 16h48m/1h24m 1"]],
  ["1d", ["page 2m/30s 14.4", "page 12m/1m 6", "ticket 48m/4m 3", "ticket 2h24m/12m 1"]],
  ["1h", ["page 1m/30s 6", "ticket 2m/30s 3", "ticket 6m/30s 1"]],
  ["10m", ["page 1m/30s 5", "ticket 1m/30s 1"]],
  ["5m", ["page 1m/30s 2.5", "ticket 1m/30s 1"]],
])("the default policies of %s", (window, policies) => expect(shown(window)).toEqual(policies));

test("nobody hears of a page only when most of the budget is gone", () => {
  for (let minutes = 5; minutes <= 90 * 24 * 60; minutes = Math.ceil(minutes * 1.3)) {
    const period = minutes * 60_000;
    for (const { factor, long } of defaultPolicies(period))
      expect((factor * long) / period, `${minutes} minutes`).toBeLessThanOrEqual(0.5 + 1e-9);
  }
});

test("no policies are none", () =>
  expect(objectiveOf({ service: "a", target: "99%", indicator: {}, alerting: { policies: [] } }).policies).toEqual([]));
