import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attributesOf } from "../attributes.ts";
import type { TracesData } from "../otlp/types.ts";
import { criticalPath, shares } from "./critical-path.ts";
import { type TraceNode, traceTree, walk } from "./trace-tree.ts";

type Given = readonly [id: string, parent: string | undefined, start: number, end: number];

/** Times in nanoseconds; every span is of a service of its own name. */
const trace = (...spans: Given[]) => traceOf(spans);

const traceOf = (spans: readonly Given[]): TracesData => ({
  resourceSpans: spans.map(([spanId, parentSpanId, start, end]) => ({
    resource: { attributes: attributesOf({ "service.name": spanId }) },
    scopeSpans: [
      {
        spans: [
          {
            traceId: "t",
            spanId,
            ...(parentSpanId !== undefined && { parentSpanId }),
            startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(start)),
            endTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(end)),
          },
        ],
      },
    ],
  })),
});

const outline = (...spans: Given[]) =>
  [...walk(traceTree(trace(...spans))?.roots ?? [])].map(({ node, depth }) => "  ".repeat(depth) + node.span.spanId);

describe("a tree", () => {
  test("of nothing", () => expect(traceTree({})).toBeUndefined());
  test("has children by start", () =>
    expect(outline(["b", "root", 5, 6], ["a", "root", 1, 9], ["root", undefined, 0, 9])).toEqual([
      "root",
      "  a",
      "  b",
    ]));
  test("of spans without their parent has several roots", () =>
    expect(outline(["b", "gone", 5, 6], ["a", "gone", 1, 2], ["c", "b", 5, 6])).toEqual(["a", "b", "  c"]));
  test("has a span that came twice once", () =>
    expect(outline(["a", undefined, 0, 1], ["a", undefined, 0, 1])).toEqual(["a"]));
  test("of spans that are each other's parents is still one", () =>
    expect(outline(["a", "b", 0, 2], ["b", "a", 1, 2], ["c", "c", 0, 1]).toSorted()).toEqual(["  b", "a", "c"]));
  test("knows times to the nanosecond", () => {
    const tree = traceTree(trace(["a", undefined, 0, 1001], ["b", "a", 1, 1000]));
    expect(tree?.duration).toBe(1001);
    expect(tree?.roots[0]?.children[0]).toMatchObject({ start: 1, end: 1000, service: "b" });
  });
  test("a span that ends before it starts took no time", () =>
    expect(traceTree(trace(["a", undefined, 5, 3]))?.duration).toBe(0));
});

const rootOf = (...spans: Given[]) => traceTree(trace(...spans))?.roots[0] as TraceNode;
const path = (...spans: Given[]) =>
  criticalPath(rootOf(...spans)).map(({ node, from, to }) => `${node.span.spanId} ${from}-${to}`);

describe("the critical path", () => {
  test("of one span is itself", () => expect(path(["a", undefined, 0, 10])).toEqual(["a 0-10"]));
  test("goes through calls one after the other", () =>
    expect(path(["a", undefined, 0, 10], ["b", "a", 1, 3], ["c", "a", 4, 9])).toEqual([
      "a 0-1",
      "b 1-3",
      "a 3-4",
      "c 4-9",
      "a 9-10",
    ]));
  test("of calls side by side takes the one that was waited for", () =>
    expect(path(["a", undefined, 0, 10], ["fast", "a", 1, 3], ["slow", "a", 1, 9])).toEqual([
      "a 0-1",
      "slow 1-9",
      "a 9-10",
    ]));
  test("takes what came before the slow one started", () =>
    expect(path(["a", undefined, 0, 10], ["b", "a", 1, 6], ["c", "a", 4, 9])).toEqual([
      "a 0-1",
      "b 1-4",
      "c 4-9",
      "a 9-10",
    ]));
  test("goes down", () =>
    expect(path(["a", undefined, 0, 10], ["b", "a", 1, 9], ["c", "b", 2, 8])).toEqual([
      "a 0-1",
      "b 1-2",
      "c 2-8",
      "b 8-9",
      "a 9-10",
    ]));
  test("ends with its root though a child runs on", () =>
    expect(path(["a", undefined, 0, 10], ["b", "a", 5, 50])).toEqual(["a 0-5", "b 5-10"]));
  test("leaves out what a wrong clock puts elsewhere", () =>
    expect(path(["a", undefined, 10, 20], ["b", "a", 30, 40])).toEqual(["a 0-10"]));

  const spans = fc.array(fc.tuple(fc.nat(30), fc.nat(100), fc.nat(100)), { maxLength: 30 });
  test("covers the root's time exactly once, whatever the trace", () =>
    fc.assert(
      fc.property(spans, (given) => {
        const all: Given[] = [
          ["0", undefined, 0, 100],
          ...given.map(
            ([parent, start, length], i): Given => [`${i + 1}`, `${Math.min(parent, i)}`, start, start + length],
          ),
        ];
        const stretches = criticalPath(rootOf(...all));
        let at = 0;
        for (const { from, to } of stretches) {
          expect(from).toBe(at);
          at = to;
        }
        expect(at).toBe(100);
      }),
    ));
});

test("the largest share is the bottleneck", () => {
  const found = shares(criticalPath(rootOf(["a", undefined, 0, 10], ["b", "a", 1, 3], ["c", "a", 4, 9])));
  expect(found.map(({ node, time }) => [node.service, time])).toEqual([
    ["c", 5],
    ["a", 3],
    ["b", 2],
  ]);
});

test("a hundred thousand spans deep is no trouble", () => {
  const deep = Array.from(
    { length: 100_000 },
    (_, i): Given => [`${i}`, i === 0 ? undefined : `${i - 1}`, i, 300_000 - i],
  );
  expect(criticalPath(traceTree(traceOf(deep))?.roots[0] as TraceNode)).toHaveLength(2 * 100_000 - 1);
});
