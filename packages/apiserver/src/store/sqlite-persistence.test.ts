import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "@flotilla/ambient";
import { StatusError } from "@flotilla/objects";
import { afterEach, expect, test } from "vitest";
import { persistenceCases } from "./persistence.cases.ts";
import { sqlitePersistence } from "./sqlite-persistence.ts";
import { Store } from "./store.ts";

const folders: string[] = [];

function stateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "flotilla-state-"));
  folders.push(folder);
  return join(folder, "state.db");
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

persistenceCases(() => {
  const file = stateFile();
  const persistence = sqlitePersistence(file);
  return {
    persistence,
    reopen() {
      persistence.close();
      return sqlitePersistence(file);
    },
  };
});

const object = (name: string, size = 1) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "n" },
  data: { value: "x".repeat(size) },
});

const write = (store: Store, name: string, size?: number) =>
  store.transact((transaction) => transaction.put("configmaps", `n/${name}`, object(name, size)));

test("every acknowledged write survives kill -9 at any moment", { timeout: 60_000 }, async () => {
  const file = stateFile();
  let written = 0;
  for (let round = 0; round < 4; round++) {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "crash.fixture.ts"), file, String(round * 100_000)],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const acknowledged: string[] = [];
    let revision = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [name = "", at = "0"] = line.split(" ");
      acknowledged.push(name);
      revision = Math.max(revision, Number(at));
      if (acknowledged.length === 40 + round * 17) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");

    const persistence = sqlitePersistence(file);
    const state = persistence.load();
    const names = new Set([...state.objects].map((each) => each.object.metadata.name));
    persistence.close();
    expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
    expect(state.revision).toBeGreaterThanOrEqual(revision);
    written += acknowledged.length;
    expect(names.size).toBeGreaterThanOrEqual(written);
  }
});

test("a full disk refuses the writers of that turn, and later writes work when there is room", async () => {
  const file = stateFile();
  const store = new Store(sqlitePersistence(file, { maxPages: 40 }), systemClock);
  await write(store, "small");
  const outcomes = await Promise.allSettled([write(store, "large", 400_000), write(store, "beside")]);
  for (const outcome of outcomes) {
    expect(outcome.status).toBe("rejected");
    if (outcome.status !== "rejected") continue;
    expect(outcome.reason).toBeInstanceOf(StatusError);
    expect((outcome.reason as StatusError).code).toBe(500);
    expect((outcome.reason as StatusError).message).toContain(file);
    expect((outcome.reason as StatusError).message).toContain("full");
  }
  expect(store.list("configmaps").map(({ metadata }) => metadata.name)).toEqual(["small"]);
  await write(store, "after");
  await store.close();
  const again = new Store(sqlitePersistence(file), systemClock);
  expect(again.list("configmaps").map(({ metadata }) => metadata.name)).toEqual(["after", "small"]);
  await again.close();
});

test("a damaged file is named with what to do, and left as it is", () => {
  const file = stateFile();
  writeFileSync(file, "this was never a database, but it is longer than one page header ".repeat(100));
  const before = readFileSync(file);
  expect(() => sqlitePersistence(file)).toThrow(/state file .*state\.db is damaged .*nothing was deleted.*move it/);
  expect(readFileSync(file)).toEqual(before);
});

test("damage inside the file is found when it is loaded", async () => {
  const file = stateFile();
  const store = new Store(sqlitePersistence(file), systemClock);
  for (let index = 0; index < 50; index++) await write(store, `o${index}`, 500);
  await store.close();
  const bytes = readFileSync(file);
  // The second half of the pages, past the schema.
  bytes.fill(0xa5, bytes.length / 2);
  writeFileSync(file, bytes);
  expect(() => {
    const persistence = sqlitePersistence(file);
    try {
      return [...persistence.load().objects];
    } finally {
      persistence.close();
    }
  }).toThrow(/is damaged/);
});

test("a file in use by another control plane is refused", () => {
  const file = stateFile();
  const first = sqlitePersistence(file);
  first.load();
  first.commit([{ resource: "configmaps", key: "n/a", revision: 1, object: object("a") }]);
  expect(() => sqlitePersistence(file)).toThrow(/is in use by another control plane/);
  first.close();
  sqlitePersistence(file).close();
});

test("a folder that is not there is said so", () => {
  expect(() => sqlitePersistence("/nowhere/at/all/state.db")).toThrow(/state file \/nowhere.* cannot be opened/);
});

test("after a restart, watchers of a resource that has not changed go on, others list again", async () => {
  const file = stateFile();
  const store = new Store(sqlitePersistence(file), systemClock);
  await write(store, "a");
  const seen = store.revision;
  await store.transact((transaction) => transaction.put("secrets", "n/s", { ...object("s"), kind: "Secret" }));
  await store.close();
  const again = new Store(sqlitePersistence(file), systemClock);
  expect(again.revision).toBe(seen + 1);
  expect(again.changesAfter("configmaps", seen)).toEqual([]);
  expect(again.changesAfter("secrets", seen)).toBeUndefined();
  await again.close();
});
