/** A trace in a terminal: who called whom, when, for how long, and what everything waited for. */
import {
  attribute,
  criticalPath,
  type FoundLog,
  type Span,
  type Stretch,
  shares,
  type TraceNode,
  type TraceTree,
  walk,
} from "@flotilla/telemetry/ask";
import { milliseconds } from "./amounts.ts";
import { lineOf } from "./found-logs.ts";
import { onOneLine, withoutIds } from "./line-text.ts";
import { columns, fit, type painter, type Style, visibleWidth } from "./terminal.ts";

export interface Canvas {
  readonly paint: ReturnType<typeof painter>;
  /** Columns of the terminal. */
  readonly width: number;
  /** Columns that text may take; where nobody has to fit it, it is left whole. */
  readonly textWidth: number;
}

/** Lines: a head, a line for each span with its bar, the critical path in words, and the trace's log lines. */
export function waterfall(tree: TraceTree, logs: readonly FoundLog[], canvas: Canvas): string[] {
  const { paint, width, textWidth } = canvas;
  const path = tree.roots.flatMap(criticalPath);
  const colour = colours();
  const nodes = [...walk(tree.roots)];
  const errors = nodes.filter(({ node }) => isError(node.span)).length;
  const services = new Set(nodes.map(({ node }) => node.service)).size;
  const most = Math.max(30, Math.floor(width / 2));
  const rows = nodes.map(({ node, depth }) => {
    const name = fit(`${"  ".repeat(Math.min(depth, deepest))}${node.service} ${node.span.name ?? ""}`, most);
    const time = milliseconds((node.end - node.start) / 1e6);
    return [name.replace(node.service, (service) => paint(colour(service), service)), time.padStart(8), ""];
  });
  const left = columns(rows);
  const room = Math.max(20, width - Math.max(...left.map(visibleWidth)) - 2);
  const lines = nodes.flatMap(({ node, depth }, i) => {
    const bar = barOf(node, tree.duration, room, stretchesOf(path, node), (text) => paint(colour(node.service), text));
    const line = `${left[i]}  ${bar}`;
    if (!isError(node.span)) return [line];
    return [line, paint("red", fit(`${"  ".repeat(Math.min(depth, deepest))}✗ ${whatFailed(node.span)}`, textWidth))];
  });
  return [
    `trace ${tree.traceId}  ${new Date(tree.startedAt).toISOString()}  ${milliseconds(tree.duration / 1e6)}  ` +
      `${nodes.length} spans, ${services} services${errors > 0 ? paint("red", `, ${errors} with an error`) : ""}`,
    "",
    ...lines,
    "",
    ...criticalLines(tree, path, textWidth),
    ...logLines(tree, logs, canvas, colour),
  ];
}

/** Deeper spans are not indented further. */
const deepest = 20;

function barOf(
  node: TraceNode,
  duration: number,
  room: number,
  stretches: readonly Stretch[],
  paint: (text: string) => string,
): string {
  const at = (time: number) => (duration === 0 ? 0 : Math.floor((time / duration) * (room - 1)));
  const cells: string[] = Array.from({ length: room }, (_, i) =>
    i >= at(node.start) && i <= at(node.end) ? "─" : " ",
  );
  for (const { from, to } of stretches) for (let i = at(from); i <= at(to); i++) cells[i] = "━";
  const text = cells.join("");
  const begin = text.length - text.trimStart().length;
  return text.slice(0, begin) + paint(text.trim());
}

const stretchesOf = (path: readonly Stretch[], wanted: TraceNode) => path.filter(({ node }) => node === wanted);

/** Characters of a span's name beside its figures; the tree above has all of it. */
const longestName = 40;

/** The spans that take most of the time that everything waits for. */
function criticalLines(tree: TraceTree, path: readonly Stretch[], textWidth: number): string[] {
  const total = path.reduce((sum, { from, to }) => sum + to - from, 0);
  if (total === 0) return [];
  const all = shares(path);
  const largest = all.slice(0, 3);
  const rows = largest.map(({ node, time }) => [
    `  ${node.service}`,
    fit(node.span.name ?? "", longestName),
    milliseconds(time / 1e6),
    `${Math.round((time / total) * 100)}%`,
    waitsFor(node),
  ]);
  const more = all.length > largest.length ? ` through ${all.length} spans; most time of their own have` : "";
  return [
    `critical path ━ ${milliseconds(tree.duration / 1e6)}${more}`,
    ...columns(rows).map((line) => fit(line, textWidth)),
  ];
}

/** A client's own time is what the other side took, as far as that has not told of it, and the way there and back. */
function waitsFor({ span: { kind, attributes } }: TraceNode): string {
  const peer = attribute(attributes, "peer.service") ?? attribute(attributes, "server.address");
  return kind === spanKindClient && peer ? `waiting for ${peer}` : "";
}

/** Source: OTLP, Span.SpanKind. */
const spanKindClient = 3;

function logLines(
  tree: TraceTree,
  logs: readonly FoundLog[],
  { paint, textWidth }: Canvas,
  colour: (service: string) => Style,
): string[] {
  if (logs.length === 0) return [];
  const rows = logs.map((log) => {
    const line = lineOf(log);
    const after = Number(BigInt(log.record.timeUnixNano ?? log.record.observedTimeUnixNano ?? "0")) / 1e6;
    const time = `+${milliseconds(Math.max(0, after - tree.startedAt))}`;
    return [time, paint(colour(line.service), line.service), line.level ?? "", onOneLine(withoutIds(line))];
  });
  return ["", "logs", ...columns(rows).map((line) => `  ${fit(line, textWidth - 2)}`)];
}

const isError = ({ status }: Span) => status?.code === 2;

const whatFailed = ({ status, attributes }: Span) =>
  status?.message ||
  attribute(attributes, "error.type") ||
  attribute(attributes, "http.response.status_code") ||
  "error";

const palette: Style[] = ["cyan", "yellow", "green", "magenta", "blue", "cyanBright", "yellowBright", "greenBright"];

/** A colour for each service, in the order in which they are met. */
export function colours(): (service: string) => Style {
  const known = new Map<string, Style>();
  return (service) => {
    if (!known.has(service)) known.set(service, palette[known.size % palette.length] as Style);
    return known.get(service) as Style;
  };
}
