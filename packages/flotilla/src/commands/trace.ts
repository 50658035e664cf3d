// flotilla trace: the newest traces, those that match, or one of them with what it waited for.
import { systemClock } from "@flotilla/ambient";
import {
  attribute,
  serviceOf,
  type Telemetry,
  type TraceSummary,
  toJson,
  traceTree,
  walk,
} from "@flotilla/telemetry/ask";
import { milliseconds } from "../amounts.ts";
import { CommandError } from "../errors.ts";
import { duration, pairs } from "../period.ts";
import { telemetryOf } from "../telemetry-of.ts";
import { columns, fit, isColoured, painter } from "../terminal.ts";
import { bodyOf, waterfall } from "../waterfall.ts";

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
  if (options.output === "json") process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else if (found.length === 0) process.stderr.write("No trace matches. Without options: flotilla trace\n");
  else process.stdout.write(`${table(found).join("\n")}\n`);
}

function table(found: readonly TraceSummary[]): string[] {
  const paint = painter(isColoured(process.stdout));
  const head = ["TRACE", "STARTED", "DURATION", "SPANS", "ERRORS", "OPERATION", "THROUGH"];
  return columns([
    head.map((title) => paint("dim", title)),
    ...found.map(({ traceId, start, duration, spans, errors, service, operation, services }) => [
      traceId,
      new Date(start).toISOString().slice(11, 23),
      milliseconds(duration),
      String(spans),
      errors > 0 ? paint("red", String(errors)) : "0",
      `${service} ${operation}`,
      Object.keys(services).sort().join(" "),
    ]),
  ]);
}

async function showOne(telemetry: Telemetry, given: string, { output }: TraceOptions): Promise<void> {
  const id = given.toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(id)) throw new CommandError(`${given} is no trace id: 32 hexadecimal digits`, 2);
  const data = await telemetry.trace(id);
  const tree = data && traceTree(data);
  if (!data || !tree)
    throw new CommandError(`There is no trace ${id}; it may be too old, or sampled away. The newest: flotilla trace`);
  if (output === "json") return void process.stdout.write(`${toJson("traces", data)}\n`);
  const logs = await telemetry.logs({ traceId: id, limit: 200 });
  const paint = painter(isColoured(process.stdout));
  const lines = waterfall(tree, logs, { paint, width: process.stdout.columns ?? 120 });
  const services = new Set([...walk(tree.roots)].map(({ node }) => node.service));
  const changes = await changesBefore(telemetry, services, tree.startedAt);
  process.stdout.write(`${[...lines, ...changes].join("\n")}\n`);
}

/** Milliseconds before a trace in which a change may have to do with it. */
const before = 10 * 60_000;

/** What was changed of the services that a trace goes through, shortly before. */
async function changesBefore(telemetry: Telemetry, services: ReadonlySet<string>, at: number): Promise<string[]> {
  const marks = await telemetry.logs({ event: "flotilla.change", from: at - before, to: at, services: [...services] });
  if (marks.length === 0) return [];
  const rows = marks.slice(-5).map(({ resource, record }) => {
    const ago = at - Number(BigInt(record.timeUnixNano ?? "0") / 1_000_000n);
    const what = ["k8s.object.kind", "k8s.object.name"].map((key) => attribute(record.attributes, key)).join(" ");
    return [`  ${milliseconds(ago)} before`, serviceOf(resource), what, bodyOf(record.body)];
  });
  return ["", "changed before", ...columns(rows).map((line) => fit(line, process.stdout.columns ?? 120))];
}
