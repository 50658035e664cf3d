import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inOrder, LogFile } from "./log-file.ts";

let folder: string;
let opened: LogFile[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-file-"));
  opened = [];
});
afterEach(() => {
  for (const file of opened) file.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = () => join(folder, "0.log");
const text = (letter: string) => `${letter.repeat(40)}\n`;
function open() {
  const file = new LogFile(path(), 0);
  opened.push(file);
  return file;
}

test("what was open when it was deleted is read to its end", () => {
  writeFileSync(path(), text("a"));
  const file = open();
  rmSync(path());
  const into = Buffer.alloc(100);
  expect(into.toString("utf8", 0, file.read(into))).toBe(text("a"));
});

test("another file that has been given the inode is not taken for it", () => {
  writeFileSync(path(), text("a"));
  const file = open();
  file.close();
  expect(file.isAt(path())).toBe(true);
  // In place: the inode stays.
  writeFileSync(path(), text("b"));
  expect(file.isAt(path())).toBe(false);
});

test("goes on where an earlier process ended, in the same file only", () => {
  writeFileSync(path(), text("a") + text("b"));
  const known = { inode: open().inode, birth: open().birth(), stdout: 82, stderr: 41 };
  const offset = (change: Partial<typeof known>) => {
    const file = open();
    file.resume({ ...known, ...change });
    return file.offset;
  };
  expect([offset({}), offset({ birth: "other" }), offset({ stdout: 500, stderr: 500 })]).toEqual([41, 0, 0]);
});

test("what has become shorter is read from its beginning", () => {
  writeFileSync(path(), text("a") + text("b"));
  const file = open();
  file.offset = 82;
  writeFileSync(path(), text("c"));
  file.look();
  expect([file.offset, file.unread]).toEqual([0, 41]);
});

test("stays the same when it is rotated, and grows", () => {
  writeFileSync(path(), text("a"));
  const file = open();
  renameSync(path(), `${path()}.20261121120000000`);
  appendFileSync(`${path()}.20261121120000000`, text("b"));
  file.look();
  expect([file.unread, file.isAt(`${path()}.20261121120000000`)]).toEqual([82, true]);
});

test("files are in the order in which they were written", () =>
  expect(
    inOrder(["10.log", "0.log", "0.log.20261121120000002", "2.log", "0.log.20261121120000001", "note.txt"]).map(
      ({ name }) => name,
    ),
  ).toEqual(["0.log.20261121120000001", "0.log.20261121120000002", "0.log", "2.log", "10.log"]));
