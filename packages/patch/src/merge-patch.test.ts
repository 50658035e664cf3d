import { expect, test } from "vitest";
import { createMergePatch, mergePatch } from "./merge-patch.ts";

/** Target, patch, result. RFC 7386, appendix A. */
const cases: [string, string, string][] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', "{}"],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', "null", "null"],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
  ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

test.each(cases)("%s patched by %s", (target, patch, result) => {
  expect(mergePatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result));
});

const differences: [string, string, string][] = [
  ['{"a":1,"b":2}', '{"a":1,"b":3}', '{"b":3}'],
  ['{"a":1,"b":2}', '{"a":1}', '{"b":null}'],
  ['{"a":{"b":1,"c":2}}', '{"a":{"b":1}}', '{"a":{"c":null}}'],
  ['{"a":[1,2]}', '{"a":[1]}', '{"a":[1]}'],
  ['{"a":{"b":1}}', '{"a":{"b":1}}', "{}"],
];

test.each(differences)("from %s to %s", (from, to, patch) => {
  expect(createMergePatch(JSON.parse(from), JSON.parse(to))).toEqual(JSON.parse(patch));
});
