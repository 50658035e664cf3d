import { expect, test } from "vitest";
import { objectiveOf } from "./burn-rate.ts";
import { objectiveFor, start } from "./incidents.fixture.ts";
import { objectiveStatus } from "./objective-status.ts";

test.each([
  [0, "100%"],
  [0.000457, "99.9543%"],
  [0.0005, "99.95%"],
  [0.0333333, "96.67%"],
  [0.530572, "46.9%"],
  [1, "0%"],
])("what was good is shown with three digits of what was not: %d", (bad, expected) => {
  const object = objectiveFor();
  const objective = objectiveOf(object.spec);
  const ratios = new Map([[objective.period, { at: start, value: bad }]]);
  expect(objectiveStatus(object, objective, { at: start, ratios, generation: 1 }, []).current).toBe(expected);
});
