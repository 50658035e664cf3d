// flotilla query: PromQL, now as a table, or over time as sparklines.
import { systemClock } from "@flotilla/ambient";
import { type Labels, ProviderError, type QueryData, QueryError } from "@flotilla/telemetry/ask";
import { amount, sparkline } from "../amounts.ts";
import { CommandError } from "../errors.ts";
import { duration } from "../period.ts";
import { telemetryOf } from "../telemetry-of.ts";
import { columns, isColoured, painter } from "../terminal.ts";

export interface QueryOptions {
  readonly dir: string;
  readonly environment?: string;
  readonly since?: string;
  readonly step?: string;
  readonly output?: "json";
}

/** Points of a sparkline. */
const points = 60;

export async function query(text: string, { dir, environment, since, step, output }: QueryOptions): Promise<void> {
  const telemetry = environment
    ? await (await import("../telemetry-elsewhere.ts")).telemetryElsewhere(dir, environment)
    : telemetryOf(dir);
  const now = systemClock.now();
  const ask = () => {
    if (since === undefined && step === undefined) return telemetry.instant(text, now);
    const length = duration("--since", since ?? "1h");
    const every = step === undefined ? Math.max(1000, Math.round(length / points)) : duration("--step", step);
    return telemetry.range(text, { from: now - length, to: now, step: every });
  };
  const data = await ask().catch((error: unknown) => {
    if (error instanceof QueryError) throw new CommandError(withPlace(text, error));
    throw error instanceof ProviderError ? new CommandError(error.message) : error;
  });
  process.stdout.write(output === "json" ? `${JSON.stringify(data, null, 2)}\n` : `${shown(data).join("\n")}\n`);
}

/** The mistake, and where it is: messages begin with its line and column. */
function withPlace(text: string, { message }: QueryError): string {
  const [, line, column] = /^(\d+):(\d+): /.exec(message) ?? [];
  const wrong = text.split("\n")[Number(line) - 1];
  if (wrong === undefined) return message;
  return `${message}\n  ${wrong}\n  ${" ".repeat(Number(column) - 1)}^`;
}

export function shown(data: QueryData): string[] {
  const paint = painter(isColoured(process.stdout));
  const head = (...titles: string[]) => titles.map((title) => paint("dim", title));
  if (data.resultType === "scalar" || data.resultType === "string") return [data.result[1]];
  if (data.result.length === 0) return ["Nothing: no series matches, or none has a value here."];
  if (data.resultType === "vector") {
    const rows = data.result.map(({ metric, value, histogram }) => [
      seriesName(metric),
      value ? amount(number(value[1])) : `${histogram?.[1].count} observations, sum ${histogram?.[1].sum}`,
    ]);
    return columns([head("SERIES", "VALUE"), ...rows]);
  }
  const times = data.result.flatMap(({ values = [], histograms = [] }) =>
    [...values, ...histograms].map(([time]) => time),
  );
  const from = Math.min(...times);
  const step = Math.min(...times.filter((time) => time > from).map((time) => time - from), Number.MAX_VALUE);
  const count = Math.round((Math.max(...times) - from) / step) + 1 || 1;
  const rows = data.result.map(({ metric, values = [], histograms = [] }) => {
    const line: (number | undefined)[] = Array.from({ length: count });
    for (const [time, value] of values) line[Math.round((time - from) / step) || 0] = number(value);
    for (const [time, { count }] of histograms) line[Math.round((time - from) / step) || 0] = number(count);
    const known = line.filter((value) => value !== undefined);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return [seriesName(metric), sparkline(line), ...[known.at(-1) ?? Number.NaN, low, high].map(amount)];
  });
  return columns([
    head("SERIES", `${clock(from)} to ${clock(Math.max(...times))}`, "LAST", "LOWEST", "HIGHEST"),
    ...rows,
  ]);
}

const clock = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 19);

const number = (text: string) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

/** As it would be written in a query. */
export function seriesName({ __name__: name = "", ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length > 0 || name === "" ? `${name}{${pairs.join(", ")}}` : name;
}
