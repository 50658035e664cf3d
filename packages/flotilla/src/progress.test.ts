import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { changedLines, failureLines, progressLines } from "./progress.ts";
import type { ServiceState, State } from "./service-state.ts";

const part = (name: string, state: State, more: Partial<ServiceState> = {}): ServiceState => ({ name, state, ...more });
const plain = (_: unknown, text: string) => text;
const lines = (states: ServiceState[], room?: number) => progressLines(states, 0, plain, room);

test("a line for each part: mark, name, state, replicas, reason", () =>
  expect(
    lines([
      part("web", "ready", { ready: 2, desired: 2 }),
      part("orders", "building"),
      part("payments", "left out", { message: "needs python3\nand more" }),
    ]),
  ).toEqual(["  ✓ web       ready     2/2", "  ⠋ orders    building", "  – payments  left out       needs python3"]));

test("where there is too little room, what is not ready stays in sight", () => {
  const many = [..."abcdef"].map((name) => part(name, name === "e" ? "failing" : "ready"));
  expect(lines(many, 3)).toEqual(["  ✗ e  failing", "  ✓ a  ready", "  … and 4 more"]);
  expect(lines(many, 6)).toHaveLength(6);
});

test("colours do not move columns", () => {
  const painted = progressLines(
    [part("a", "ready"), part("bcd", "failing")],
    0,
    (_, text) => `\x1b[31m${text}\x1b[39m`,
  );
  expect(painted.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(
    lines([part("a", "ready"), part("bcd", "failing")]),
  );
});

test.each([
  ["a new state", [part("a", "starting")], [part("a", "ready")], ["a: ready"]],
  ["a new reason", [part("a", "failing")], [part("a", "failing", { message: "x" })], ["a: failing: x"]],
  ["replicas alone", [part("a", "starting")], [part("a", "starting", { ready: 1 })], []],
  ["what failed is gone", [part("(model)", "failing")], [], ["(model): fails no longer"]],
])("what is told without a terminal: %s", (_, before, after, told) =>
  expect(changedLines(before, after)).toEqual(told),
);

test("the last words of what fails stand below it", () =>
  expect(failureLines(part("a", "failing", { message: "it exited", output: ["one", "two"] }))).toEqual([
    "a: failing: it exited",
    "  | one",
    "  | two",
  ]));
