/**
 * Runs the merge tests of structured-merge-diff with a recorder added, and writes their cases, steps and expected
 * outcomes, as JSON (needs Go):
 *
 *     node packages/patch/scripts/apply-cases.ts <folder of sigs.k8s.io/structured-merge-diff/v6>
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

interface Recorded {
  name: string;
  schemas: Record<string, { schema: string; typeRef: string }>;
  skip?: string;
  failed?: string;
}

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: apply-cases.ts <folder of structured-merge-diff>");
const copy = mkdtempSync(join(tmpdir(), "apply-cases-"));
try {
  cpSync(folder, copy, { recursive: true });
  execFileSync("chmod", ["-R", "u+w", copy]);
  addRecorder(copy);
  const output = join(copy, "cases.jsonl");
  // The versions of its dependencies do not matter here: take those that are there.
  const environment = { ...process.env, APPLY_CASES: output, GOFLAGS: "-mod=mod", GOSUMDB: "off", GOWORK: "off" };
  execFileSync("go", ["test", "-count=1", "-p=1", "-parallel=1", "./merge/"], {
    cwd: copy,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
  });
  write(readFileSync(output, "utf8"));
} finally {
  rmSync(copy, { recursive: true });
}

function addRecorder(copy: string): void {
  writeFileSync(
    join(copy, "internal/fixture/record.go"),
    readFileSync(join(import.meta.dirname, "apply-cases.go.txt")),
  );
  const state = join(copy, "internal/fixture/state.go");
  const signature = "func (tc TestCase) TestWithConverter(parser Parser, converter merge.Converter) error {";
  const recording = `${signature}
	err := tc.testWithConverter(parser, converter)
	tc.record(parser, converter, err)
	return err
}
`;
  const renamed = signature.replace("TestWithConverter", "testWithConverter");
  const text = readFileSync(state, "utf8");
  writeFileSync(state, text.replace(signature, `${recording}\n${renamed}`));
  for (const file of readdirSync(join(copy, "merge"))) {
    if (!file.endsWith("_test.go")) continue;
    const path = join(copy, "merge", file);
    // Tests of a table are nested deeper than the benchmarks, which have no `t`.
    writeFileSync(path, readFileSync(path, "utf8").replace(/^(\t{3,}.*)test\.Test/gm, "$1test.Named(t.Name()).Test"));
  }
}

/** Schemas are kept once each; cases name them. */
function write(lines: string): void {
  const schemas: unknown[] = [];
  const index = new Map<string, number>();
  const skipped = new Map<string, number>();
  const cases: unknown[] = [];
  for (const line of lines.trimEnd().split("\n")) {
    const { schemas: versions, skip, ...recorded } = JSON.parse(line) as Recorded;
    const keys = new Set(Object.values(versions).map((schema) => JSON.stringify(schema)));
    const reason = skip ?? (keys.size > 1 ? "has several schemas" : undefined);
    const [key] = keys;
    if (reason !== undefined || key === undefined) {
      skipped.set(reason ?? "has no step", (skipped.get(reason ?? "has no step") ?? 0) + 1);
      continue;
    }
    if (!index.has(key)) {
      const { schema, typeRef } = JSON.parse(key) as { schema: string; typeRef: string };
      index.set(key, schemas.push({ schema: parse(schema), typeRef: parse(typeRef) }) - 1);
    }
    cases.push({ schema: index.get(key), ...recorded });
  }
  const header = {
    source: "sigs.k8s.io/structured-merge-diff v6.3.0, merge/*_test.go, recorded by scripts/apply-cases.ts",
    license: "Apache-2.0, Copyright 2018 The Kubernetes Authors",
  };
  const body = [
    `${JSON.stringify(header).slice(0, -1)},`,
    `"schemas": [\n${schemas.map((schema) => JSON.stringify(schema)).join(",\n")}\n],`,
    `"cases": [\n${cases.map((entry) => JSON.stringify(entry)).join(",\n")}\n]}`,
  ];
  writeFileSync(join(import.meta.dirname, "../src/testdata/apply-cases.json"), `${body.join("\n")}\n`);
  console.log(`${cases.length} cases; left out: ${JSON.stringify(Object.fromEntries(skipped))}`);
}
