import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { putStream, writeTar } from "./tar-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flotilla-tar-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pieces = async function* (count: number) {
  for (let i = 0; i < count; i++) yield Buffer.alloc(64 * 1024);
};
const tarOf = (file: string, stated: number, count: number) =>
  writeTar(file, (tar) => putStream(tar, { name: "app/big", size: stated * 64 * 1024 }, pieces(count)));

test("writes what comes in pieces", async () => {
  await tarOf(join(folder, "a.tar"), 40, 40);
  expect(readdirSync(folder)).toContain("a.tar");
});
test.each([
  ["more", 10, 40],
  ["less", 40, 10],
])("a file that has become %s than it was is refused by name", (_, stated, count) =>
  expect(tarOf(join(folder, "b.tar"), stated, count)).rejects.toThrow("app/big changed while it was being packed"),
);
test("a place that cannot be written to is told", () =>
  expect(tarOf(join(folder, "absent", "c.tar"), 40, 40)).rejects.toThrow("ENOENT"));
test.runIf(process.platform === "linux")("a full disk is told", () =>
  expect(tarOf("/dev/full", 400, 400)).rejects.toThrow("ENOSPC"),
);
