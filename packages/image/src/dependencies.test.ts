import { expect, test } from "vitest";
import { tellingLines } from "./dependencies.ts";

test("of npm, what is wrong and not how it is used", () => {
  const said = [
    "npm warn config something",
    "npm error code EUSAGE",
    "npm error",
    "npm error Missing: is-odd@3.0.1 from lock file",
    "npm error",
    "npm error Clean install a project",
    "npm error Usage:",
    "npm error A complete log of this run can be found in: /root/x.log",
  ].join("\n");
  expect(tellingLines(said)).toEqual(["code EUSAGE", "Missing: is-odd@3.0.1 from lock file"]);
});
test("of others, the end", () =>
  expect(tellingLines(`${"line\n".repeat(20)}\nERROR: no such package\n`).at(-1)).toBe("ERROR: no such package"));
