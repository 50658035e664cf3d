import { simulation } from "@flotilla/ambient";
import { describe, expect, test } from "vitest";
import { promqlEngine } from "../promql/engine.ts";
import { queryData } from "../promql/result.ts";
import { incidentCases } from "./incidents.cases.ts";
import { counters, countersIndicator, evaluated, exactly, interval, objectiveFor } from "./incidents.fixture.ts";

describe("alerts fire and end when the arithmetic says", () => {
  test.each(incidentCases)("$name", async ({ spec, traffic, incidents, told, until, left }) => {
    const { told: heard, object } = await evaluated(objectiveFor(spec), exactly(incidents, traffic), until);
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

// Those that three days of samples can tell, and that end within eight hours.
const short = incidentCases.filter(({ spec, until }) => until <= 8 * 3600 && spec?.window !== "90d");

describe("the same over PromQL and samples", () => {
  test.each(short)("$name", async ({ spec, traffic, incidents, told, until }) => {
    const engine = promqlEngine({ source: counters(incidents, until, traffic), clock: simulation(1).clock });
    const telemetry = { instant: async (query: string, at: number) => queryData(await engine.instant(query, at)) };
    const object = objectiveFor({ ...spec, indicator: countersIndicator });
    const { told: heard } = await evaluated(object, telemetry, until);
    expect(heard.map(({ severity, to }) => `${severity} ${to}`)).toEqual(
      told.map(({ severity, to }) => `${severity} ${to}`),
    );
    for (const [i, { at }] of told.entries()) {
      expect(heard[i]?.at, `${told[i]?.severity} ${told[i]?.to}`).toBeGreaterThanOrEqual(at - interval);
      expect(heard[i]?.at, `${told[i]?.severity} ${told[i]?.to}`).toBeLessThanOrEqual(at + interval);
    }
  });
});
