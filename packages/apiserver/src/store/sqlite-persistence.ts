/**
 * State in one SQLite file. Write-ahead log with synchronous=FULL: what `commit` has returned for survives kill -9 and the
 * loss of power. The file is held exclusively, so that two control planes never write one state.
 */
import { DatabaseSync } from "node:sqlite";
import { internalError, type KubeObject } from "@flotilla/objects";
import type { Persistence, StoredChange, StoredState } from "./persistence.ts";

/** The state file cannot be used; the message names it and says what to do. Nothing was changed or deleted. */
export class StateFileError extends Error {
  readonly file: string;

  constructor(file: string, message: string, cause: unknown) {
    super(`state file ${file} ${message}`, { cause });
    this.name = "StateFileError";
    this.file = file;
  }
}

const stateFormat = 1;

const schema = `
  CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (resource, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS revisions (resource TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${stateFormat};
`;

export interface SqliteOptions {
  /** The largest size that the file may grow to, in pages of 4 KiB; without it, what the disk has room for. */
  readonly maxPages?: number;
}

export function sqlitePersistence(file: string, options: SqliteOptions = {}): Persistence {
  const database = open(file, options);
  const put = database.prepare("INSERT OR REPLACE INTO objects (resource, key, json) VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM objects WHERE resource = ? AND key = ?");
  const advance = database.prepare("INSERT OR REPLACE INTO revisions (resource, revision) VALUES (?, ?)");
  let open_ = true;

  function write(changes: readonly StoredChange[]) {
    const revisions = new Map<string, number>();
    for (const { resource, key, revision, object } of changes) {
      if (object) put.run(resource, key, JSON.stringify(object));
      else remove.run(resource, key);
      revisions.set(resource, revision);
    }
    for (const [resource, revision] of revisions) advance.run(resource, revision);
  }

  return {
    load: () => guarded(file, () => read(database)),
    commit(changes) {
      try {
        database.exec("BEGIN IMMEDIATE");
        write(changes);
        database.exec("COMMIT");
      } catch (error) {
        // SQLite has rolled back by itself after some errors (disk full among them), and not after others.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw internalError(`${file} could not be written (${reason(error)}); nothing was changed, try again`);
      }
    },
    close() {
      if (open_) database.close();
      open_ = false;
    },
  };
}

function open(file: string, options: SqliteOptions): DatabaseSync {
  return guarded(file, () => {
    const database = new DatabaseSync(file);
    try {
      // Exclusive mode comes first: then the write-ahead log needs no shared memory file.
      database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      database.exec("PRAGMA cache_size = -512; PRAGMA wal_autocheckpoint = 500; PRAGMA journal_size_limit = 4194304");
      const { user_version: format } = database.prepare("PRAGMA user_version").get() as { user_version: number };
      if (format > stateFormat)
        throw new StateFileError(file, `has format ${format}, made by a newer version; use that version`, undefined);
      database.exec(schema);
      if (options.maxPages) database.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function read(database: DatabaseSync): StoredState {
  const revisions = new Map<string, number>();
  for (const row of database.prepare("SELECT resource, revision FROM revisions").iterate())
    revisions.set(String(row.resource), Number(row.revision));
  const objects = [];
  for (const row of database.prepare("SELECT resource, key, json FROM objects").iterate())
    objects.push({
      resource: String(row.resource),
      key: String(row.key),
      object: JSON.parse(String(row.json)) as KubeObject,
    });
  return { revision: Math.max(0, ...revisions.values()), revisions, objects };
}

/** Turns what SQLite says about the file into what the reader can do about it. Codes: sqlite.org/rescode.html */
function guarded<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof StateFileError) throw error;
    const code = sqliteCode(error);
    if (code === 5 || code === 6)
      throw new StateFileError(file, "is in use by another control plane; stop that one first", error);
    if (code === 11 || code === 26 || error instanceof SyntaxError)
      throw new StateFileError(
        file,
        `is damaged (${reason(error)}); nothing was deleted. Put a copy back in its place, or move it (and ${file}-wal) away to begin with an empty state`,
        error,
      );
    throw new StateFileError(
      file,
      `cannot be opened (${reason(error)}); check its folder, permissions and disk`,
      error,
    );
  }
}

/** The primary result code; extended codes carry it in their low byte. */
const sqliteCode = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));
