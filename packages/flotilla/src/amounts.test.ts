import { expect, test } from "vitest";
import { amount, milliseconds, sparkline } from "./amounts.ts";

test.each([
  [0, "0 ms"],
  [0.4234, "0.42 ms"],
  [12.34, "12.3 ms"],
  [100, "100 ms"],
  [1239, "1.24 s"],
  [200_000, "3 min 20 s"],
])("%s ms is %s", (value, text) => expect(milliseconds(value)).toBe(text));

test.each([
  [0, "0"],
  [0.123456, "0.1235"],
  [12345.678, "12346"],
  [1_795_286_938.21, "1795286938"],
  [56_512_512, "56512512"],
  [1e15, "1.00e+15"],
  [0.00001, "1.00e-5"],
  [Number.NaN, "NaN"],
  [-Infinity, "-Inf"],
])("%s is %s", (value, text) => expect(amount(value)).toBe(text));

test.each([
  [[], ""],
  [[0, 0], "▁▁"],
  [[5, 5], "▄▄"],
  [[0, undefined, 7], "▁ █"],
  [[1, Number.NaN, 2], "▁ █"],
])("the line of %j", (values, line) => expect(sparkline(values)).toBe(line));
test("a line may have its bottom elsewhere than at its lowest", () => expect(sparkline([7, 5, 7], 0)).toBe("█▆█"));
