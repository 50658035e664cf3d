/**
 * Applies the migrations of a folder to the database that PG* name: `node migrate.ts /migrations`. Each file once, in order of
 * its name, in a transaction of its own; what was applied is kept in the table flotilla_migrations. Runs alone in a container,
 * with nothing but pg beside it, so it imports nothing of ours. Where only the official image of PostgreSQL is at hand, a
 * script with the same rules does the same (package app, psql-script.ts).
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

export interface Migration {
  /** "0001-orders.sql" */
  readonly name: string;
  readonly sql: string;
  /** Hex SHA-256 of the file. */
  readonly checksum: string;
}

/** What of pg's client is used. */
export interface Database {
  query(sql: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/** A migration that can not be applied; the message names the file and says what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** "flotilla" as a number; the script of package app takes the same lock. */
const lock = "7381240317";

export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name) => {
    const content = readFileSync(join(folder, name));
    return { name, sql: content.toString("utf8"), checksum: createHash("sha256").update(content).digest("hex") };
  });
}

/** Two at once wait for each other. Throws a MigrationError; what was applied before it stays. */
export async function applyMigrations(
  database: Database,
  migrations: readonly Migration[],
  report: (text: string) => void,
): Promise<void> {
  await database.query(`select pg_advisory_lock(${lock})`);
  try {
    await database.query(
      "create table if not exists flotilla_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())",
    );
    const { rows } = await database.query("select name, checksum from flotilla_migrations");
    const applied = new Map(rows.map((row) => [row.name, row.checksum]));
    for (const migration of migrations) {
      const known = applied.get(migration.name);
      if (known === undefined) await applyOne(database, migration, report);
      else if (known !== migration.checksum)
        throw new MigrationError(
          `${migration.name} was changed after it was applied: put it back as it was, and add a new file for what is to change`,
        );
    }
  } finally {
    await database.query(`select pg_advisory_unlock(${lock})`);
  }
}

async function applyOne(
  database: Database,
  { name, sql, checksum }: Migration,
  report: (text: string) => void,
): Promise<void> {
  await database.query("begin");
  try {
    await database.query(sql);
    await database.query("insert into flotilla_migrations (name, checksum) values ($1, $2)", [name, checksum]);
    await database.query("commit");
  } catch (error) {
    await database.query("rollback");
    throw new MigrationError(`${name}: ${describe(error, sql)}`);
  }
  report(`applied ${name}`);
}

/** PostgreSQL says where by the number of a character; people look for lines. */
function describe(error: unknown, sql: string): string {
  const { message, position, hint } = error as Error & { position?: string; hint?: string };
  const line = position === undefined ? "" : ` (line ${sql.slice(0, Number(position) - 1).split("\n").length})`;
  return `${message}${line}${hint ? `; ${hint}` : ""}`;
}

/** The server is not there yet, or is starting up. Source: PostgreSQL, appendix A, class 57. */
const notYet = new Set(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "57P03", "57P01"]);

async function connected(report: (text: string) => void): Promise<pg.Client> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionTimeoutMillis: 5000 });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      const { code, message } = error as Error & { code?: string };
      const waits = notYet.has(code ?? "") || message.includes("timeout") || message.includes("terminated");
      if (!waits) throw error;
      if (tries % 50 === 0) report(`waiting for the database at ${client.host}:${client.port}: ${message}`);
      await pause(200);
    }
  }
}

async function main(folder: string): Promise<void> {
  const report = (text: string) => console.log(text);
  const client = await connected(report);
  try {
    await applyMigrations(client, readMigrations(folder), report);
  } finally {
    await client.end();
  }
}

if (import.meta.main) {
  main(process.argv[2] ?? "/migrations").catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
