import { describe, expect, test } from "vitest";
import { withIds } from "./log-lines.ts";

const ids = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
const plain = ` trace_id=${ids.traceId} span_id=${ids.spanId}`;
const fields = `"trace_id":"${ids.traceId}","span_id":"${ids.spanId}"`;

describe("ids on lines", () => {
  const cases = [
    ["text", "order taken\n", `order taken${plain}\n`],
    ["several lines", "Error: no\n    at x\n", `Error: no${plain}\n    at x\n`],
    ["an object", '{"msg":"hi"}\n', `{"msg":"hi",${fields}}\n`],
    ["an empty object", "{}\n", `{${fields}}\n`],
    ["an object in braces of JavaScript", "{ a: 1 }\n", `{ a: 1 }${plain}\n`],
    ["what only looks like JSON", '{"a": oh}\n', `{"a": oh}${plain}\n`],
    ["an array", "[1]\n", `[1]${plain}\n`],
    ["no line end", "loading...", "loading..."],
    ["an empty line", "\n", "\n"],
    ["its own id", '{"traceId":"x"}\n', '{"traceId":"x"}\n'],
    ["a blob", `${"x".repeat(200_000)}\n`, `${"x".repeat(200_000)}\n`],
  ] as const;
  test.each(cases)("%s", (_what, text, expected) => expect(withIds(text, ids)).toBe(expected));
});
