/** Numbers as PromQL reads and Prometheus' JSON writes them. */

/**
 * Decimal, hexadecimal, octal with a leading zero (as Go's ParseInt has it), "inf" and "nan" in any case. Undefined: something is
 * missing.
 */
export function parseNumber(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (lower === "inf" || lower === "+inf" || lower === "-inf") return lower[0] === "-" ? -Infinity : Infinity;
  if (lower === "nan") return Number.NaN;
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** As Go's FormatFloat(value, 'f', -1, 64): the shortest text that reads back the same, without an exponent. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const text = String(value);
  const at = text.indexOf("e");
  if (at < 0) return text;
  const [sign, digits, point] = parts(text.slice(0, at));
  const shift = point + Number(text.slice(at + 1));
  if (shift <= 0) return `${sign}0.${"0".repeat(-shift)}${digits}`;
  if (shift >= digits.length) return sign + digits + "0".repeat(shift - digits.length);
  return `${sign}${digits.slice(0, shift)}.${digits.slice(shift)}`;
}

/** Sign, digits without the point, and how many digits stood before it. */
function parts(mantissa: string): [sign: string, digits: string, point: number] {
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.slice(sign.length).split(".");
  return [sign, whole + fraction, whole.length];
}

/** As Go's %v: an exponent below 1e-4 and from 1e21. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0 || (size >= 1e-4 && size < 1e21)) return formatFloat(value);
  return formatExponent(value);
}

/** As Go's %e: at least two digits of exponent. The value is finite. */
export const formatExponent = (value: number): string => value.toExponential().replace(/([+-])(\d)$/, "$10$2");

/** As strconv.ParseFloat reads a bucket's bound; undefined: no number. */
export function parseFloatText(text: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text[0] === "-" ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
