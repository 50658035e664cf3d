/** Figures as people read them in a terminal. */

/** "0.42 ms", "12.3 ms", "1.24 s", "3 min 20 s". */
export function milliseconds(value: number): string {
  if (value < 1) return `${trim(value, 2)} ms`;
  if (value < 100) return `${trim(value, 1)} ms`;
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${trim(value / 1000, 2)} s`;
  const seconds = Math.round(value / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const trim = (value: number, digits: number) => String(Number(value.toFixed(digits)));

/** Whole where it is large (bytes, times), else four significant digits; the very large and very small with an exponent. */
export function amount(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 1000 ? Math.ceil(Math.log10(size + 1)) : 4)));
}

const bars = "▁▂▃▄▅▆▇█";

/** One character for each value, from the lowest (or `bottom`) to the highest; a space where there is none. */
export function sparkline(values: readonly (number | undefined)[], bottom?: number): string {
  const known = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  const low = bottom ?? Math.min(...known);
  const high = Math.max(...known);
  return values
    .map((value) => {
      if (value === undefined || !Number.isFinite(value)) return " ";
      const height = high === low ? (high === 0 ? 0 : 3) : ((value - low) / (high - low)) * (bars.length - 1);
      return bars[Math.round(height)];
    })
    .join("");
}
