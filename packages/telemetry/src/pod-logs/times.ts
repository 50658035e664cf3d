/** Times of log lines as nanoseconds since the epoch. */

/** What is further from the moment of writing is no time of logging: a duration, a birthday. Milliseconds. */
const farthest = 7 * 24 * 3600 * 1000;

const isoTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,](\d{1,9})\d*)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)$/;

/**
 * Of an ISO time with a zone (a time without one could mean any), or seconds, milliseconds, microseconds or nanoseconds since
 * the epoch, by their size. Undefined: neither, or far from `writtenAt` (ms).
 */
export function nanosOf(value: string | number, writtenAt: number): string | undefined {
  const nanos = typeof value === "number" ? fromNumber(value, String(value)) : fromText(value);
  if (nanos === undefined) return undefined;
  return Math.abs(Number(nanos / 1_000_000n) - writtenAt) <= farthest ? String(nanos) : undefined;
}

function fromText(text: string): bigint | undefined {
  if (/^\d{9,}(?:\.\d+)?$/.test(text)) return fromNumber(Number(text), text);
  return fromIso(text);
}

/** Exact to the nanosecond; undefined: no ISO time with a zone. */
export function fromIso(text: string): bigint | undefined {
  const found = isoTime.exec(text);
  if (!found) return undefined;
  const zone = text
    .slice(19)
    .replace(/^[.,]\d+/, "")
    .trim();
  const seconds = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}${zoneOf(zone)}`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt((found[1] ?? "0").padEnd(9, "0"));
}

const zoneOf = (zone: string): string =>
  zone === "UTC" || zone === "Z" ? "Z" : zone.includes(":") ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;

/** Digits before the point say the unit: ten seconds, thirteen milliseconds, and so on. Fractions are kept to the nanosecond. */
function fromNumber(value: number, text: string): bigint | undefined {
  if (!Number.isFinite(value) || value < 1e8) return undefined;
  const scale = value < 1e11 ? 9 : value < 1e14 ? 6 : value < 1e17 ? 3 : 0;
  const [whole = "0", fraction = ""] = /e/i.test(text) ? [BigInt(Math.round(value)).toString()] : text.split(".");
  return BigInt(whole + fraction.slice(0, scale).padEnd(scale, "0"));
}
