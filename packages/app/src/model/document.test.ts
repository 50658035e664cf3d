// docs/model.md: its reference is what the table of fields says, and its examples are without a mistake.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { becomes } from "../../scripts/becomes.ts";
import { documented, effective, page, shapeAt } from "../../scripts/document.ts";
import { check } from "../check/check.ts";
import { inEnvironment } from "../environment.ts";
import { knownFiles } from "../files.ts";
import { loadApp } from "../load.ts";
import type { App } from "./model.ts";

const text = readFileSync(page, "utf8");

test("the reference is up to date; else: node scripts/run.mjs packages/app/scripts/document.ts", () =>
  expect(documented(text)).toBe(text));

test("no line is longer than 130 characters", () =>
  expect(text.split("\n").filter((line) => line.length > 130)).toEqual([]));

test("what a field becomes is said of fields that there are", () =>
  expect(Object.keys(becomes).filter((path) => shapeAt(path) === undefined)).toEqual([]));

/** Fields that have a title of their own. */
const titled = ["services", "backing", "external", "jobs", "secrets"];

test("of every field that is built it is said what it becomes", () =>
  expect(effective().filter((path) => becomes[path] === undefined)).toEqual(titled));

const folder = mkdtempSync(join(tmpdir(), "flotilla-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

const examples = [...text.matchAll(/^```(ts|yaml)\n([\s\S]*?)^```$/gm)].map(
  ([, language = "", content = ""], i) => [`example-${i + 1}.${language}`, content] as const,
);

const files = knownFiles({
  "orders/migrations/0001-orders.sql": "create table orders (id uuid);\n",
  "orders/rules.json": "{}\n",
  "k8s/limits.yaml":
    "apiVersion: v1\nkind: LimitRange\nmetadata: { name: limits }\nspec: { limits: [{ type: Pod, max: { memory: 1Gi } }] }\n",
});

async function read(name: string, content: string): Promise<unknown> {
  const file = join(folder, name);
  writeFileSync(file, content);
  return (await loadApp(file)).app;
}

test("there are examples of both languages", () => {
  expect(examples.filter(([name]) => name.endsWith(".ts")).length).toBeGreaterThanOrEqual(3);
  expect(examples.filter(([name]) => name.endsWith(".yaml")).length).toBeGreaterThanOrEqual(2);
});

test.each(examples)("%s has no mistake in any environment", async (name, content) =>
  expect(check(await read(name, content), { files, sources: false })).toEqual([]),
);

test("the shortest example says the same in both languages", async () => {
  const [first, second] = await Promise.all(examples.slice(0, 2).map(([name, content]) => read(name, content)));
  expect(second).toEqual(first);
});

test("an environment's overlay is what the page says", async () => {
  const [name, content] = examples.find(([, content]) => content.includes("environments:")) ?? ["", ""];
  const app = (await read(name, content)) as App;
  expect(inEnvironment(app, "local").services.mailer).toBeUndefined();
  expect(inEnvironment(app, "production").services.web?.scale).toEqual({ min: 3, max: 20, cpu: "70%" });
});
