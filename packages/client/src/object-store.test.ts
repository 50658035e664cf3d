import { type ConfigMap, ConfigMaps, newObject } from "@flotilla/objects";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Index } from "./controller.ts";
import { ObjectStore } from "./object-store.ts";

const colours: Index<ConfigMap> = {
  name: "colour",
  values: ({ data }) => (data?.colours ?? "").split(",").filter(Boolean),
};

const object = (namespace: string, name: string, said = "") =>
  newObject(ConfigMaps, { metadata: { namespace, name }, data: { colours: said } });

test("lists in order of namespace, then name", () => {
  const store = new ObjectStore();
  for (const id of ["b/a", "a-b/c", "a/z", "a/a"]) store.set(object(...(id.split("/") as [string, string])));
  expect(store.list().map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
    "a/a",
    "a/z",
    "a-b/c",
    "b/a",
  ]);
});

test("an index that nobody declared is a bug", () => {
  expect(() => new ObjectStore().list({ index: { by: colours, value: "red" } })).toThrow(
    "no watch declares the index colour",
  );
});

test("an index always finds what a search through everything would", () => {
  const names = fc.constantFrom("a", "b", "c", "d");
  const said = fc.constantFrom("", "red", "blue", "red,blue", "green");
  const change = fc.record({
    namespace: fc.constantFrom("x", "y"),
    name: names,
    said: fc.option(said, { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const store = new ObjectStore([colours]);
      for (const { namespace, name, said: now } of changes) {
        if (now === undefined) store.delete({ namespace, name });
        else store.set(object(namespace, name, now));
      }
      for (const value of ["red", "blue", "green"]) {
        const searched = (store.list() as ConfigMap[]).filter((each) => colours.values(each).includes(value));
        expect(store.list({ index: { by: colours, value } })).toEqual(searched);
        const inX = searched.filter(({ metadata }) => metadata.namespace === "x");
        expect(store.list({ namespace: "x", index: { by: colours, value } })).toEqual(inX);
      }
      const either = (store.list() as ConfigMap[]).filter((each) => colours.values(each).length > 0);
      expect(store.list({ index: { by: colours, value: ["green", "red", "blue"] } })).toEqual(either);
    }),
  );
});
