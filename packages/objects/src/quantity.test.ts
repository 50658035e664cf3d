import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
} from "./quantity.ts";

const canonical: Readonly<Record<string, string>> = {
  "0": "0",
  "0Ki": "0",
  "1": "1",
  "0.5": "500m",
  "1.5": "1500m",
  "1000m": "1",
  "1500m": "1500m",
  "0.0001": "100u",
  "1000": "1k",
  "100000": "100k",
  "1024": "1024",
  "1024Mi": "1Gi",
  "1000Mi": "1000Mi",
  "1.5Gi": "1536Mi",
  "0.5Ki": "512",
  "1Ki": "1Ki",
  "1023": "1023",
  "12e6": "12e6",
  "1e3": "1e3",
  "1E": "1E",
  "100e-3": "100e-3",
  "-5": "-5",
  "-0.5Gi": "-512Mi",
  "0.1n": "1n",
  "1.1Ki": "1126400m",
  "9223372036854775808Ki": "9223372036854775807",
};
for (const [text, expected] of Object.entries(canonical)) {
  test(`${text} is ${expected}`, () => expect(canonicalQuantity(text)).toBe(expected));
}

for (const text of ["", "x", "1x", "1 Gi", "1.2.3", "1e3.5"]) {
  test(`refuses ${JSON.stringify(text)} as Kubernetes does`, () => {
    expect(() => parseQuantity(text)).toThrow("quantities must match the regular expression '^([+-]?[0-9.]+)");
  });
}
test("names a wrong suffix", () => expect(() => parseQuantity("1Kii")).toThrow("unable to parse quantity's suffix"));
test("takes numbers", () => expect(quantityMilliValue(0.25)).toBe(250));
test("does not unfold absurd exponents", () => expect(isQuantity("1e999999999")).toBe(false));

test("rounds up to whole units", () => {
  expect(quantityValue("1500m")).toBe(2);
  expect(quantityValue("-1500m")).toBe(-2);
  expect(quantityValue("1Gi")).toBe(1073741824);
  expect(quantityMilliValue("1u")).toBe(1);
});

test("adds in the form of the first that is not zero", () => {
  expect(addQuantities("0", "1Gi")).toBe("1Gi");
  expect(addQuantities("512Mi", "512Mi")).toBe("1Gi");
  expect(addQuantities("100m", "0.9")).toBe("1");
  expect(subtractQuantities("1", "250m")).toBe("750m");
});

test("compares by value", () => {
  expect(compareQuantities("1", "1000m")).toBe(0);
  expect(compareQuantities("1Gi", "1G")).toBe(1);
  expect(["2", "500m", "1Ki"].sort(compareQuantities)).toEqual(["500m", "2", "1Ki"]);
});

const amount = fc.record({
  nano: fc.bigInt(-(10n ** 27n), 10n ** 27n),
  format: fc.constantFrom("DecimalSI" as const, "BinarySI" as const, "DecimalExponent" as const),
});
const quantity = amount.map(formatQuantity);

test("what is formatted parses to the same value", () =>
  fc.assert(
    fc.property(amount, (a) => {
      expect(parseQuantity(formatQuantity(a)).nano).toBe(a.nano);
    }),
  ));

test("the canonical form is its own canonical form", () =>
  fc.assert(
    fc.property(quantity, (text) => {
      expect(canonicalQuantity(text)).toBe(text);
    }),
  ));

test("a + b - b = a", () =>
  fc.assert(
    fc.property(quantity, quantity, (a, b) => {
      expect(compareQuantities(subtractQuantities(addQuantities(a, b), b), a)).toBe(0);
    }),
  ));
