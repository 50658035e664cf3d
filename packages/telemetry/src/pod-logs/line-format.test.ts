import { describe, expect, test } from "vitest";
import { plain, textOf } from "../attributes.ts";
import { parseLine } from "./line-format.ts";

const writtenAt = Date.UTC(2026, 10, 21, 12, 0, 0);
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";

/** What a line is found to say, as short as it can be written down. */
function found(line: string) {
  const { body, attributes, severityNumber, severityText, traceId, spanId, flags, timeUnixNano } = parseLine(
    line,
    writtenAt,
  );
  return {
    ...(textOf(body) !== line && { body: textOf(body) }),
    ...(severityNumber !== undefined && { severity: `${severityNumber} ${severityText ?? ""}`.trim() }),
    ...(timeUnixNano !== undefined && { nanos: timeUnixNano }),
    ...(traceId !== undefined && { traceId }),
    ...(spanId !== undefined && { spanId }),
    ...(flags !== undefined && { flags }),
    ...(attributes.length > 0 && {
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, value ? plain(value) : null])),
    }),
  };
}

const nanos = "1795262400123000000";

describe("JSON lines", () => {
  test.each<[name: string, line: string, says: object]>([
    [
      "pino",
      `{"level":30,"time":1795262400123,"pid":7,"hostname":"h","msg":"paid"}`,
      { body: "paid", severity: "9 INFO", nanos, attributes: { pid: 7, hostname: "h" } },
    ],
    [
      "bunyan",
      `{"name":"app","level":50,"msg":"no","time":"2026-11-21T12:00:00.123Z","v":0}`,
      { body: "no", severity: "17 ERROR", nanos, attributes: { name: "app", v: 0 } },
    ],
    [
      "winston",
      `{"level":"warn","message":"slow","timestamp":"2026-11-21T12:00:00.123Z"}`,
      { body: "slow", severity: "13 warn", nanos },
    ],
    [
      "zap",
      `{"level":"error","ts":1795262400.123,"caller":"a.go:1","msg":"no","stacktrace":"main"}`,
      { body: "no", severity: "17 error", nanos, attributes: { caller: "a.go:1", stacktrace: "main" } },
    ],
    [
      "logrus",
      `{"level":"warning","msg":"hm","time":"2026-11-21T13:00:00.123+01:00"}`,
      { body: "hm", severity: "13 warning", nanos },
    ],
    [
      "slog",
      `{"time":"2026-11-21T12:00:00.123456789Z","level":"INFO","msg":"hi"}`,
      { body: "hi", severity: "9 INFO", nanos: "1795262400123456789" },
    ],
    [
      "structlog",
      `{"event":"paid","level":"info","timestamp":"2026-11-21T12:00:00.123Z"}`,
      { body: "paid", severity: "9 info", nanos },
    ],
    [
      "python-json-logger",
      `{"asctime":"2026-11-21 12:00:00,123","levelname":"CRITICAL","message":"x"}`,
      { body: "x", severity: "18 CRITICAL", attributes: { asctime: "2026-11-21 12:00:00,123" } },
    ],
    [
      "Serilog",
      `{"@t":"2026-11-21T12:00:00.123Z","@l":"Warning","@m":"hm"}`,
      { body: "hm", severity: "13 Warning", nanos },
    ],
    [
      "ECS",
      `{"@timestamp":"2026-11-21T12:00:00.123Z","log.level":"debug","message":"d","trace.id":"${trace}"}`,
      { body: "d", severity: "5 debug", nanos, traceId: trace },
    ],
    [
      "OpenTelemetry's injection",
      `{"msg":"m","trace_id":"${trace}","span_id":"${span}","trace_flags":"01"}`,
      { body: "m", traceId: trace, spanId: span, flags: 1 },
    ],
    [
      "Datadog's",
      `{"message":"m","dd":{"trace_id":"255","span_id":"16","service":"s"}}`,
      {
        body: "m",
        traceId: `${"0".repeat(30)}ff`,
        spanId: `${"0".repeat(14)}10`,
        attributes: { dd: { service: "s" } },
      },
    ],
    [
      "Google's",
      `{"severity":"NOTICE","message":"m","logging.googleapis.com/trace":"projects/p/traces/${trace}"}`,
      { body: "m", severity: "10 NOTICE", traceId: trace },
    ],
    [
      "a traceparent",
      `{"msg":"m","traceparent":"00-${trace}-${span}-01"}`,
      { body: "m", traceId: trace, spanId: span, flags: 1 },
    ],
    ["a time that is a duration", `{"msg":"m","time":0.35}`, { body: "m", attributes: { time: 0.35 } }],
    [
      "a time of long ago",
      `{"msg":"m","time":"1999-01-01T00:00:00Z"}`,
      { body: "m", attributes: { time: "1999-01-01T00:00:00Z" } },
    ],
    ["a level that is none", `{"msg":"m","level":"upper"}`, { body: "m", attributes: { level: "upper" } }],
    ["two messages", `{"msg":"m","message":"n"}`, { body: "m", attributes: { message: "n" } }],
    ["no message", `{"a":1,"b":[true,null]}`, { attributes: { a: 1, b: [true, null] } }],
    [
      "an id of zeros",
      `{"msg":"m","trace_id":"${"0".repeat(32)}"}`,
      { body: "m", attributes: { trace_id: "0".repeat(32) } },
    ],
    ["JSON that is none", `{"msg":"m"`, {}],
    ["a list", `[1,2]`, {}],
  ])("%s", (_, line, says) => expect(found(line)).toEqual(says));

  test("long integers are kept digit by digit", () => {
    const { attributes } = parseLine(`{"msg":"m","id":9007199254740993,"huge":99999999999999999999}`, writtenAt);
    expect(attributes).toEqual([
      { key: "id", value: { intValue: "9007199254740993" } },
      { key: "huge", value: { stringValue: "99999999999999999999" } },
    ]);
  });
});

describe("logfmt", () => {
  test.each<[name: string, line: string, says: object]>([
    [
      "logrus",
      `time="2026-11-21T12:00:00.123Z" level=warning msg="say \\"hi\\"" size=10`,
      { body: `say "hi"`, severity: "13 warning", nanos, attributes: { size: "10" } },
    ],
    [
      "go-kit",
      "ts=2026-11-21T12:00:00.123Z caller=a.go:1 level=info msg=up",
      { body: "up", severity: "9 info", nanos, attributes: { caller: "a.go:1" } },
    ],
    ["pairs that tell nothing", "a=1 b=2", {}],
    ["text after pairs", "level=warn low on memory", { severity: "13 warn" }],
  ])("%s", (_, line, says) => expect(found(line)).toEqual(says));
});

describe("plain lines", () => {
  test.each<[line: string, says: object]>([
    ["listening on 3000", {}],
    ["ERROR: it broke", { severity: "17 ERROR" }],
    ["2026-11-21 12:00:00,123 [main] WARN com.acme.Shop - hm", { severity: "13 WARN" }],
    ["2026-11-21T12:00:00Z  INFO app::main: up", { severity: "9 INFO" }],
    ["\u001b[33mWARN\u001b[0m low", { severity: "13 WARN" }],
    ["WARNING:root:hm", { severity: "13 WARNING" }],
    ["CRITICAL:app.pay:no", { severity: "18 CRITICAL" }],
    ["E1121 12:00:00.000000       1 a.go:1] no", { severity: "17 E" }],
    ["I1121 12:00:00.000000       1 a.go:1] an ERROR occurred", { severity: "9 I" }],
    ["SEVERE: it broke", { severity: "17 SEVERE" }],
    ["2026/11/21 12:00:00 [error] 7#7: *1 upstream timed out", { severity: "17 error" }],
    ["fail: Microsoft.Hosting[0]", { severity: "17 fail" }],
    ["npm warn deprecated", {}],
    ["2026-11-21 12:00:00 UTC [7] LOG:  ready", { severity: "9 LOG" }],
    ["2026-11-21 12:00:00 UTC [7] FATAL:  no such role", { severity: "21 FATAL" }],
    ["TypeError: x is not a function", { severity: "17" }],
    ["java.lang.IllegalStateException: no", { severity: "17" }],
    ["Traceback (most recent call last):", { severity: "17" }],
    ["no error at all, INFORMATION", {}],
    ["INFO an ERROR was mended", { severity: "9 INFO" }],
    [`paid trace_id=${trace} span_id=${span}`, { traceId: trace, spanId: span }],
    [`paid traceId: "${trace.toUpperCase()}"`, { traceId: trace }],
    [`traceparent 00-${trace}-${span}-01`, { traceId: trace, spanId: span, flags: 1 }],
    [`INFO [shop,${trace},${span}] paid`, { severity: "9 INFO", traceId: trace, spanId: span }],
    [`trace_id=${"0".repeat(32)}`, {}],
  ])("%s", (line, says) => expect(found(line)).toEqual(says));
});
