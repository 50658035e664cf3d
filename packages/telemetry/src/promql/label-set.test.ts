import { expect, test } from "vitest";
import { LabelSet } from "./label-set.ts";

test.each(["\u00ff", "\u0000", ",", '"', "\u{10ffff}"])("sets differ, whatever is in a value: %j", (character) => {
  const one = LabelSet.of({ a: `1${character}b${character}2` });
  const two = LabelSet.of({ a: "1", b: "2" });
  expect(one.key).not.toBe(two.key);
  expect(one.keyOf(new Set(["a", "b"]), false)).not.toBe(two.keyOf(new Set(["a", "b"]), false));
});
