import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { deepEqual } from "./equal.ts";
import { contentHash, fnv1a, safeEncode, stableStringify } from "./hash.ts";

test("FNV-1a of the published vectors", () => {
  expect([fnv1a(""), fnv1a("a"), fnv1a("foobar")]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});

test("safe text has no vowels", () =>
  expect(safeEncode("0123456789aeiou")).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{15}$/));
test("characters are mapped by their code modulo 27", () => expect(safeEncode("1234567890")).toBe("56789bcdf4"));

test("the order of members does not count", () => {
  expect(stableStringify({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
  expect(contentHash({ a: 1, b: 2 })).toBe(contentHash({ b: 2, a: 1 }));
  expect(contentHash({ a: 1 })).not.toBe(contentHash({ a: 2 }));
});

test("equal values have equal text, and the other way round", () =>
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(deepEqual(a, b)).toBe(stableStringify(a) === stableStringify(b));
      expect(deepEqual(a, structuredClone(a))).toBe(true);
    }),
  ));

const different: readonly [unknown, unknown][] = [
  [{ a: 1 }, { a: 1, b: 1 }],
  [{ a: 1, b: 1 }, { a: 1 }],
  [[1], { 0: 1 }],
  [[1, 2], [1]],
  [null, {}],
  [{ a: null }, {}],
  ["1", 1],
];
for (const [a, b] of different) {
  test(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`, () => expect(deepEqual(a, b)).toBe(false));
}
test("an undefined member is no member", () => {
  expect(deepEqual({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(deepEqual({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  expect(deepEqual({ a: undefined }, { b: undefined })).toBe(true);
});

const durations: Readonly<Record<string, number>> = {
  "0s": 0,
  "300ms": 300,
  "1.5s": 1500,
  "1m30s": 90_000,
  "1h0m0s": 3_600_000,
  "-2m0s": -120_000,
  "50h0m1s": 180_001_000,
};
for (const [text, milliseconds] of Object.entries(durations)) {
  test(`${text} is ${milliseconds} ms`, () => {
    expect(parseDuration(text)).toBe(milliseconds);
    expect(formatDuration(milliseconds)).toBe(text);
  });
}
test("other spellings of durations", () => {
  expect([parseDuration("0"), parseDuration("+1h"), parseDuration(".5s"), parseDuration("1us")]).toEqual([
    0, 3_600_000, 500, 0.001,
  ]);
  expect(formatDuration(0.5)).toBe("500µs");
});
for (const text of ["", "1", "s", "1d", "1s 2s", "1..5s"]) {
  test(`refuses ${JSON.stringify(text)}`, () => expect(() => parseDuration(text)).toThrow("time: invalid duration"));
}
