import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageStore } from "@flotilla/image";
import { afterEach, expect, test } from "vitest";
import { besideItsPackages, images } from "./images.ts";

const folder = mkdtempSync(join(tmpdir(), "compiled-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const resolve = (config: object) =>
  images(
    { resolve: async () => ({ digest: "sha256:1", mounts: [], config }) } as unknown as ImageStore,
    folder,
  ).resolve("localhost/shop-orders@sha256:1");
const node = { entrypoint: ["node", "server.ts"], user: "1000:1000" };

test("a Node.js image finds what was compiled of it before", async () => {
  const { mounts, config } = await resolve({ ...node, env: ["A=1"] });
  const source = join(folder, "localhost-shop-orders");
  expect(mounts).toEqual([{ source, target: "/run/flotilla/compiled", readOnly: false }]);
  expect(config.env).toEqual(["NODE_COMPILE_CACHE=/run/flotilla/compiled", "A=1"]);
});
test("only the image's user may write what it will run", async () => {
  await resolve(node);
  const { mode, uid } = statSync(join(folder, "localhost-shop-orders"));
  expect(mode & 0o777).toBe(0o700);
  expect(uid).toBe(process.getuid?.() === 0 ? 1000 : process.getuid?.());
});
test("an image's own folder for it is left alone", async () => {
  const { config } = await resolve({ ...node, env: ["NODE_COMPILE_CACHE=/mine"] });
  expect(config.env?.at(-1)).toBe("NODE_COMPILE_CACHE=/mine");
});
test("another language gets nothing", async () => {
  const { mounts, config } = await resolve({ entrypoint: ["python3", "main.py"], user: "1000:1000" });
  expect({ mounts, env: config.env }).toEqual({ mounts: [], env: undefined });
});

test.each([
  [
    "beside the sources",
    "/repo/packages/flotilla/src/migrate.ts",
    "/repo/node_modules/pg",
    "/repo/node_modules",
    "/flotilla/migrate.ts",
  ],
  [
    "beside it",
    "/a/node_modules/flotilla/lib/migrate.mjs",
    "/a/node_modules/pg",
    "/a/node_modules",
    "/flotilla/node_modules/flotilla/lib/migrate.mjs",
  ],
  [
    "within it, as the app has another pg",
    "/a/node_modules/flotilla/lib/migrate.mjs",
    "/a/node_modules/flotilla/node_modules/pg",
    "/a/node_modules",
    "/flotilla/node_modules/flotilla/lib/migrate.mjs",
  ],
  [
    "above it, in a monorepo",
    "/a/b/node_modules/flotilla/lib/migrate.mjs",
    "/a/node_modules/pg",
    "/a/node_modules",
    "/flotilla/migrate.mjs",
  ],
])("migrations find a pg that is installed %s", (_, file, pg, source, program) => {
  const found = besideItsPackages(file, pg);
  expect(found.program).toBe(program);
  expect(found.mounts[0]).toEqual({ source, target: "/flotilla/node_modules", readOnly: true });
  expect(found.mounts.slice(1).map((mount) => mount.source)).toEqual(program.includes("/lib/") ? [] : [file]);
});
