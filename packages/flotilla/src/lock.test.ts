import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { holderOf, lock, startTime, unlock } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "lock-"));
const file = join(folder, "agent.json");
beforeEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));
const hold = (pid: number, started?: string) => writeFileSync(file, JSON.stringify({ pid, started }));

test("taken, held, released", () => {
  expect(lock(file)).toBe(true);
  expect(holderOf(file)?.pid).toBe(process.pid);
  unlock(file);
  expect([existsSync(file), holderOf(file)]).toEqual([false, undefined]);
});
test("not taken from a living process", () => {
  hold(process.ppid, startTime(process.ppid));
  expect(lock(file)).toBe(false);
  unlock(file);
  expect(holderOf(file)?.pid).toBe(process.ppid);
});
test("taken from one that was killed", async () => {
  const child = spawn("sleep", ["60"]);
  hold(child.pid as number, startTime(child.pid as number));
  expect(lock(file)).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(lock(file)).toBe(true);
});
test("a process that has the id of an earlier one is not the holder", () => {
  hold(process.ppid, "long ago");
  expect([holderOf(file), lock(file)]).toEqual([undefined, true]);
});
test("a damaged lock is nobody's", () => {
  writeFileSync(file, "{");
  expect([holderOf(file), lock(file)]).toEqual([undefined, true]);
});
