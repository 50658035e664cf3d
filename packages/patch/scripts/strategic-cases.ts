/**
 * Reads the cases of strategic merge patch out of Kubernetes' own test file and writes them as JSON:
 *
 *     node packages/patch/scripts/strategic-cases.ts <folder of k8s.io/apimachinery>
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Case {
  group: string;
  description: string;
  original?: unknown;
  modified?: unknown;
  current?: unknown;
  twoWay?: unknown;
  threeWay?: unknown;
  result?: unknown;
  sorted?: unknown;
  twoWayResult?: unknown;
  expectedError?: string;
}

const fields = ["original", "modified", "current", "twoWay", "threeWay", "result", "twoWayResult", "sorted"] as const;

const fromYaml = (text: string): unknown => parse(text.replaceAll("\t", "  "), { uniqueKeys: false });

/** Cases in one YAML document. */
function fromDocument(source: string, name: string): Case[] {
  const text = new RegExp(`var ${name} = \\[\\]byte\\(\`([^\`]*)\`\\)`).exec(source)?.[1];
  if (text === undefined) throw new Error(`no ${name} in the test file`);
  const { testCases } = fromYaml(text) as { testCases: Record<string, unknown>[] };
  return testCases.map((entry) => {
    const found: Case = { group: name, description: String(entry.description) };
    for (const field of fields) {
      if (field in entry) found[field] = entry[field];
    }
    return found;
  });
}

/** Cases as Go literals, one YAML text a field. */
function fromLiterals(source: string, name: string): Case[] {
  const start = source.indexOf(`var ${name} = []StrategicMergePatchRawTestCase{`);
  const end = source.indexOf("\n}\n", start);
  if (start < 0) throw new Error(`no ${name} in the test file`);
  const parts = source
    .slice(start, end)
    .split(/\bDescription:\s*/)
    .slice(1);
  return parts.map((part) => {
    const description = JSON.parse(/^"(?:[^"\\]|\\.)*"/.exec(part)?.[0] ?? "null") as string;
    const found: Case = { group: name, description };
    for (const [, field = "", text = ""] of part.matchAll(/\b(\w+):\s*\[\]byte\(`([^`]*)`\)/g)) {
      const key = (field[0] as string).toLowerCase() + field.slice(1);
      found[key as (typeof fields)[number]] = fromYaml(text);
    }
    const error = /\bExpectedError:\s*("(?:[^"\\]|\\.)*")/.exec(part)?.[1];
    if (error) found.expectedError = JSON.parse(error) as string;
    return found;
  });
}

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: strategic-cases.ts <folder of k8s.io/apimachinery>");
const source = readFileSync(join(folder, "pkg/util/strategicpatch/patch_test.go"), "utf8");
const cases = [
  ...fromDocument(source, "sortMergeListTestCaseData"),
  ...fromDocument(source, "customStrategicMergePatchTestCaseData"),
  ...fromLiterals(source, "customStrategicMergePatchRawTestCases"),
  ...fromDocument(source, "createStrategicMergePatchTestCaseData"),
  ...fromLiterals(source, "strategicMergePatchRawTestCases"),
  ...fromLiterals(source, "replaceRawExtensionPatchTestCases"),
];
const header = {
  source: "k8s.io/apimachinery v0.34.2, pkg/util/strategicpatch/patch_test.go, converted by scripts/strategic-cases.ts",
  license: "Apache-2.0, Copyright 2014 The Kubernetes Authors",
};
const file = join(import.meta.dirname, "../src/testdata/strategic-cases.json");
writeFileSync(file, `${JSON.stringify({ ...header, cases }, null, 1)}\n`);
console.log(`${cases.length} cases`);
