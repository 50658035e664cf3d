import { describe, expect, test } from "vitest";
import type { Line } from "./found-logs.ts";
import { atIds, markText, shortChange, shownLines, withoutIds } from "./line-text.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const suffix = ` trace_id=${traceId} span_id=${spanId}`;

describe("a text without the ids that its record carries", () => {
  test.each([
    [`paid${suffix}`, "paid"],
    [`paid trace_id=${traceId}`, "paid"],
    [`failed${suffix}\n    at pay (main.js:1)`, "failed\n    at pay (main.js:1)"],
    ["paid", "paid"],
    ["", ""],
    [`paid${suffix} in time`, `paid${suffix} in time`],
    [`failed\n    at pay${suffix}`, `failed\n    at pay${suffix}`],
    [`paid trace_id=${"0".repeat(32)}`, `paid trace_id=${"0".repeat(32)}`],
    [`paid trace_id=${traceId} span_id=${"0".repeat(16)}`, `paid trace_id=${traceId} span_id=${"0".repeat(16)}`],
  ])("%j", (text, shown) => expect(withoutIds({ text, traceId, spanId })).toBe(shown));
  test("which it carries not", () => expect(withoutIds({ text: `paid${suffix}` })).toBe(`paid${suffix}`));
});

test.each([
  [`paid${suffix}`, ["paid", suffix]],
  ["paid", ["paid", ""]],
  [`${suffix} first`, [`${suffix} first`, ""]],
])("%j as it was printed, and the ids at its end", (line, parts) => expect(atIds(line)).toEqual(parts));

test.each([
  ["image: localhost/a@sha256:4fa1 → localhost/a@sha256:9bc0", "image: localhost/a@sha256:4fa1 → …9bc0"],
  ["host: orders-one → orders-other", "host: orders-one → orders-other"],
  ["host: orders.shop-one → orders.shop-other", "host: orders.shop-one → …other"],
  ["replicas: 1 → 2", "replicas: 1 → 2"],
  ["version: 400cac01bbbb → 400cac01bbbc", "version: 400cac01bbbb → 400cac01bbbc"],
  ["args: a b → a c", "args: a b → a c"],
  ["created", "created"],
])("%j says nothing twice", (text, shown) => expect(shortChange(text)).toBe(shown));
test("in brief, what did not change is left out", () =>
  expect(shortChange("image: localhost/a@sha256:4fa1 → localhost/a@sha256:9bc0", true)).toBe("image: …4fa1 → …9bc0"));

describe("a mark", () => {
  const change = { event: "flotilla.change", text: "spec.template.spec.x: 1 → 2\nlabels.v: 1 → 2\nspec.y: 3 → 4" };
  test.each([
    ["all", change, {}, "x: 1 → 2, labels.v: 1 → 2, spec.y: 3 → 4"],
    ["in brief", change, { brief: true }, "x: 1 → 2, and 2 more"],
    ["by somebody", { ...change, by: "kubectl-edit" }, { brief: true }, "x: 1 → 2, and 2 more (by kubectl-edit)"],
    ["by flotilla", { ...change, by: "flotilla-app" }, { brief: true }, "x: 1 → 2, and 2 more"],
    ["of one field", { ...change, text: "spec.y: 3 → 4" }, { brief: true }, "spec.y: 3 → 4"],
    ["what came", { ...change, text: "created\nspec.image: a", by: "deployment" }, {}, "created, spec.image: a"],
    ["what came bare", { ...change, text: "created" }, {}, "created"],
    ["what went", { ...change, text: "deleted", by: "kubectl" }, {}, "deleted (by kubectl)"],
    [
      "an Event",
      { event: "k8s.event", text: "failed:\nrefused", reason: "Unhealthy" },
      {},
      "Unhealthy: failed: ⏎ refused",
    ],
    ["an alert", { event: "flotilla.alert", text: "too fast" }, {}, "too fast"],
  ])("%s", (_, mark, options, shown) => expect(markText(mark, options)).toBe(shown));
});

describe("printed", () => {
  const line: Line = { time: "2026-01-01T00:00:00.500Z", text: "", service: "web", pod: "web-1", container: "web" };
  const shown = (given: Partial<Line>, oneTrace = false) =>
    shownLines(
      { ...line, ...given },
      {
        paint: (style, text) => (style === "dim" ? `(${text})` : text),
        colour: () => "cyan",
        oneTrace,
      },
    );
  test.each<[string, Partial<Line>, boolean, string[]]>([
    ["a line", { text: "open" }, false, ["web-1 open"]],
    ["of no pod", { text: "open", pod: "" }, false, ["web open"]],
    ["as it was printed", { text: `paid${suffix}` }, false, [`web-1 paid(${suffix})`]],
    ["found", { text: `paid${suffix}`, traceId, spanId }, false, [`web-1 paid( trace_id=${traceId})`]],
    ["found by its trace", { text: `paid${suffix}`, traceId, spanId }, true, ["web-1 paid"]],
    ["with an id elsewhere", { text: "paid", traceId }, false, [`web-1 paid( trace_id=${traceId})`]],
    ["with its id in its midst", { text: `{"t":"${traceId}"}`, traceId }, false, [`web-1 {"t":"${traceId}"}`]],
    ["a stack", { text: `oops${suffix}\n  at x`, traceId, spanId }, true, ["web-1 oops", "web-1   at x"]],
    [
      "a mark",
      { text: "replicas: 1 → 2", event: "flotilla.change", object: "Deployment web" },
      false,
      ["(2026-01-01T00:00:00Z) Deployment web replicas: 1 → 2"],
    ],
  ])("%s", (_, given, oneTrace, lines) => expect(shown(given, oneTrace)).toEqual(lines));
});
