import { attributesOf, type FoundLog, type TraceSummary } from "@flotilla/telemetry/ask";
import { describe, expect, test } from "vitest";
import { changeLines, table } from "./trace.ts";

const id = "4bf92f3577b34da6a3ce929d0e0e4736";
const found: TraceSummary = {
  traceId: id,
  service: "gateway",
  operation: "POST /",
  entry: { service: "web", operation: "POST /orders" },
  start: Date.UTC(2026, 0, 1, 12),
  duration: 53.7,
  spans: 15,
  errors: 1,
  services: { gateway: 1, web: 3, "data-plane": 3, orders: 6, payments: 2 },
};
const lines = (summary: TraceSummary, width?: number) => table([summary], { paint: (_, text) => text, width });

describe("found traces", () => {
  test("by what the app was asked for, and where that led", () =>
    expect(lines(found)).toEqual([
      "TRACE                             STARTED       DURATION  SPANS  ERRORS  OPERATION         THEN THROUGH",
      `${id}  12:00:00.000  53.7 ms   15     1       web POST /orders  orders payments`,
    ]));
  test("that the gateway itself answered", () =>
    expect(lines({ ...found, entry: undefined, services: { gateway: 1 } })[1]).toBe(
      `${id}  12:00:00.000  53.7 ms   15     1       gateway POST /`,
    ));
  test.each([
    [100, "TRACE STARTED DURATION SPANS ERRORS OPERATION"],
    [88, "TRACE STARTED DURATION ERRORS OPERATION"],
    [80, "TRACE DURATION ERRORS OPERATION"],
    [60, "TRACE DURATION ERRORS OPERATI…"],
  ])("in %d columns", (width, titles) => {
    const shown = lines(found, width);
    expect(shown[0]?.replaceAll(/ +/g, " ")).toBe(titles);
    expect(Math.max(...shown.map(({ length }) => length))).toBeLessThanOrEqual(width);
  });
});

describe("changes before a trace", () => {
  const at = 1_767_225_600_000;
  const mark = (secondsBefore: number, text: string): FoundLog => ({
    id: "1",
    resource: { attributes: attributesOf({ "service.name": "web" }) },
    scope: {},
    record: {
      timeUnixNano: `${at - secondsBefore * 1000}000000`,
      eventName: "flotilla.change",
      body: { stringValue: text },
      attributes: attributesOf({ "k8s.object.kind": "Deployment", "k8s.object.name": "web" }),
    },
  });
  test("none", () => expect(changeLines([], at, 80)).toEqual([]));
  test("the last one first", () =>
    expect(changeLines([mark(300, "created"), mark(12, "spec.replicas: 1 → 2\nlabels.a: b → c")], at, 80)).toEqual([
      "",
      "changed before",
      "  12 s       Deployment web  spec.replicas: 1 → 2, and 1 more",
      "  5 min 0 s  Deployment web  created",
    ]));
  test("of many the last ones", () => {
    const many = Array.from({ length: 7 }, (_, i) => mark(70 - i * 10, `spec.replicas: ${i} → ${i + 1}`));
    const shown = changeLines(many, at, 80);
    expect(shown[2]).toBe("  10 s  Deployment web  spec.replicas: 6 → 7");
    expect(shown.at(-1)).toBe("  and 2 more: flotilla logs --changes");
    expect(shown).toHaveLength(8);
  });
  test("cut to the terminal's width", () =>
    expect(changeLines([mark(1, "x".repeat(100))], at, 40)[2]).toBe(`  1 s  Deployment web  ${"x".repeat(16)}…`));
});
