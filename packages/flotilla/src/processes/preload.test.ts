import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "preload-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (file: string) => {
  const args = ["--require", join(import.meta.dirname, "preload.cjs"), file];
  return spawnSync(process.execPath, args, { encoding: "utf8", cwd: import.meta.dirname });
};

test("what is imported is the same as without it", () => {
  const { status, stderr } = run(join(import.meta.dirname, "control-plane.ts"));
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringMatching(/^control plane: .*cluster\.json does not exist; this process is started by/),
  });
});

test("what is not ours is resolved as always", () => {
  const file = join(folder, "app.ts");
  writeFileSync(file, `import "./missing.ts";`);
  expect(run(file).stderr).toContain("ERR_MODULE_NOT_FOUND");
});
