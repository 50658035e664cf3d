import { describe, expect, test } from "vitest";
import { incidentCases } from "./incidents.cases.ts";
import { evaluated, exactly, interval, objectiveFor } from "./incidents.fixture.ts";

describe("alerts fire and end when the arithmetic says", () => {
  test.each(incidentCases)("$name", async ({ spec, incidents, told, until, left }) => {
    const { told: heard, object } = await evaluated(objectiveFor(spec), exactly(incidents), until);
    expect(heard.map(({ severity, to }) => `${severity} ${to}`)).toEqual(
      told.map(({ severity, to }) => `${severity} ${to}`),
    );
    for (const [i, { at }] of told.entries()) {
      expect(heard[i]?.at, `${told[i]?.severity} ${told[i]?.to}`).toBeGreaterThanOrEqual(at - 1e-6);
      expect(heard[i]?.at, `${told[i]?.severity} ${told[i]?.to}`).toBeLessThanOrEqual(at + interval);
    }
    expect(object.status?.errorBudget?.remaining).toBeCloseTo(left, 3);
  });
});
