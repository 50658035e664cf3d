// npm test: types, lint, all tests; ends with one line that counts them. Arguments go to vitest: npm test -- packages/patch
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, nodeBinary, root } from "./node.mjs";

install();
const folder = mkdtempSync(join(tmpdir(), "flotilla-test-"));
const report = join(folder, "report.json");
const bin = (...path) => join(root, "node_modules", ...path);
const run = (name, args) => {
  console.log(`\n# ${name}`);
  return spawnSync(nodeBinary(), args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
};

let failed = 0;
let passed = 0;
let skipped = 0;
const count = (ok) => (ok ? passed++ : failed++);
try {
  count(run("types", [bin("typescript", "bin", "tsc"), "--noEmit", "-p", "."]));
  count(run("lint", [bin("@biomejs", "biome", "bin", "biome"), "check", "--error-on-warnings"]));
  run("tests", [
    bin("vitest", "vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]);
  const results = JSON.parse(readFileSync(report, "utf8"));
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  skipped += results.numPendingTests + results.numTodoTests;
  // A file that cannot be loaded has no tests that could fail.
  failed += results.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  // Errors outside of any test fail the run as a whole.
  if (!results.success && failed === 0) failed++;
} catch (error) {
  console.error(`the tests left no report: ${error.message}`);
  failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);
