// A file above 500 lines holds two subjects; exceptions are listed here, each with its reason.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const exceptions: Record<string, string> = {};

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.mjs", "*.cjs", "*.py"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file && !/generated|testdata/.test(file));

test("no file above 500 lines", () => {
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(root, file), "utf8").split("\n").length - 1 }))
    .filter(({ file, lines }) => lines > 500 && !(file in exceptions));
  expect(long).toEqual([]);
});

test("every exception is still needed", () => {
  expect(Object.keys(exceptions).filter((file) => !files.includes(file))).toEqual([]);
});
