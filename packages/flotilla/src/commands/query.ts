// flotilla query: PromQL, now as a table, or over time as sparklines.

import { systemClock } from "@flotilla/ambient";
import { type Labels, ProviderError, type QueryData, QueryError } from "@flotilla/telemetry/ask";
import { amount, sparkline } from "../amounts.ts";
import { CommandError, exitCodes } from "../errors.ts";
import { jsonText, printLines } from "../legible.ts";
import { duration } from "../period.ts";
import { telemetryOf } from "../telemetry-of.ts";
import { columns, fit, isColoured, painter, visibleWidth } from "../terminal.ts";

export interface QueryOptions {
  readonly dir: string;
  readonly environment?: string;
  readonly since?: string;
  readonly step?: string;
  readonly output?: "json";
}

/** Points of a sparkline, beside which a narrow terminal has room for figures and names. */
const pointsIn = (width: number | undefined) => Math.max(20, Math.min(60, (width ?? 120) - 60));
/** Of a series in one answer. Source: Prometheus, web/api/v1. */
const mostPoints = 11_000;

export async function query(text: string, { dir, environment, since, step, output }: QueryOptions): Promise<void> {
  const telemetry = environment
    ? await (await import("../telemetry-elsewhere.ts")).telemetryElsewhere(dir, environment)
    : telemetryOf(dir);
  const now = systemClock.now();
  const { columns: width } = process.stdout;
  const ask = () => {
    if (since === undefined && step === undefined) return telemetry.instant(text, now);
    const length = duration("--since", since ?? "1h");
    const every =
      step === undefined ? Math.max(1000, Math.round(length / (pointsIn(width) - 1))) : duration("--step", step);
    if (step !== undefined && length / every > mostPoints)
      throw new CommandError(
        `--step ${step}: that is ${Math.floor(length / every)} points; at most ${mostPoints}`,
        exitCodes.usage,
      );
    return telemetry.range(text, { from: now - length, to: now, step: every });
  };
  const data = await ask().catch((error: unknown) => {
    if (error instanceof QueryError) throw new CommandError(withPlace(text, error));
    throw error instanceof ProviderError ? new CommandError(error.message) : error;
  });
  if (output === "json") return void process.stdout.write(`${jsonText(data, 2)}\n`);
  const lines = shown(data, { paint: painter(isColoured(process.stdout)), width });
  if (lines.length > 0) printLines(process.stdout, lines);
  else process.stderr.write("Nothing: no series matches, or none has a value here.\n");
}

/** The mistake, and where it is: messages begin with its line and column. */
function withPlace(text: string, { message }: QueryError): string {
  const [, line, column] = /^(\d+):(\d+): /.exec(message) ?? [];
  const wrong = text.split("\n")[Number(line) - 1];
  if (!wrong) return message;
  return `${message}\n  ${wrong}\n  ${" ".repeat(Number(column) - 1)}^`;
}

export interface Canvas {
  readonly paint: ReturnType<typeof painter>;
  /** Columns of the terminal; undefined: nobody has to fit it. */
  readonly width: number | undefined;
}

/** No lines: there is nothing. */
export function shown(data: QueryData, canvas: Canvas): string[] {
  if (data.resultType === "scalar" || data.resultType === "string") return [data.result[1]];
  if (data.result.length === 0) return [];
  const all = data.result.map(({ metric }) => metric);
  if (data.resultType === "vector") {
    const cells = data.result.map(({ value, histogram }) => [
      value ? amount(number(value[1])) : histogram ? observations(histogram[1]) : "",
    ]);
    return table(all, ["VALUE"], cells, canvas);
  }
  const times = data.result.flatMap(({ values = [], histograms = [] }) =>
    [...values, ...histograms].map(([time]) => time),
  );
  const from = earliest(times);
  const to = latest(times);
  const step = earliest(times.filter((time) => time > from).map((time) => time - from));
  const count = Number.isFinite(step) ? Math.round((to - from) / step) + 1 : 1;
  const places = Math.min(count, pointsIn(canvas.width));
  const cells = data.result.map(({ values = [], histograms = [] }) => {
    const points = [...values, ...histograms.map(([time, { count }]): [number, string] => [time, count])]
      .sort(([a], [b]) => a - b)
      .map(([time, value]) => [time, number(value)] as const);
    const line: (number | undefined)[] = Array.from({ length: places });
    for (const [time, value] of points) {
      const place = count === 1 ? 0 : Math.floor((Math.round((time - from) / step) * places) / count);
      // Of several values in one place the highest is seen.
      if (!((line[place] ?? Number.NEGATIVE_INFINITY) > value)) line[place] = value;
    }
    const known = points.map(([, value]) => value).filter((value) => !Number.isNaN(value));
    const ofAll =
      known.length > 0 ? [known.at(-1) as number, earliest(known), latest(known)] : Array(3).fill(Number.NaN);
    return [sparkline(line), ...ofAll.map(amount)];
  });
  return table(
    all,
    [`${clock(from, to - from)} to ${clock(to, to - from)}`, "LAST", "LOWEST", "HIGHEST"],
    cells,
    canvas,
  );
}

const earliest = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const latest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/**
 * A row for each series. Where the terminal is too narrow, labels that all series share are told once, above; what is still too
 * long is cut, the figures never.
 */
function table(
  series: readonly Labels[],
  titles: readonly string[],
  cells: readonly string[][],
  canvas: Canvas,
): string[] {
  const { paint, width = Number.POSITIVE_INFINITY } = canvas;
  const figures = columns([titles.map((title) => paint("dim", title)), ...cells]);
  const room = Math.max(20, width - Math.max(...figures.map(visibleWidth)) - 2);
  const rows = (names: readonly string[]) =>
    columns(
      [paint("dim", "SERIES"), ...names.map((name) => fit(name, room))].map((name, i) => [name, figures[i] as string]),
    );
  const names = series.map(seriesName);
  const [first = {}, ...others] = series;
  if (others.length === 0 || names.every((name) => name.length <= room)) return rows(names);
  const isShared = (label: string) => others.every((each) => each[label] === first[label]);
  const part = (labels: Labels, shared: boolean) =>
    seriesName(Object.fromEntries(Object.entries(labels).filter(([label]) => isShared(label) === shared)));
  return [paint("dim", `all of ${part(first, true)}`), ...rows(series.map((labels) => part(labels, false)))];
}

/** "12 observations, sum 0.4". */
const observations = ({ count, sum }: { readonly count: string; readonly sum: string }): string =>
  `${amount(number(count))} observations, sum ${amount(number(sum))}`;

/** With its day where the whole takes (`span`, seconds) more than one. */
const clock = (seconds: number, span: number) => {
  const time = new Date(seconds * 1000).toISOString();
  return span < 86_400 ? time.slice(11, 19) : `${time.slice(5, 10)} ${time.slice(11, 16)}`;
};

const number = (text: string) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

/** As it would be written in a query. */
export function seriesName({ __name__: name = "", ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length > 0 || name === "" ? `${name}{${pairs.join(", ")}}` : name;
}
