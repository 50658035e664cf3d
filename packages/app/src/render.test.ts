import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { files, shop } from "./example.fixture.ts";
import { expand } from "./expand/plan.ts";
import { namespaceObject } from "./namespace.ts";
import { renderJson, renderYaml } from "./render.ts";

const objects = expand(shop, { files, target: "cluster" });

test("YAML documents that say the same", () => {
  const documents = parseAllDocuments(renderYaml(objects));
  expect(documents.map((document) => document.toJS())).toEqual(objects);
});
test("a List that says the same", () =>
  expect(JSON.parse(renderJson(objects))).toMatchObject({ kind: "List", items: objects }));
test("apiVersion, kind and name come first", () =>
  expect(renderYaml(objects.slice(0, 1))).toMatch(
    /^---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n {2}name: orders-postgres\n {2}namespace: shop\n/,
  ));
test("what is not there is said", () =>
  expect(renderYaml(objects.filter(({ kind }) => kind === "Secret"))).toContain(
    "# api-key: made once, with random values, by Flotilla",
  ));
test("nothing is an alias of something else", () => expect(renderYaml(objects)).not.toMatch(/[&*]a\d/));
test("the namespace keeps pods restricted", () =>
  expect(namespaceObject(shop, "staging").metadata).toMatchObject({
    name: "shop-staging",
    labels: { "pod-security.kubernetes.io/enforce": "baseline" },
  }));
