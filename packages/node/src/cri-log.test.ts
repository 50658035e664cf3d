import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulation, sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCriLog, rotatedFiles } from "./cri-log.ts";
import { type LogOptions, readLog } from "./log-reader.ts";

const { clock } = simulation(1);
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-"));
  path = join(folder, "pod", "main", "0.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (...chunks: (string | Buffer)[]) => {
  const log = openCriLog(path, { clock });
  for (const chunk of chunks) log.write("stdout", Buffer.from(chunk as string));
  log.close();
};
const raw = () => readFileSync(path, "latin1").split("\n").filter(Boolean);
const read = async (options: LogOptions = {}) => {
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(path, options, clock, () => true)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

describe("writing", () => {
  test("a line as the runtime interface has it", () => {
    write("hello\n");
    expect(raw()).toEqual(["2026-01-01T00:00:00.000000000Z stdout F hello"]);
  });
  test("a line in several pieces is one", () => {
    write("he", "ll", "o\nwor", "ld\n");
    expect(raw().map((line) => line.slice(31))).toEqual(["stdout F hello", "stdout F world"]);
  });
  test("what no newline ends is a part", () => {
    write("prompt>");
    expect(raw()[0]).toMatch(/stdout P prompt>$/);
  });
  test("streams do not mix", () => {
    const log = openCriLog(path, { clock });
    log.write("stdout", Buffer.from("a"));
    log.write("stderr", Buffer.from("b\n"));
    log.write("stdout", Buffer.from("c\n"));
    log.close();
    expect(raw().map((line) => line.slice(31))).toEqual(["stderr F b", "stdout F ac"]);
  });
  test("a line of ten megabytes passes in bounded parts", async () => {
    const line = Buffer.alloc(10 * 1024 * 1024, "x");
    write(line, "\n");
    expect(Math.max(...raw().map((each) => each.length))).toBeLessThan(17 * 1024);
    expect((await read()).equals(Buffer.concat([line, Buffer.from("\n")]))).toBe(true);
  });
  test("any bytes pass", async () => {
    const bytes = Buffer.from([0, 255, 13, 128, 9, 27, 10, 254, 10]);
    write(bytes);
    expect((await read()).equals(bytes)).toBe(true);
  });
  test("rotates by size and keeps so many", () => {
    const log = openCriLog(path, { clock: systemClock, maxBytes: 1000, maxFiles: 3 });
    for (let i = 0; i < 100; i++) log.write("stdout", Buffer.from(`${"x".repeat(100)}${i}\n`));
    log.close();
    expect(rotatedFiles(path).length).toBeLessThanOrEqual(2);
    expect(readFileSync(path).length).toBeLessThanOrEqual(1000);
  });
  test("a disk that refuses is told, and the container goes on", () => {
    const errors: Error[] = [];
    const log = openCriLog(path, { clock, maxBytes: 10, onError: (error) => errors.push(error) });
    log.write("stdout", Buffer.from("first\n"));
    rmSync(join(folder, "pod"), { recursive: true });
    log.write("stdout", Buffer.from("second\n"));
    expect(errors).toHaveLength(1);
  });
});

describe("reading", () => {
  const at = (second: number, text: string, tag = "F") =>
    `2026-01-01T00:00:0${second}.000000000Z stdout ${tag} ${text}\n`;
  const given = (...lines: string[]) => {
    write();
    writeFileSync(path, lines.join(""));
  };
  test("all", async () => {
    given(at(1, "a"), at(2, "b"));
    expect(String(await read())).toBe("a\nb\n");
  });
  test("the last lines, parts counted as one", async () => {
    given(at(1, "a"), at(2, "b", "P"), at(2, "c"), at(3, "d"));
    expect(String(await read({ tailLines: 2 }))).toBe("bc\nd\n");
    expect(String(await read({ tailLines: 0 }))).toBe("");
    expect(String(await read({ tailLines: 9 }))).toBe("a\nbc\nd\n");
  });
  test("since", async () => {
    given(at(1, "a"), at(2, "b"));
    expect(String(await read({ since: Date.parse("2026-01-01T00:00:02Z") }))).toBe("b\n");
  });
  test("with times, at the beginning of lines", async () => {
    given(at(1, "a", "P"), at(1, "b"));
    expect(String(await read({ timestamps: true }))).toBe("2026-01-01T00:00:01.000000000Z ab\n");
  });
  test("no more than asked for", async () => {
    given(at(1, "abc"), at(2, "def"));
    expect(String(await read({ limitBytes: 5 }))).toBe("abc\nd");
  });
  test("across rotated files", async () => {
    const log = openCriLog(path, { clock: systemClock, maxBytes: 300, maxFiles: 10 });
    for (let i = 0; i < 10; i++) {
      log.write("stdout", Buffer.from(`${i}${"x".repeat(100)}\n`));
      await sleep(systemClock, 2);
    }
    log.close();
    expect(
      String(await read())
        .match(/^\d/gm)
        ?.join(""),
    ).toBe("0123456789");
  });
  test("follows until it is over, also through a rotation", async () => {
    const log = openCriLog(path, { clock: systemClock, maxBytes: 300, maxFiles: 10 });
    let over = false;
    const seen: string[] = [];
    const following = (async () => {
      for await (const chunk of readLog(path, { follow: true }, systemClock, () => over)) seen.push(String(chunk));
    })();
    for (let i = 0; i < 10; i++) {
      log.write("stdout", Buffer.from(`${i}${"x".repeat(100)}\n`));
      await sleep(systemClock, 60);
    }
    log.close();
    over = true;
    await following;
    expect(seen.join("").match(/^\d/gm)?.join("")).toBe("0123456789");
  });
  test("of nothing is nothing", async () => expect(String(await read())).toBe(""));
});
