/**
 * Names of metrics and labels as Prometheus' translation of OTLP makes them: characters replaced, unit and `_total` appended.
 *
 * Source: prometheus/otlptranslator, metric_namer.go, label_namer.go, unit_namer.go.
 */
import { formatExponent, formatFloat } from "../promql/number.ts";

/** What decides about suffixes: monotonic sums are counters, other sums plain. */
export type NamedType = "counter" | "gauge" | "plain";

const units: Readonly<Record<string, string>> = {
  d: "days",
  h: "hours",
  min: "minutes",
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
  By: "bytes",
  KiBy: "kibibytes",
  MiBy: "mebibytes",
  GiBy: "gibibytes",
  TiBy: "tibibytes",
  KBy: "kilobytes",
  MBy: "megabytes",
  GBy: "gigabytes",
  TBy: "terabytes",
  m: "meters",
  V: "volts",
  A: "amperes",
  J: "joules",
  W: "watts",
  g: "grams",
  Cel: "celsius",
  Hz: "hertz",
  "1": "",
  "%": "percent",
};

const perUnits: Readonly<Record<string, string>> = {
  s: "second",
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
  mo: "month",
  y: "year",
};

const own = (table: Readonly<Record<string, string>>, key: string): string =>
  Object.hasOwn(table, key) ? (table[key] as string) : key;

/** "" when nothing usable is left of the name. */
export function metricName(name: string, unit: string, type: NamedType): string {
  const { main, per } = unitSuffixes(unit);
  let tokens = name.split(/[^a-zA-Z0-9:]+/).filter(Boolean);
  for (const suffix of [main, per]) if (suffix && !tokens.includes(suffix)) tokens.push(suffix);
  if (type === "counter") tokens = [...tokens.filter((token) => token !== "total"), "total"];
  if (type === "gauge" && unit === "1") tokens = [...tokens.filter((token) => token !== "ratio"), "ratio"];
  const joined = tokens.join("_");
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

/** "" when nothing usable is left. */
export function labelName(name: string): string {
  if (name === "") return "";
  const sanitized = name.replace(/[^a-zA-Z0-9]/gu, "_");
  if (/^_+$/.test(sanitized)) return "";
  if (/^[0-9]/.test(sanitized)) return `key_${sanitized}`;
  return /^_(?!_)/.test(sanitized) ? `key${sanitized}` : sanitized;
}

/** "By/s" is "bytes_per_second". */
export function unitName(unit: string): string {
  const { main, per } = unitSuffixes(unit);
  return [main, per].filter(Boolean).join("_").replace(/^_|_$/g, "");
}

function unitSuffixes(unit: string): { main: string; per: string } {
  const slash = unit.indexOf("/");
  const [first, second] = slash < 0 ? [unit, ""] : [unit.slice(0, slash), unit.slice(slash + 1)];
  const isAnnotation = (text: string) => /[{}]/.test(text);
  const main = isAnnotation(first) ? "" : own(units, first.trim());
  const per = isAnnotation(second) ? "" : own(perUnits, second.trim());
  return { main: cleaned(main), per: per && cleaned(`per_${per}`).replace(/_$/, "") };
}

const cleaned = (unit: string): string =>
  unit
    .replace(/[^a-zA-Z0-9:]/gu, "_")
    .replace(/_+/g, "_")
    .replace(/^_/, "");

export const isMetricName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);

export const isLabelName = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);

/** Always with a point or an exponent: 1 is "1.0". Source: prometheus model/labels, FormatOpenMetricsFloat. */
export function openMetricsText(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return formatFloat(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return formatExponent(value);
  const text = formatFloat(value);
  return text.includes(".") ? text : `${text}.0`;
}
