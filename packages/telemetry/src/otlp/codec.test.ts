import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedError } from "../sink.ts";
import {
  decode,
  decodeLogRecord,
  decodeMetrics,
  decodeSpan,
  decodeTraces,
  encode,
  encodeLogRecord,
  encodeScope,
  encodeSpan,
  encodeTraces,
} from "./codec.ts";
import { arbitrary } from "./data.fixture.ts";
import { messageNamed } from "./schema.ts";
import type { LogRecord } from "./types.ts";

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(" ", ""), "hex");
const value = (any: string) => decode(messageNamed("AnyValue"), bytes(any));

for (const name of ["Span", "LogRecord", "Resource", "InstrumentationScope", "Metric", "ResourceSpans"]) {
  const message = messageNamed(name);
  test(`${name}: what is encoded is decoded`, () =>
    fc.assert(
      fc.property(arbitrary(name), (value) => {
        expect(decode(message, encode(message, value))).toEqual(value);
      }),
    ));
}

test("a message larger than the writer's first buffer", () => {
  const data = { resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: 20_000 }, span) }] }] };
  expect(decodeTraces(encodeTraces(data))).toEqual(data);
});
const span = (_: unknown, i: number) => ({ traceId: "", spanId: "", name: `span ${i} ${"é".repeat(i % 300)}` });

test("a value that no longer fits into the writer's first buffer", () => {
  // Of every kind; the text behind them moves the place where the buffer ends over all of them.
  for (let length = 3900; length < 4200; length++) {
    const record: LogRecord = {
      timeUnixNano: "1763740000123456789",
      severityNumber: -1,
      severityText: "é",
      body: {
        arrayValue: { values: [{ intValue: "-5" }, { doubleValue: -1 }, { bytesValue: "AP8=" }, { boolValue: true }] },
      },
      droppedAttributesCount: 2 ** 32 - 1,
      flags: 257,
      traceId: "ab".repeat(16),
      eventName: "x".repeat(length),
    };
    expect(decodeLogRecord(encodeLogRecord(record))).toEqual(record);
    encodeScope({ name: "x".repeat(2 ** 20) });
  }
});

test("bytes anywhere in a larger buffer", () => {
  const within = new Uint8Array(100).fill(0xff);
  within.set(encodeSpan({ traceId: "ab", spanId: "cd" }), 50);
  expect(decodeSpan(within.subarray(50, 56))).toEqual({ traceId: "ab", spanId: "cd" });
});

// What protobuf's rules ask of a reader.
const spanId = "12 01 ab";
const read: Record<string, [hex: string, expected: object]> = {
  "nothing is a message": ["", { traceId: "", spanId: "" }],
  "an unknown varint is passed over": [`f8 07 ff ff ff ff ff ff ff ff ff 01 ${spanId}`, { traceId: "", spanId: "ab" }],
  "unknown bytes are passed over": [`fa 07 02 01 02 ${spanId}`, { traceId: "", spanId: "ab" }],
  "unknown fixed numbers are passed over": [
    `f9 07 0102030405060708 fd 07 01020304 ${spanId}`,
    { traceId: "", spanId: "ab" },
  ],
  "the last value counts": [`12 01 cd ${spanId}`, { traceId: "", spanId: "ab" }],
  "zero after a value is unset": ["30 02 30 00", { traceId: "", spanId: "" }],
  "an unknown enum value is kept": ["30 63", { traceId: "", spanId: "", kind: 99 }],
  "a negative enum value": ["30 ff ff ff ff ff ff ff ff ff 01", { traceId: "", spanId: "", kind: -1 }],
  "a length with needless zeros": ["12 81 00 ab", { traceId: "", spanId: "ab" }],
  "a message in two parts is merged": [
    "7a 02 18 02 7a 03 12 01 78",
    { traceId: "", spanId: "", status: { code: 2, message: "x" } },
  ],
  "text that is not UTF-8": ["2a 02 ff 78", { traceId: "", spanId: "", name: "\ufffdx" }],
};
for (const [name, [hex, expected]] of Object.entries(read))
  test(name, () => expect(decodeSpan(bytes(hex))).toEqual(expected));

const values: Record<string, [hex: string, expected: object]> = {
  "false is a value": ["10 00", { boolValue: false }],
  "any number but zero is true": ["10 80 80 80 80 80 80 80 80 80 01", { boolValue: true }],
  "the smallest integer": ["18 80 80 80 80 80 80 80 80 80 01", { intValue: "-9223372036854775808" }],
  "the largest integer": ["18 ff ff ff ff ff ff ff ff 7f", { intValue: "9223372036854775807" }],
  "2^49": ["18 80 80 80 80 80 80 80 01", { intValue: "562949953421312" }],
  "2^49 - 1": ["18 ff ff ff ff ff ff 7f", { intValue: "562949953421311" }],
  "the last of a choice": ["0a 01 78 10 01", { boolValue: true }],
  "a choice that comes in parts": [
    "2a 02 0a 00 2a 04 0a 02 10 01",
    { arrayValue: { values: [{}, { boolValue: true }] } },
  ],
  "an empty list": ["2a 00", { arrayValue: {} }],
  "minus zero": ["21 00 00 00 00 00 00 00 80", { doubleValue: -0 }],
};
for (const [name, [hex, expected]] of Object.entries(values))
  test(`value: ${name}`, () => expect(value(hex)).toEqual(expected));

test("numbers in a list may be packed, single, or both", () => {
  const buckets = (hex: string) => decode(messageNamed("ExponentialHistogramDataPointBuckets"), bytes(hex));
  expect(buckets("12 03 01 ac 02 10 07 12 00")).toEqual({ bucketCounts: ["1", "300", "7"] });
  expect(buckets("12 00")).toEqual({});
  expect(buckets("08 05")).toEqual({ offset: -3 });
});

const malformed: Record<string, string> = {
  "cut off in a tag": "92",
  "cut off in a length": "12 80",
  "cut off in bytes": "12 05 ab",
  "cut off in a fixed number": "39 01 02",
  "cut off in an unknown number": "f9 07 01",
  "a length of four gigabytes": "12 ff ff ff ff 0f",
  "a field without a number": "00 01",
  "a number of 11 bytes": "30 ff ff ff ff ff ff ff ff ff ff 01",
  "a group": "f3 07 f4 07",
  "wire type 7": "ff 07",
  "a text as a number": "28 01",
  "a message as a number": "78 01",
  "a nested value that is longer than its message": "7a 02 12 05 61 62 63 64 65",
  "a nested number that is longer than its message": "7a 02 18 80 01",
  "a nested fixed number that is longer than its message": "5a 05 09 01 02 03 04 05 06 07 08",
};
for (const [name, hex] of Object.entries(malformed))
  test(`malformed: ${name}`, () => expect(() => decodeSpan(bytes(hex))).toThrow(MalformedError));

test("messages within messages, without end", () => {
  let nested: Uint8Array = bytes("10 01");
  for (let i = 0; i < 200; i++) nested = wrap(0x2a, wrap(0x0a, nested));
  expect(() => decode(messageNamed("AnyValue"), nested)).toThrow("nested too deeply");
});
const wrap = (tag: number, inner: Uint8Array): Uint8Array => {
  const length: number[] = [];
  let rest = inner.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([tag, ...length, rest, ...inner]);
};

test("millions of empty messages", () => {
  const spans = new Uint8Array(4_000_000);
  for (let i = 0; i < spans.length; i += 2) spans[i] = 0x12;
  expect(() => decode(messageNamed("ScopeSpans"), spans)).toThrow("more than 500000 values");
});

test("millions of numbers in a list", () => {
  const counts = wrap(0x12, new Uint8Array(2_000_000));
  expect(() => decode(messageNamed("ExponentialHistogramDataPointBuckets"), counts)).toThrow("more than 500000 values");
});

test("what was refused leaves nothing behind in the writer", () => {
  expect(() => encodeSpan({ traceId: "xy", spanId: "" })).toThrow();
  expect(decodeSpan(encodeSpan({ traceId: "ab", spanId: "" }))).toEqual({ traceId: "ab", spanId: "" });
});

test("any bytes are a message or malformed, and never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      for (const decoder of [decodeTraces, decodeMetrics, decodeSpan])
        try {
          decoder(noise);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
    }),
    { numRuns: 2000 },
  );
});
