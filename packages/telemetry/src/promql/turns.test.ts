import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("together, alone after them, and what comes later after that", async () => {
  const turns = new Turns();
  const begun: string[] = [];
  const enter = async (name: string, alone: boolean) => {
    const leave = await turns.enter(alone);
    begun.push(name);
    return leave;
  };
  const [first, second] = [await enter("first", false), await enter("second", false)];
  const alone = enter("alone", true);
  const late = enter("late", false);
  const alsoLate = enter("also late", false);
  const lastAlone = enter("last alone", true);
  first();
  await Promise.resolve();
  expect(begun).toEqual(["first", "second"]);
  second();
  (await alone)();
  expect(begun).toEqual(["first", "second", "alone"]);
  const leave = await late;
  (await alsoLate)();
  expect(begun).toEqual(["first", "second", "alone", "late", "also late"]);
  leave();
  (await lastAlone)();
  expect(begun.at(-1)).toBe("last alone");
});
