/**
 * Which spans a trace's duration is made of: shorten one of them, and the whole becomes shorter.
 *
 * From the end of a span backwards: whatever child ended last was waited for; before it started, the one that had ended last
 * then; what is not covered by a child is the span's own time. Source: Zhang et al., CRISP: Critical Path Analysis of Large-Scale
 * Microservice Architectures, USENIX ATC 2022.
 */
import type { TraceNode } from "./trace-tree.ts";

/** A stretch of time in which this span's own work was what everything waited for. Nanoseconds since the trace's start. */
export interface Stretch {
  readonly node: TraceNode;
  readonly from: number;
  readonly to: number;
}

/** In order of time; together they cover the root's time exactly once. */
export function criticalPath(root: TraceNode): Stretch[] {
  const backwards: Stretch[] = [];
  const add = (node: TraceNode, from: number, to: number) => {
    if (to > from) backwards.push({ node, from, to });
  };
  // What is still to be gone through, innermost last. Of each: until where its time is explained, and its children by end.
  const open = [frameOf(root, root.start, root.end)];
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    const child = frame.children.pop();
    if (!child) {
      add(frame.node, frame.from, frame.until);
      open.pop();
      const parent = open.at(-1);
      if (parent) parent.until = frame.from;
      continue;
    }
    // A child that runs on, or whose clock is ahead, is cut to what its parent could have waited for.
    const to = Math.min(child.end, frame.until);
    const from = Math.max(child.start, frame.from);
    // It started after what is explained already: it ran beside that and was not waited for.
    if (from >= to) continue;
    add(frame.node, to, frame.until);
    open.push(frameOf(child, from, to));
  }
  return backwards.reverse();
}

interface Frame {
  readonly node: TraceNode;
  readonly from: number;
  until: number;
  /** The one that ended last is last. */
  readonly children: TraceNode[];
}

const frameOf = (node: TraceNode, from: number, until: number): Frame => ({
  node,
  from,
  until,
  children: node.children.toSorted((a, b) => a.end - b.end || b.start - a.start),
});

/** What a span has of the critical path by itself, without its children. Nanoseconds. */
export interface Share {
  readonly node: TraceNode;
  readonly time: number;
}

/** Spans of the critical path, those with the largest share first. */
export function shares(path: readonly Stretch[]): Share[] {
  const times = new Map<TraceNode, number>();
  for (const { node, from, to } of path) times.set(node, (times.get(node) ?? 0) + to - from);
  return [...times].map(([node, time]) => ({ node, time })).sort((a, b) => b.time - a.time);
}
