import { describe, expect, test } from "vitest";
import { CriLines } from "./cri-lines.ts";
import { LineJoiner } from "./join-lines.ts";
import { recordOf } from "./record.ts";

const at = (ms: number) => new Date(Date.UTC(2026, 10, 21, 12) + ms).toISOString().replace("Z", "000000Z");
const cri = (text: string, { ms = 0, stream = "stdout", tag = "F" } = {}) => `${at(ms)} ${stream} ${tag} ${text}\n`;

/** The bodies of the records that a file of these lines becomes. */
function records(file: string | Buffer, longest = 2000) {
  const lines = new CriLines<string>(longest, 0);
  const joiners = { stdout: new LineJoiner<string>(), stderr: new LineJoiner<string>() };
  const found: ReturnType<typeof recordOf>[] = [];
  const take = (line: Parameters<Parameters<typeof lines.read>[2]>[0]) =>
    joiners[line.stream].add(line, (joined) => found.push(recordOf(joined)));
  lines.read(Buffer.from(file), { file: "f", offset: 0 }, take);
  lines.flush(take);
  for (const joiner of Object.values(joiners)) joiner.flush((joined) => found.push(recordOf(joined)));
  return found;
}
const bodies = (file: string | Buffer, longest?: number) => records(file, longest).map(({ body }) => body?.stringValue);
const printed = (...lines: string[]) => bodies(lines.map((line) => cri(line)).join(""));

describe("lines of one record", () => {
  test.each<[name: string, ...lines: string[]]>([
    ["Node.js", "Error: boom", "    at f (a.js:1:2)", "    at g (a.js:3:4) {", "  code: 'E'", "}"],
    [
      "Java",
      "java.lang.RuntimeException: x",
      "\tat a.B.c(B.java:1)",
      "Caused by: java.io.IOException: y",
      "\t... 3 more",
    ],
    [
      "an uncaught error of Python",
      "Traceback (most recent call last):",
      '  File "a.py", line 1',
      "    f()",
      "ValueError: x",
    ],
    [
      "a logged error of Python",
      "ERROR:root:no",
      "Traceback (most recent call last):",
      '  File "a.py", line 1',
      "    f()",
      "ValueError: x",
      "",
      "During handling of the above exception, another exception occurred:",
      "",
      "Traceback (most recent call last):",
      '  File "a.py", line 2',
      "KeyError: y",
    ],
    ["Go", "panic: no", "", "goroutine 1 [running]:", "main.main()", "\t/a.go:1 +0x1d", "exit status 2"],
    ["a value over several lines", "state {", "  a: 1", "}"],
  ])("%s", (_, ...lines) => expect(printed(...lines)).toEqual([lines.join("\n")]));
});

describe("lines of several records", () => {
  test.each<[name: string, lines: string[], records: string[]]>([
    ["plain ones", ["a", "b"], ["a", "b"]],
    ["what follows a trace", ["Error: x", "  at f", "next"], ["Error: x\n  at f", "next"]],
    [
      "what follows a traceback",
      ["Traceback (most recent call last):", "  File", "E: x", "next"],
      ["Traceback (most recent call last):\n  File\nE: x", "next"],
    ],
    [
      "a traceback after an unrelated line",
      ["INFO up", "Traceback (most recent call last):", "  F"],
      ["INFO up", "Traceback (most recent call last):\n  F"],
    ],
    ["indented after JSON", [`{"a":1}`, "  b"], [`{"a":1}`, "  b"]],
    ["a brace after what is not indented", ["a", "}"], ["a", "}"]],
    ["empty lines", ["a", "", "b"], ["a", "", "b"]],
  ])("%s", (_, lines, records) => expect(printed(...lines)).toEqual(records));

  test("far apart in time", () => expect(bodies(cri("a") + cri("  b", { ms: 1500 }))).toEqual(["a", "  b"]));
  test("of two streams", () =>
    expect(bodies(cri("Error: x") + cri("out", { stream: "stderr" }) + cri("  at f"))).toEqual([
      "Error: x\n  at f",
      "out",
    ]));
  test("more than a record may have", () => {
    const lines = ["Error: x", ...Array.from({ length: 70 }, () => ` ${"y".repeat(1000)}`)];
    const found = printed(...lines);
    expect(found.length).toBe(2);
    expect(found.join("\n")).toBe(lines.join("\n"));
  });
});

describe("the format of the file", () => {
  test("parts are joined", () =>
    expect(bodies(cri("a", { tag: "P" }) + cri("other", { stream: "stderr" }) + cri("b"))).toEqual(["ab", "other"]));
  test("a line that never ends", () => expect(bodies(cri("a", { tag: "P" }))).toEqual(["a"]));
  test("what is too long is cut between characters, and says so", () => {
    const [record] = records(cri(`${"x".repeat(9)}é tail`), 10);
    expect(record?.body).toEqual({ stringValue: "x".repeat(9) });
    expect(record?.attributes).toContainEqual({ key: "log.line.length", value: { intValue: "16" } });
  });
  test("parts beyond the longest are counted, not kept", () => {
    const [record] = records(Array.from({ length: 5 }, () => cri("12345", { tag: "P" })).join("") + cri("end"), 10);
    expect(record?.body).toEqual({ stringValue: "1234512345" });
    expect(record?.attributes).toContainEqual({ key: "log.line.length", value: { intValue: "28" } });
  });
  test("bytes that are not UTF-8 are replaced", () =>
    expect(bodies(Buffer.concat([Buffer.from(`${at(0)} stdout F a`), Buffer.from([0xff, 0x0a])]))).toEqual([
      "a\ufffd",
    ]));
  test("what is not of the format is text", () => expect(bodies("half a li\n")).toEqual(["half a li"]));
  test("the carriage return of other systems goes", () => expect(bodies(cri("a\r"))).toEqual(["a"]));
  test("the time is exact, the stream an attribute", () =>
    expect(records(`2026-11-21T12:00:00.123456789Z stderr F a\n`)).toEqual([
      {
        timeUnixNano: "1795262400123456789",
        observedTimeUnixNano: "1795262400123456789",
        body: { stringValue: "a" },
        attributes: [{ key: "log.iostream", value: { stringValue: "stderr" } }],
      },
    ]));
});
