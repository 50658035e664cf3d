import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applicationFolder, asArgument, runningCluster } from "./cluster-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "app-"));
beforeAll(() => {
  mkdirSync(join(folder, "shop", "web", "src"), { recursive: true });
  mkdirSync(join(folder, "empty"));
  writeFileSync(join(folder, "shop", "flotilla.yaml"), "");
  writeFileSync(join(folder, "shop", "README.md"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(["shop", "shop/web/src", "shop/flotilla.yaml"])("an app is found from %s", (place) =>
  expect(applicationFolder(join(folder, place))).toBe(join(folder, "shop")),
);
test.each([
  ["nowhere", /^There is no folder .*nowhere; name the folder of an app\.$/],
  ["empty", /^There is no app in .*empty, nor above it: .* Make one, or name the folder that has one\.$/],
  ["shop/README.md", /README\.md is a file; name the folder/],
])("no app: %s", (place, message) => expect(() => applicationFolder(join(folder, place))).toThrow(message));
test("where nothing runs, how to start it", () =>
  expect(() => runningCluster(join(folder, "shop"))).toThrow(/Nothing runs in .*shop\. Start it with: flotilla up /));
test("a folder as it is typed after a command", () =>
  expect([asArgument(process.cwd()), asArgument(join(process.cwd(), "a"), "-C ")]).toEqual(["", " -C a"]));
