import { createContextKey } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { emptyContext } from "./context.ts";

const [a, b] = [createContextKey("a"), createContextKey("b")];

test("nothing is there", () => expect(emptyContext.getValue(a)).toBeUndefined());
test("what was set last", () => expect(emptyContext.setValue(a, 1).setValue(b, 2).setValue(a, 3).getValue(a)).toBe(3));
test("what is below", () => expect(emptyContext.setValue(a, 1).setValue(b, 2).getValue(a)).toBe(1));
test("what was there is as before", () => {
  const before = emptyContext.setValue(a, 1);
  before.setValue(a, 2);
  before.deleteValue(a);
  expect(before.getValue(a)).toBe(1);
});
test("what is deleted is gone", () => expect(emptyContext.setValue(a, 1).deleteValue(a).getValue(a)).toBeUndefined());
test("many values", () => {
  const keys = Array.from({ length: 30 }, (_, at) => createContextKey(`key ${at}`));
  const full = keys.reduce((context, key, at) => context.setValue(key, at), emptyContext);
  expect(keys.map((key) => full.getValue(key))).toEqual(keys.map((_, at) => at));
});
test("what is covered is not kept", async () => {
  let covered: object | undefined = {};
  const kept = new WeakRef(covered);
  let context = emptyContext.setValue(a, covered);
  covered = undefined;
  for (let at = 0; at < 20; at += 1) context = context.setValue(b, at).setValue(a, at);
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--expose-gc");
  const collect = (await import("node:vm")).runInNewContext("gc") as () => void;
  // A WeakRef holds until the turn in which it was made is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(kept.deref()).toBeUndefined();
  expect(context.getValue(a)).toBe(19);
});
