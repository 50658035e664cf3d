import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { controlPlaneSaid } from "./last-words.ts";

let node: string;
let folder: string;
beforeEach(() => {
  node = mkdtempSync(join(tmpdir(), "flotilla-last-words-"));
  folder = join(node, "logs", "kube-system_control-plane_static", "control-plane");
});
afterEach(() => rmSync(node, { recursive: true }));

function log(name: string, seconds: number, ...lines: string[]) {
  mkdirSync(folder, { recursive: true });
  const text = lines.map((line) => `2026-01-01T00:00:00.000000000Z stderr F ${line}\n`).join("");
  writeFileSync(join(folder, name), text);
  utimesSync(join(folder, name), seconds, seconds);
}

test("the last line of the newest log", () => {
  log("0.log", 100, "older");
  log("1.log", 200, "first", "state file is damaged");
  expect(controlPlaneSaid(node, 0)).toEqual({ line: "state file is damaged", folder });
});
test("a run that has said nothing yet leaves the word to the one before", () => {
  log("0.log", 100, "why it ended");
  log("1.log", 200);
  expect(controlPlaneSaid(node, 0)?.line).toBe("why it ended");
});
test("what was said before the start is old", () => {
  log("0.log", 100, "of yesterday");
  expect(controlPlaneSaid(node, 150_000)).toBeUndefined();
});
test("no log", () => expect(controlPlaneSaid(node, 0)).toBeUndefined());
