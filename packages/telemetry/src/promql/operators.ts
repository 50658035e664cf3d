/** Operators on two values. Source: prometheus 2.42 promql/engine.go; those of histograms with floats as in 3.0. */
import type { NativeHistogram } from "../metrics/series.ts";
import type { ArithmeticOperator, BinaryOperator, ComparisonOperator, SetOperator } from "./ast.ts";
import { added, isEqual, scaled, subtracted } from "./native-histogram.ts";

/** Of comparisons: 1 or 0. */
export const operate: Readonly<Record<Exclude<BinaryOperator, SetOperator>, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "^": power,
  atan2: Math.atan2,
  "==": (a, b) => (a === b ? 1 : 0),
  "!=": (a, b) => (a !== b ? 1 : 0),
  ">": (a, b) => (a > b ? 1 : 0),
  "<": (a, b) => (a < b ? 1 : 0),
  ">=": (a, b) => (a >= b ? 1 : 0),
  "<=": (a, b) => (a <= b ? 1 : 0),
};

/** IEEE 754's pow, as Go has it, where JavaScript says NaN. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && Math.abs(exponent) === Infinity) return 1;
  return base ** exponent;
}

type Operand = number | NativeHistogram;

/** Where one of the two is a histogram. Undefined: they have no such result. Of comparisons: 1 or 0. */
export function operateOnHistograms(
  operator: ArithmeticOperator | ComparisonOperator,
  left: Operand,
  right: Operand,
): Operand | undefined {
  if (typeof left === "object" && typeof right === "object") {
    if (operator === "+") return added(left, right);
    if (operator === "-") return subtracted(left, right);
    if (operator === "==") return isEqual(left, right) ? 1 : 0;
    if (operator === "!=") return isEqual(left, right) ? 0 : 1;
    return undefined;
  }
  if (typeof left === "object" && typeof right === "number") {
    if (operator === "*") return scaled(left, right);
    if (operator === "/") return scaled(left, 1 / right);
  }
  if (typeof left === "number" && typeof right === "object" && operator === "*") return scaled(right, left);
  return undefined;
}
