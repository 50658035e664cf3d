/**
 * A trace as a tree: what called what, and when. Spans come in any order, late, twice, from clocks that differ; parents may be
 * missing. Whatever came is in the tree once.
 */
import { serviceOf } from "../attributes.ts";
import type { Resource, Scope, Span, TracesData } from "../otlp/types.ts";

export interface TraceNode {
  readonly span: Span;
  readonly resource: Resource;
  readonly scope: Scope;
  readonly service: string;
  /** Nanoseconds since the trace's start, which fit into a number exactly. */
  readonly start: number;
  readonly end: number;
  /** In order of start. */
  readonly children: readonly TraceNode[];
}

export interface TraceTree {
  readonly traceId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Nanoseconds, from the earliest start to the latest end. */
  readonly duration: number;
  /** In order of start. More than one where the span that they have in common has not come (yet). */
  readonly roots: readonly TraceNode[];
}

/** Undefined: no span in it. */
export function traceTree({ resourceSpans = [] }: TracesData): TraceTree | undefined {
  const found = new Map<string, Omit<TraceNode, "start" | "end" | "children">>();
  for (const { resource = {}, scopeSpans = [] } of resourceSpans)
    for (const { scope = {}, spans = [] } of scopeSpans)
      for (const span of spans) found.set(span.spanId, { span, resource, scope, service: serviceOf(resource) });
  const [first] = found.values();
  if (!first) return undefined;

  let startedAt = timesOf(first.span).start;
  let endedAt = startedAt;
  for (const { span } of found.values()) {
    const { start, end } = timesOf(span);
    if (start < startedAt) startedAt = start;
    if (end > endedAt) endedAt = end;
  }
  const nodes = new Map<string, TraceNode & { children: TraceNode[] }>();
  for (const [id, each] of found) {
    const { start, end } = timesOf(each.span);
    nodes.set(id, { ...each, start: Number(start - startedAt), end: Number(end - startedAt), children: [] });
  }
  for (const node of nodes.values()) parentOf(nodes, node)?.children.push(node);
  const byStart = (a: TraceNode, b: TraceNode) => a.start - b.start || b.end - a.end;
  for (const { children } of nodes.values()) children.sort(byStart);
  return {
    traceId: first.span.traceId,
    startedAt: Number(startedAt) / 1e6,
    duration: Number(endedAt - startedAt),
    roots: rootsOf(nodes).sort(byStart),
  };
}

const parentOf = <N extends TraceNode>(nodes: ReadonlyMap<string, N>, { span }: TraceNode): N | undefined =>
  span.parentSpanId === span.spanId ? undefined : nodes.get(span.parentSpanId ?? "");

/** Spans without a parent, and one of each circle of parents, which is cut there: nobody would ever see its spans. */
function rootsOf(nodes: ReadonlyMap<string, TraceNode & { children: TraceNode[] }>): TraceNode[] {
  const roots = [...nodes.values()].filter((node) => !parentOf(nodes, node));
  const reached = new Set<TraceNode>();
  for (const { node } of walk(roots)) reached.add(node);
  for (const node of nodes.values()) {
    if (reached.has(node)) continue;
    const siblings = parentOf(nodes, node)?.children ?? [];
    siblings.splice(siblings.indexOf(node), 1);
    roots.push(node);
    for (const below of walk([node])) reached.add(below.node);
  }
  return roots;
}

/** A span that ends before it starts took no time. */
function timesOf({ startTimeUnixNano = "0", endTimeUnixNano = "0" }: Span): { start: bigint; end: bigint } {
  const start = BigInt(startTimeUnixNano);
  const end = BigInt(endTimeUnixNano);
  return { start, end: end < start ? start : end };
}

/** All nodes, parents before children, siblings by start; `depth` of the roots is 0. Not recursive: traces may be deep. */
export function* walk(roots: readonly TraceNode[]): Generator<{ node: TraceNode; depth: number }> {
  const rest = roots.toReversed().map((node) => ({ node, depth: 0 }));
  for (let next = rest.pop(); next; next = rest.pop()) {
    yield next;
    const { depth } = next;
    rest.push(...next.node.children.toReversed().map((node) => ({ node, depth: depth + 1 })));
  }
}
