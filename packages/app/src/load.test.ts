import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { filesOf, LoadError, loadApp } from "./load.ts";

const folders: string[] = [];
const folder = (files: Record<string, string>): string => {
  const root = mkdtempSync(join(tmpdir(), "load-"));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
};
afterEach(() => {
  for (const each of folders.splice(0)) rmSync(each, { recursive: true });
});

const typescript =
  'import { defineApp } from "flotilla";\nexport default defineApp({ name: "shop" as string, services: {} });';

test("TypeScript, without anything installed beside it", async () => {
  const dir = folder({ "flotilla.ts": typescript });
  expect(await loadApp(dir)).toEqual({ app: { name: "shop", services: {} }, file: join(dir, "flotilla.ts"), dir });
});
test("the file itself may be named", async () => {
  const dir = folder({ "deep/flotilla.ts": typescript });
  expect((await loadApp(join(dir, "deep/flotilla.ts"))).dir).toBe(join(dir, "deep"));
});
test("TypeScript is a module, whatever the package around it says", async () => {
  const files = {
    "flotilla.ts": 'export { app as default } from "./app.ts";',
    "app.ts": "export const app = { name: import.meta.url };",
  };
  const dir = folder({ ...files, "package.json": '{"type":"commonjs"}' });
  expect((await loadApp(dir)).app).toEqual({ name: expect.stringContaining("app.ts") });
});
test.each([
  ["flotilla.js", 'export default { name: "shop" };'],
  ["flotilla.yaml", "name: shop"],
  ["flotilla.json", '{"name": "shop"}'],
])("%s", async (name, text) =>
  expect((await loadApp(folder({ [name]: text, "package.json": '{"type":"module"}' }))).app).toEqual({ name: "shop" }),
);

test("is read anew, with what it imports", async () => {
  const dir = folder({
    "flotilla.ts": 'import { name } from "./name.ts";\nexport default { name };',
    "name.ts": 'export const name = "a";',
  });
  expect((await loadApp(dir)).app).toEqual({ name: "a" });
  writeFileSync(join(dir, "name.ts"), 'export const name = "b";');
  expect((await loadApp(dir)).app).toEqual({ name: "b" });
});

test.each([
  ["no folder", () => "/nowhere/at/all", /there is no \/nowhere\/at\/all; name the folder of an app/],
  ["no file", () => folder({ "a.ts": "" }), /there is no app in .*: it has no flotilla.ts or flotilla.yaml; make one/],
  [
    "several",
    () => folder({ "flotilla.ts": "", "flotilla.yaml": "" }),
    /has flotilla.ts and flotilla.yaml; keep one of them/,
  ],
  [
    "no export",
    () => folder({ "flotilla.ts": "export const a = 1;" }),
    /flotilla.ts: it exports no app; write: export default defineApp/,
  ],
  [
    "a function",
    () => folder({ "flotilla.ts": "export default { name: () => 1 };" }),
    /a model is plain data, and this is not/,
  ],
  ["an error", () => folder({ "flotilla.ts": "\nthrow new Error('no luck');" }), /flotilla.ts: no luck \(line 2\)/],
  ["a syntax error", () => folder({ "flotilla.ts": "export default {" }), /flotilla.ts: /],
  [
    "a missing import",
    () => folder({ "flotilla.ts": 'import "./gone.ts";' }),
    /Cannot find module .*gone.ts.*; install it, or correct the import/,
  ],
  ["an exit", () => folder({ "flotilla.ts": "process.exit(3);" }), /it ended the process with code 3/],
  ["bad YAML", () => folder({ "flotilla.yaml": "name: [a" }), /flotilla.yaml: .*at line 1/],
])("refused: %s", async (_, place, message) => {
  const error = await loadApp(place()).catch((each: unknown) => each);
  expect(error).toBeInstanceOf(LoadError);
  expect((error as Error).message).toMatch(message);
});

test("files: what is there, and nothing outside of the folder", () => {
  const dir = folder({ "a.txt": "a", "b/c.txt": "c" });
  symlinkSync("/etc/hosts", join(dir, "hosts"));
  const files = filesOf(dir);
  expect(new TextDecoder().decode(files.read("./b/../b//c.txt"))).toBe("c");
  expect(files.list(".")).toEqual(["a.txt", "b/", "hosts"]);
  expect(["/etc/hosts", "../x", "hosts", "b", "gone", "a.txt/x"].map((path) => files.read(path))).toEqual(
    Array(6).fill(undefined),
  );
  expect(["/etc", "..", "a.txt", "gone"].map((path) => files.list(path))).toEqual(Array(4).fill(undefined));
});
