import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchFolder } from "./watch-folder.ts";

let folder: string;
let seen: Set<string>;
let unwatch: () => Promise<void>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "watch-"));
  for (const name of ["web", "node_modules", ".flotilla"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "web", "server.ts"), "");
  seen = new Set();
  unwatch = watchFolder(folder, (path) => seen.add(path.slice(folder.length + 1)));
  // It says nothing of when it has begun to watch.
  await vi.waitFor(() => {
    writeFileSync(join(folder, "begin"), String(seen.size));
    expect(seen).toContain("begin");
  });
});
afterEach(async () => {
  await unwatch();
  rmSync(folder, { recursive: true });
});

test("edits, new files and new folders are told; what tools write is not", async () => {
  for (const name of ["node_modules/x.js", ".flotilla/state.db"]) writeFileSync(join(folder, name), "x");
  writeFileSync(join(folder, "web", "server.ts"), "edited");
  mkdirSync(join(folder, "web", "pages"));
  writeFileSync(join(folder, "web", "pages", "index.html"), "new");
  await vi.waitFor(() => expect([...seen]).toEqual(expect.arrayContaining(["web/server.ts", "web/pages/index.html"])));
  expect([...seen].filter((path) => /node_modules|flotilla/.test(path))).toEqual([]);
});
test("a file that is removed is told", async () => {
  rmSync(join(folder, "web", "server.ts"));
  await vi.waitFor(() => expect(seen).toContain("web/server.ts"));
});
