import { assert, double, property } from "fast-check";
import { expect, test } from "vitest";
import { formatFloat, formatShort, parseFloatText, parseNumber } from "./number.ts";

test.each([
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [-1.5, "-1.5"],
  [1e21, "1000000000000000000000"],
  [1.5e300, `15${"0".repeat(299)}`],
  [-1.25e-7, "-0.000000125"],
  [5e-324, `0.${"0".repeat(323)}5`],
  [0.1 + 0.2, "0.30000000000000004"],
  [NaN, "NaN"],
  [Infinity, "+Inf"],
  [-Infinity, "-Inf"],
])("%s is written %s", (value, text) => expect(formatFloat(value)).toBe(text));

test("what is written reads back the same, without an exponent", () =>
  assert(
    property(double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatFloat(value);
      return !text.includes("e") && Object.is(Number(text), value);
    }),
  ));

test.each([
  [1e-5, "1e-05"],
  [1.5e21, "1.5e+21"],
  [123456789, "123456789"],
  [-2.5e-10, "-2.5e-10"],
])("%s is shown as %s", (value, text) => expect(formatShort(value)).toBe(text));

test.each([
  ["017", 15],
  ["08", 8],
  ["0xfF", 255],
  [".5", 0.5],
  ["1e3", 1000],
  ["iNf", Infinity],
  ["nan", NaN],
  ["0x", undefined],
  ["1e", undefined],
])("%s is %s", (text, value) => expect(parseNumber(text)).toEqual(value));

test.each([
  ["+Inf", Infinity],
  ["-inf", -Infinity],
  ["1.0", 1],
  ["1e-3", 0.001],
  ["", undefined],
  ["abc", undefined],
  ["0x10", undefined],
  [" 1", undefined],
])("a bound %j is %s", (text, value) => expect(parseFloatText(text)).toBe(value));
