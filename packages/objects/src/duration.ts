/** Go's duration text ("300ms", "1m30s"), as Kubernetes uses it, in milliseconds. Source: Go time.ParseDuration, Duration.String. */

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds, with a fraction where the text has finer units. Throws for text that is no duration. */
export function parseDuration(text: string): number {
  const match = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (!match && !/^[+-]?0$/.test(text)) throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
  let total = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (units[unit] ?? 0);
  }
  return text.startsWith("-") ? -total : total;
}

/** "1h0m0s", "1m30s", "1.5s", "300ms", "0s": as Go writes it. */
export function formatDuration(milliseconds: number): string {
  const nanoseconds = Math.round(Math.abs(milliseconds) * 1e6);
  const sign = milliseconds < 0 && nanoseconds > 0 ? "-" : "";
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${sign}${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${sign}${nanoseconds / 1e6}ms`;
  const minutes = Math.floor(nanoseconds / 60e9);
  const seconds = `${(nanoseconds - minutes * 60e9) / 1e9}s`;
  if (minutes === 0) return sign + seconds;
  const hours = Math.floor(minutes / 60);
  return `${sign}${hours > 0 ? `${hours}h` : ""}${minutes % 60}m${seconds}`;
}
