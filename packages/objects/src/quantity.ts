/**
 * Amounts of resources ("500m", "1Gi", "12e6"), exact.
 *
 * Source of grammar, rounding and canonical form: apimachinery pkg/api/resource. The smallest amount is 1n; what is finer is
 * rounded away from zero.
 */
import type { Quantity } from "./generated/types.ts";

type Format = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Amount {
  /** In units of 10^-9. */
  readonly nano: bigint;
  /** How it is written. */
  readonly format: Format;
}

const one = 1_000_000_000n;
const mostBinary = (2n ** 63n - 1n) * one;
const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const decimalByExponent = new Map(Object.entries(decimalSuffixes).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const wrongSuffix = "unable to parse quantity's suffix";

/** Throws an Error with Kubernetes' message for text that is no quantity. */
export function parseQuantity(quantity: Quantity): Amount {
  const text = String(quantity).trim();
  const match = text === "" ? null : /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (!match) throw new Error(wrongFormat);
  const [, sign, whole = "", fraction = "", suffix = ""] = match;
  const digits = BigInt(whole + fraction || "0");
  const { base, exponent, format } = interpret(suffix);

  // The value is digits * base^exponent / 10^fraction.length.
  let numerator = digits * one;
  let denominator = 10n ** BigInt(fraction.length);
  if (exponent >= 0) numerator *= base ** BigInt(exponent);
  else denominator *= base ** BigInt(-exponent);
  let nano = divideUp(numerator, denominator);
  if (format === "BinarySI" && nano > mostBinary) nano = mostBinary;
  return {
    nano: sign === "-" ? -nano : nano,
    format: format === "BinarySI" && nano > 0n && nano < one ? "DecimalSI" : format,
  };
}

function interpret(suffix: string): { base: bigint; exponent: number; format: Format } {
  const decimal = decimalSuffixes[suffix];
  if (decimal !== undefined) return { base: 10n, exponent: decimal, format: "DecimalSI" };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { base: 2n, exponent: binary * 10, format: "BinarySI" };
  const power = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1];
  // Far beyond any amount; bounded so that text cannot ask for gigabytes of digits.
  if (power === undefined || Math.abs(Number(power)) > 400) throw new Error(wrongSuffix);
  return { base: 10n, exponent: Number(power), format: "DecimalExponent" };
}

/** Of non-negative numbers. */
const divideUp = (numerator: bigint, denominator: bigint): bigint => (numerator + denominator - 1n) / denominator;

/** Whether the value is a quantity at all. */
export function isQuantity(value: unknown): value is Quantity {
  if (typeof value !== "string" && typeof value !== "number") return false;
  try {
    parseQuantity(value);
    return true;
  } catch {
    return false;
  }
}

/** The canonical form: no fraction, the largest suffix that leaves none. */
export function formatQuantity({ nano, format }: Amount): string {
  if (nano === 0n) return "0";
  const size = nano < 0n ? -nano : nano;
  if (format === "BinarySI" && size >= 1024n * one && size % one === 0n) return formatBinary(nano / one);
  let mantissa = nano;
  let exponent = -9;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent++;
  }
  while (exponent % 3 !== 0) {
    mantissa *= 10n;
    exponent--;
  }
  if (format === "DecimalExponent") return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`;
  return `${mantissa}${decimalByExponent.get(exponent) ?? `e${exponent}`}`;
}

function formatBinary(value: bigint): string {
  let mantissa = value;
  let step = 0;
  while (mantissa % 1024n === 0n && step < binarySuffixes.length - 1) {
    mantissa /= 1024n;
    step++;
  }
  return `${mantissa}${binarySuffixes[step]}`;
}

export const canonicalQuantity = (quantity: Quantity): string => formatQuantity(parseQuantity(quantity));

/** Negative, zero or positive, as for sort(). */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const difference = parseQuantity(a).nano - parseQuantity(b).nano;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** In the form of the first, or of the second when the first is zero. */
export const addQuantities = (a: Quantity, b: Quantity): string => combine(a, b, 1n);

export const subtractQuantities = (a: Quantity, b: Quantity): string => combine(a, b, -1n);

function combine(a: Quantity, b: Quantity, sign: bigint): string {
  const first = parseQuantity(a);
  const second = parseQuantity(b);
  const format = first.nano === 0n ? second.format : first.format;
  return formatQuantity({ nano: first.nano + sign * second.nano, format });
}

/** Whole units, rounded away from zero: bytes of "1Gi", cores of "1500m" (2). */
export const quantityValue = (quantity: Quantity): number => scaled(quantity, one);

/** Thousandths, rounded away from zero: 500 of "500m". */
export const quantityMilliValue = (quantity: Quantity): number => scaled(quantity, one / 1000n);

function scaled(quantity: Quantity, unit: bigint): number {
  const { nano } = parseQuantity(quantity);
  return Number(nano < 0n ? -divideUp(-nano, unit) : divideUp(nano, unit));
}
