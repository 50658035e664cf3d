import { readFileSync } from "node:fs";
import type { TypeTable } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { isObject, type JsonObject } from "./json.ts";
import { itemType, patchField } from "./schema.ts";
import { createTwoWayStrategicMergePatch } from "./strategic-diff.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

/** The type of the cases' objects. Source: MergeItem and RetainKeysMergeItem in the same test file as the cases. */
const table: TypeTable = {
  MergeItem: {
    fields: {
      name: { type: "string" },
      value: { type: "string" },
      other: { type: "string" },
      mergingList: { type: { list: { ref: "MergeItem" } }, patchStrategy: "merge", patchMergeKey: "name" },
      nonMergingList: { type: { list: { ref: "MergeItem" } } },
      mergingIntList: { type: { list: "int64" }, patchStrategy: "merge" },
      nonMergingIntList: { type: { list: "int64" } },
      mergeItemPtr: { type: { ref: "MergeItem" }, patchStrategy: "merge", patchMergeKey: "name" },
      simpleMap: { type: { map: "string" } },
      replacingItem: { type: "json", patchStrategy: "replace" },
      retainKeysMap: { type: { ref: "RetainKeysMergeItem" }, patchStrategy: "retainKeys" },
      retainKeysMergingList: {
        type: { list: { ref: "MergeItem" } },
        patchStrategy: "merge,retainKeys",
        patchMergeKey: "name",
      },
    },
  },
  RetainKeysMergeItem: {
    fields: {
      name: { type: "string" },
      value: { type: "string" },
      other: { type: "string" },
      simpleMap: { type: { map: "string" } },
      mergingIntList: { type: { list: "int64" }, patchStrategy: "merge" },
      mergingList: { type: { list: { ref: "MergeItem" } }, patchStrategy: "merge", patchMergeKey: "name" },
      nonMergingList: { type: { list: { ref: "MergeItem" } } },
    },
  },
};
const schema = { table, type: "MergeItem" };

interface Case {
  group: string;
  description: string;
  original?: JsonObject;
  modified?: JsonObject;
  current?: JsonObject;
  twoWay?: JsonObject;
  threeWay?: JsonObject;
  result?: JsonObject;
  twoWayResult?: JsonObject;
  sorted?: JsonObject;
  expectedError?: string;
}

const { cases } = JSON.parse(readFileSync(new URL("./testdata/strategic-cases.json", import.meta.url), "utf8")) as {
  cases: Case[];
};

const byText = (key: (item: unknown) => unknown) => (left: unknown, right: unknown) =>
  String(key(left)) < String(key(right)) ? -1 : 1;

/** Merging lists have no order in the older cases: both sides are sorted by key before they are compared. */
function sorted(value: JsonObject, type: Parameters<typeof patchField>[1]): JsonObject {
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
    if (key.startsWith("$deleteFrom") || key === "$retainKeys")
      return [key, [...(item as unknown[])].sort(byText((x) => x))];
    const field = patchField(table, type, key);
    if (isObject(item)) return [key, sorted(item, field.type)];
    if (!Array.isArray(item) || field.strategy !== "merge") return [key, item];
    if (!item.every(isObject)) return [key, [...new Set(item)].sort(byText((x) => x))];
    const items = item.map((entry) => sorted(entry, itemType(field.type)));
    return [key, items.sort(byText((entry) => (entry as JsonObject)[field.mergeKey ?? ""]))];
  });
  return Object.fromEntries(entries);
}

const isRaw = (entry: Case) => entry.group.includes("Raw");
const prepared = (entry: Case, value: JsonObject | undefined): JsonObject =>
  isRaw(entry) ? (value ?? {}) : sorted(value ?? {}, { ref: "MergeItem" });
const inGroup = (name: string) => cases.filter((entry) => entry.group === name);
const named = (entries: Case[]) => entries.map((entry): [string, Case] => [entry.description, entry]);
const custom = [
  ...inGroup("customStrategicMergePatchTestCaseData"),
  ...inGroup("customStrategicMergePatchRawTestCases"),
];
const created = [
  ...inGroup("createStrategicMergePatchTestCaseData"),
  ...inGroup("strategicMergePatchRawTestCases"),
  ...inGroup("replaceRawExtensionPatchTestCases"),
];

test("all cases of Kubernetes are here", () => expect(cases.length).toBe(154));

describe("sorts merging lists for comparison", () => {
  test.each(named(inGroup("sortMergeListTestCaseData")))("%s", (_, entry) => {
    expect(sorted(entry.original ?? {}, { ref: "MergeItem" })).toEqual(entry.sorted);
  });
});

describe("applies patches of older clients and hand-written ones", () => {
  test.each(named(custom))("%s", (_, entry) => {
    const patched = () => strategicMergePatch(prepared(entry, entry.original), prepared(entry, entry.twoWay), schema);
    if (entry.expectedError) expect(patched).toThrow();
    else expect(patched()).toEqual(prepared(entry, entry.twoWayResult ?? entry.modified));
  });
});

describe("creates the two-way patch and applies it", () => {
  test.each(named(created))("%s", (_, entry) => {
    const original = prepared(entry, entry.original);
    const patch = createTwoWayStrategicMergePatch(original, prepared(entry, entry.modified), schema);
    expect(patch).toEqual(prepared(entry, entry.twoWay));
    const result = strategicMergePatch(original, patch, schema);
    expect(result).toEqual(prepared(entry, entry.twoWayResult ?? entry.modified));
  });
});

describe("applies the three-way patch to the live object", () => {
  const applicable = created.filter((entry) => entry.result && Object.keys(entry.result).length > 0);
  test.each(named(applicable))("%s", (_, entry) => {
    const patched = () => strategicMergePatch(prepared(entry, entry.current), prepared(entry, entry.threeWay), schema);
    if (entry.expectedError) expect(patched).toThrow();
    else expect(patched()).toEqual(prepared(entry, entry.result));
  });
});
