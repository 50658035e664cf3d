import { describe, expect, test } from "vitest";
import { type JsonPatchOperation, jsonPatch } from "./json-patch.ts";
import { JsonPatchError } from "./patch-error.ts";

const parse = (text: string): unknown => JSON.parse(text);

/** Before, patch, after. The examples of RFC 6902, appendix A, and evanphx/json-patch's additions. */
const cases: [string, string, string, string][] = [
  ["adds a member", '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]', '{"foo":"bar","baz":"qux"}'],
  ["adds over a member", '{"foo":"bar"}', '[{"op":"add","path":"/foo","value":1}]', '{"foo":1}'],
  [
    "adds an item",
    '{"foo":["bar","baz"]}',
    '[{"op":"add","path":"/foo/1","value":"qux"}]',
    '{"foo":["bar","qux","baz"]}',
  ],
  ["adds behind the last item", '{"foo":["bar"]}', '[{"op":"add","path":"/foo/1","value":"q"}]', '{"foo":["bar","q"]}'],
  ["appends", '{"foo":["bar"]}', '[{"op":"add","path":"/foo/-","value":["a"]}]', '{"foo":["bar",["a"]]}'],
  ["removes a member", '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'],
  ["removes an item", '{"foo":["bar","qux","baz"]}', '[{"op":"remove","path":"/foo/1"}]', '{"foo":["bar","baz"]}'],
  ["removes the last item", '{"foo":["bar","qux"]}', '[{"op":"remove","path":"/foo/-1"}]', '{"foo":["bar"]}'],
  ["replaces a value", '{"baz":"qux"}', '[{"op":"replace","path":"/baz","value":"boo"}]', '{"baz":"boo"}'],
  ["replaces an item", '{"foo":[1,2]}', '[{"op":"replace","path":"/foo/0","value":3}]', '{"foo":[3,2]}'],
  ["replaces by null", '{"foo":1}', '[{"op":"replace","path":"/foo","value":null}]', '{"foo":null}'],
  ["replaces all", '{"foo":1}', '[{"op":"replace","path":"","value":{"a":2}}]', '{"a":2}'],
  [
    "moves a value",
    '{"foo":{"bar":"baz"},"qux":{}}',
    '[{"op":"move","from":"/foo/bar","path":"/qux/thud"}]',
    '{"foo":{},"qux":{"thud":"baz"}}',
  ],
  [
    "moves an item",
    '{"foo":["a","b","c"]}',
    '[{"op":"move","from":"/foo/0","path":"/foo/2"}]',
    '{"foo":["b","c","a"]}',
  ],
  [
    "copies a value",
    '{"a":{"b":1}}',
    '[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]',
    '{"a":{"b":1},"c":{"b":2}}',
  ],
  [
    "tests a value",
    '{"baz":"qux","foo":["a",2]}',
    '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
    '{"baz":"qux","foo":["a",2]}',
  ],
  [
    "tests deeply, in any order of members",
    '{"a":{"b":1,"c":2}}',
    '[{"op":"test","path":"/a","value":{"c":2,"b":1}}]',
    '{"a":{"b":1,"c":2}}',
  ],
  ["tests that something is not there", '{"a":1}', '[{"op":"test","path":"/b","value":null}]', '{"a":1}'],
  [
    "reads escapes",
    '{"/":9,"~1":10}',
    '[{"op":"test","path":"/~01","value":10},{"op":"remove","path":"/~1"}]',
    '{"~1":10}',
  ],
  ["takes __proto__ for data", "{}", '[{"op":"add","path":"/__proto__","value":1}]', '{"__proto__":1}'],
];

const failures: [string, string, string, string, number][] = [
  [
    "a failing test",
    '{"baz":"qux"}',
    '[{"op":"test","path":"/baz","value":"bar"}]',
    "testing value /baz failed: test failed",
    422,
  ],
  ["numbers are not strings", '{"a":10}', '[{"op":"test","path":"/a","value":"10"}]', "testing value /a failed", 422],
  [
    "add below nothing",
    "{}",
    '[{"op":"add","path":"/a/b","value":1}]',
    "add operation does not apply: doc is missing path: /a/b: missing value",
    422,
  ],
  [
    "replace of nothing",
    "{}",
    '[{"op":"replace","path":"/a","value":1}]',
    "replace operation does not apply: doc is missing key: /a: missing value",
    422,
  ],
  [
    "remove of nothing",
    "{}",
    '[{"op":"remove","path":"/a"}]',
    "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
    422,
  ],
  ["remove of an inherited member", "{}", '[{"op":"remove","path":"/toString"}]', "nonexistent key: toString", 422],
  [
    "copy of nothing",
    "{}",
    '[{"op":"copy","from":"/a","path":"/b"}]',
    "copy operation does not apply: doc is missing key: /a",
    422,
  ],
  [
    "an index beyond the end",
    '{"a":[1]}',
    '[{"op":"add","path":"/a/2","value":1}]',
    "Unable to access invalid index: 2",
    422,
  ],
  [
    "a name for an index",
    '{"a":[1]}',
    '[{"op":"add","path":"/a/x","value":1}]',
    "value was not a proper array index: 'x'",
    422,
  ],
  [
    "move into itself",
    '{"a":{"b":1}}',
    '[{"op":"move","from":"/a","path":"/a/b"}]',
    "cannot be moved into itself",
    422,
  ],
  ["no value", "{}", '[{"op":"add","path":"/a"}]', "add operation is missing value field", 400],
  ["no path", "{}", '[{"op":"add","value":1}]', "add operation failed to decode path", 400],
  ["no such operation", "{}", '[{"op":"spam","path":"/a"}]', "Unexpected kind: spam", 400],
  ["no list", "{}", '{"op":"add"}', "a JSON patch is a list of operations", 400],
];

test.each(cases)("%s", (_, before, patch, after) => {
  const input = parse(before);
  expect(JSON.stringify(sorted(jsonPatch(input, parse(patch) as JsonPatchOperation[])))).toBe(
    JSON.stringify(sorted(parse(after))),
  );
  expect(input).toEqual(parse(before));
});

/** Compared as text: toEqual does not see an own __proto__. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

describe("refuses", () => {
  test.each(failures)("%s", (_, before, patch, message, code) => {
    const patched = () => jsonPatch(parse(before), parse(patch) as JsonPatchOperation[]);
    expect(patched).toThrow(message);
    expect(patched).toThrow(expect.objectContaining({ code }));
    expect(patched).toThrow(JsonPatchError);
  });

  test("copies that grow without bounds", () => {
    const double: JsonPatchOperation = { op: "copy", from: "", path: "/a" };
    const operations = Array.from({ length: 5000 }, (): JsonPatchOperation => double);
    expect(() => jsonPatch({ text: "x".repeat(1000) }, operations)).toThrow("exceeding the limit 3145728");
  });

  test("more operations than Kubernetes takes", () => {
    const operations = Array.from({ length: 10_001 }, (): JsonPatchOperation => ({ op: "test", path: "", value: {} }));
    expect(() => jsonPatch({}, operations)).toThrow(
      "The allowed maximum operations in a JSON patch is 10000, got 10001",
    );
  });
});
