import { Apps, validateShape } from "@flotilla/objects";
import { expect, test } from "vitest";
import { fromAppObject, toAppObject } from "./app-object.ts";
import { files, shop } from "./example.fixture.ts";
import { expand } from "./expand/plan.ts";
import { knownFiles } from "./files.ts";

test("what an App becomes is a matter of the object alone", () => {
  const versions = { orders: { image: "localhost/shop-orders@sha256:1" } };
  const { app, files: inlined, versions: known, environment } = fromAppObject(toAppObject(shop, { files, versions }));
  expect(environment).toBe("local");
  expect(expand(app, { files: inlined, versions: known, target: "local" })).toEqual(
    expand(shop, { files, versions, target: "local" }),
  );
});
test("has the fields of its kind", () =>
  expect(validateShape(Apps, toAppObject(shop, { files }))).toEqual({ unknown: [], wrongType: [] }));
test("brings the files that are read, and no others", () =>
  expect(Object.keys(toAppObject(shop, { files }).spec.files ?? {})).toEqual([
    "./orders/migrations/0001-orders.sql",
    "./orders/migrations/0002-lines.sql",
    "./orders/rules.json",
  ]));
test("is in its environment's namespace", () =>
  expect(toAppObject(shop, { files, environment: "staging" }).metadata).toEqual({
    name: "shop",
    namespace: "shop-staging",
  }));
test("bytes that are no text survive", () => {
  const binary = knownFiles({ key: Uint8Array.of(0, 255), "web/a": "" });
  const model = { name: "a", services: { web: { source: "web", files: { "/key": { file: "key" } } } } };
  expect(fromAppObject(toAppObject(model, { files: binary })).files.read("key")).toEqual(Buffer.from([0, 255]));
});
