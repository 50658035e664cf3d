// flotilla trace: the newest traces, those that match, or one of them with what it waited for.

import { systemClock } from "@flotilla/ambient";
import {
  carriers,
  type FoundLog,
  QueryError,
  type Telemetry,
  type TraceSummary,
  toJson,
  traceTree,
  walk,
} from "@flotilla/telemetry/ask";
import { milliseconds } from "../amounts.ts";
import { CommandError } from "../errors.ts";
import { lineOf } from "../found-logs.ts";
import { escaped, jsonText, printLines } from "../legible.ts";
import { markText } from "../line-text.ts";
import { duration, pairs } from "../period.ts";
import { telemetryOf } from "../telemetry-of.ts";
import { columns, fit, isColoured, painter, visibleWidth } from "../terminal.ts";
import { waterfall } from "../waterfall.ts";

export interface TraceOptions {
  readonly dir: string;
  readonly service?: string;
  readonly operation?: string;
  readonly min?: string;
  readonly max?: string;
  readonly error?: boolean;
  readonly attribute?: readonly string[];
  readonly since?: string;
  readonly limit: number;
  readonly output?: "json";
}

export async function trace(id: string | undefined, options: TraceOptions): Promise<void> {
  const telemetry = telemetryOf(options.dir);
  if (id !== undefined) return showOne(telemetry, id, options);
  const since = options.since === undefined ? undefined : duration("--since", options.since);
  const found = await telemetry.traces({
    ...(options.service && { service: options.service }),
    ...(options.operation && { operation: options.operation }),
    ...(options.min && { minDuration: duration("--min", options.min) }),
    ...(options.max && { maxDuration: duration("--max", options.max) }),
    ...(options.error && { status: "error" }),
    ...(options.attribute && { attributes: pairs("--attribute", options.attribute) }),
    ...(since !== undefined && { from: systemClock.now() - since }),
    limit: options.limit,
  });
  if (options.output === "json") process.stdout.write(`${jsonText(found, 2)}\n`);
  else if (found.length === 0) process.stderr.write("No trace matches.\n");
  else
    printLines(
      process.stdout,
      table(found, { paint: painter(isColoured(process.stdout)), width: process.stdout.columns }),
    );
}

/** `width`: columns of the terminal; undefined: nobody has to fit it. */
export function table(
  found: readonly TraceSummary[],
  { paint, width = Number.POSITIVE_INFINITY }: { paint: ReturnType<typeof painter>; width: number | undefined },
): string[] {
  const titles = ["TRACE", "STARTED", "DURATION", "SPANS", "ERRORS", "OPERATION", "THEN THROUGH"];
  const rows = found.map(({ traceId, start, duration, spans, errors, services, ...summary }) => {
    const { service, operation } = summary.entry ?? summary;
    const through = Object.keys(services).filter((name) => name !== service && !carriers.has(name));
    return [
      traceId,
      new Date(start).toISOString().slice(11, 23),
      milliseconds(duration),
      String(spans),
      errors > 0 ? paint("red", String(errors)) : "0",
      `${service} ${operation}`,
      through.join(" "),
    ];
  });
  const all = [titles.map((title) => paint("dim", title)), ...rows];
  // Where the terminal is narrow, what tells least is left out first.
  const narrower = [[], ["THEN THROUGH"], ["THEN THROUGH", "SPANS"], ["THEN THROUGH", "SPANS", "STARTED"]].map(
    (without) => columns(all.map((row) => row.filter((_, i) => !without.includes(titles[i] as string)))),
  );
  const fitting = narrower.find((lines) => lines.every((line) => visibleWidth(line) <= width));
  return fitting ?? (narrower.at(-1) as string[]).map((line) => fit(line, width));
}

async function showOne(telemetry: Telemetry, given: string, { output }: TraceOptions): Promise<void> {
  const id = given.toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(id)) throw new CommandError(`${given} is no trace id: 32 hexadecimal digits`, 2);
  const data = await telemetry.trace(id);
  const tree = data && traceTree(data);
  if (!data || !tree)
    throw new CommandError(`There is no trace ${id}; it may be too old, or sampled away. The newest: flotilla trace`);
  if (output === "json") return void process.stdout.write(`${escaped(toJson("traces", data))}\n`);
  let logs: FoundLog[] = [];
  const missing: string[] = [];
  try {
    logs = await telemetry.logs({ traceId: id, limit: 200 });
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    missing.push("", `its lines are not shown: ${error.message}`);
  }
  const paint = painter(isColoured(process.stdout));
  const { columns: width } = process.stdout;
  const canvas = { paint, width: width ?? 120, textWidth: width ?? Number.POSITIVE_INFINITY };
  const services = new Set([...walk(tree.roots)].map(({ node }) => node.service));
  const marks = await telemetry.logs({
    event: "flotilla.change",
    from: tree.startedAt - before,
    to: tree.startedAt,
    services: [...services],
  });
  const lines = [...waterfall(tree, logs, canvas), ...missing, ...changeLines(marks, tree.startedAt, canvas.textWidth)];
  printLines(process.stdout, lines);
}

/** Milliseconds before a trace in which a change may have to do with it. */
const before = 10 * 60_000;
const mostChanges = 5;

/** What was changed of the services that a trace goes through, shortly before it (`at`, ms); the last change first. */
export function changeLines(marks: readonly FoundLog[], at: number, width: number): string[] {
  if (marks.length === 0) return [];
  const rows = marks
    .map(lineOf)
    .reverse()
    .slice(0, mostChanges)
    .map((mark) => [
      milliseconds(at - Date.parse(mark.time)),
      mark.object ?? mark.service,
      markText(mark, { brief: true }),
    ]);
  const more = marks.length > mostChanges ? [`  and ${marks.length - mostChanges} more: flotilla logs --changes`] : [];
  return ["", "changed before", ...columns(rows).map((line) => `  ${fit(line, width - 2)}`), ...more];
}
