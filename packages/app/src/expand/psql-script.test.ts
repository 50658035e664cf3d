import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { migrationScript } from "./psql-script.ts";

// psql itself is in the image of PostgreSQL; here it is looked at what the shell hands to it.
const folder = mkdtempSync(join(tmpdir(), "psql-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(files: Record<string, string>, psql = "cat"): { status: number | null; stdout: string } {
  const bin = join(folder, "bin");
  const sql = join(folder, "sql");
  for (const each of [bin, sql]) {
    rmSync(each, { recursive: true, force: true });
    mkdirSync(each);
  }
  for (const [name, program] of Object.entries({ pg_isready: "true", psql })) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${program}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(sql, name), text);
  return spawnSync("sh", ["-c", migrationScript(sql)], {
    encoding: "utf8",
    env: { PATH: `${bin}:${process.env.PATH}` },
  });
}

test("each file in order, in a transaction, if it is new", () => {
  const { status, stdout } = run({ "2.sql": "select 2", "1.sql": "select 1" });
  expect(status).toBe(0);
  const lines = stdout.split("\n");
  const order = lines.flatMap((line) =>
    /^(begin|commit|\\i |\\if :new|\\endif)/.test(line) ? [line.replace(folder, "")] : [],
  );
  const one = (name: string) => ["\\endif", "\\if :new", "begin;", `\\i '/sql/${name}'`, "commit;", "\\endif"];
  expect(order).toEqual([...one("1.sql"), ...one("2.sql")]);
  expect(lines.slice(0, 3)).toEqual([
    "\\set ON_ERROR_STOP on",
    "set client_min_messages to warning;",
    "select pg_advisory_lock(7381240317) \\g /dev/null",
  ]);
});
test("the checksum is the file's SHA-256", () =>
  expect(run({ "1.sql": "select 1" }).stdout).toContain(
    "values ('1.sql', '822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f')",
  ));
test("quotes in names do no harm", () => {
  const { stdout } = run({ "it's.sql": "" });
  expect(stdout).toContain(`\\i '${folder}/sql/it''s.sql'`);
  expect(stdout).toContain("values ('it''s.sql',");
});
test("what psql says is how it ends", () => expect(run({ "1.sql": "" }, "cat >/dev/null; exit 3").status).toBe(3));
