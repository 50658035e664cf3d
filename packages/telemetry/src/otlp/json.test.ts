import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedError } from "../sink.ts";
import { encodeMetrics, encodeTraces } from "./codec.ts";
import { arbitrary } from "./data.fixture.ts";
import { type DataOf, parseJson, toJson } from "./json.ts";
import type { AnyValue, Metric, Span } from "./types.ts";

for (const [signal, name] of [
  ["traces", "TracesData"],
  ["metrics", "MetricsData"],
  ["logs", "LogsData"],
] as const)
  test(`${signal}: what is written is read`, () =>
    fc.assert(
      fc.property(arbitrary(name), (value) => {
        expect(parseJson(signal, toJson(signal, value as DataOf[typeof signal]))).toEqual(value);
      }),
    ));

const spanOf = (text: string): Span | undefined =>
  parseJson("traces", `{"resourceSpans":[{"scopeSpans":[{"spans":[${text}]}]}]}`).resourceSpans?.[0]?.scopeSpans?.[0]
    ?.spans?.[0];
const anyValueOf = (text: string): AnyValue | undefined =>
  spanOf(`{"attributes":[{"key":"k","value":${text}}]}`)?.attributes?.[0]?.value;
const metricOf = (text: string): Metric | undefined =>
  parseJson("metrics", `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[${text}]}]}]}`).resourceMetrics?.[0]
    ?.scopeMetrics?.[0]?.metrics?.[0];
const ids = { traceId: "", spanId: "" };

const spans: Record<string, [json: string, expected: object]> = {
  "ids in capitals": ['{"traceId":"0AF7","spanId":"B7"}', { traceId: "0af7", spanId: "b7" }],
  "names as in the .proto file": [
    '{"trace_id":"0a","start_time_unix_nano":"5"}',
    { ...ids, traceId: "0a", startTimeUnixNano: "5" },
  ],
  "times as numbers lose nothing": [
    '{"startTimeUnixNano":1763740000123456789}',
    { ...ids, startTimeUnixNano: "1763740000123456789" },
  ],
  "times as text": ['{"endTimeUnixNano":"18446744073709551615"}', { ...ids, endTimeUnixNano: "18446744073709551615" }],
  "an enum's name": ['{"kind":"SPAN_KIND_CLIENT"}', { ...ids, kind: 3 }],
  "an enum's number": ['{"kind":3}', { ...ids, kind: 3 }],
  "an enum's number as text": ['{"kind":"3"}', { ...ids, kind: 3 }],
  "null is unset": ['{"name":null,"attributes":null}', ids],
  "zero is unset": ['{"kind":0,"name":"","attributes":[],"startTimeUnixNano":"0"}', ids],
  "unknown members": ['{"colour":"red","name":"x","__proto__":{"name":"y"},"constructor":1}', { ...ids, name: "x" }],
  "half of a surrogate pair": ['{"name":"\\ud800x"}', { ...ids, name: "\ufffdx" }],
};
for (const [name, [json, expected]] of Object.entries(spans)) test(name, () => expect(spanOf(json)).toEqual(expected));

const values: Record<string, [json: string, expected: object]> = {
  "an integer as a number": ['{"intValue":5}', { intValue: "5" }],
  "an integer beyond a double": ['{"intValue":9007199254740993}', { intValue: "9007199254740993" }],
  "an integer with a fraction of zero": ['{"intValue":5.0}', { intValue: "5" }],
  "an integer with an exponent": ['{"intValue":1e3}', { intValue: "1000" }],
  "an integer beyond 64 bits is a double": ['{"intValue":1e300}', { doubleValue: 1e300 }],
  "digits beyond 64 bits are a double": ['{"intValue":"9223372036854775808"}', { doubleValue: 2 ** 63 }],
  "the largest integer": ['{"intValue":"9223372036854775807"}', { intValue: "9223372036854775807" }],
  "the smallest integer": ['{"intValue":-9223372036854775808}', { intValue: "-9223372036854775808" }],
  "an empty text": ['{"stringValue":""}', { stringValue: "" }],
  "a text of digits": ['{"stringValue":"[12345678901234567890]"}', { stringValue: "[12345678901234567890]" }],
  "not a number": ['{"doubleValue":"NaN"}', { doubleValue: Number.NaN }],
  "minus infinity": ['{"doubleValue":"-Infinity"}', { doubleValue: Number.NEGATIVE_INFINITY }],
  "minus zero": ['{"doubleValue":-0.0}', { doubleValue: -0 }],
  "a double as text": ['{"doubleValue":"1.5e3"}', { doubleValue: 1500 }],
  "a large whole double": ['{"doubleValue":9223372036854775808}', { doubleValue: 2 ** 63 }],
  "base64 for URLs": ['{"bytesValue":"-_8"}', { bytesValue: "+/8=" }],
  "no value": ["{}", {}],
  "values within values": [
    '{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"boolValue":false},{}]}}}]}}',
    { kvlistValue: { values: [{ key: "a", value: { arrayValue: { values: [{ boolValue: false }, {}] } } }] } },
  ],
};
for (const [name, [json, expected]] of Object.entries(values))
  test(name, () => expect(anyValueOf(json)).toEqual(expected));

test("a sum of zero is not the same as none", () =>
  expect(metricOf('{"name":"m","histogram":{"dataPoints":[{"sum":0,"bucketCounts":[0,"3"]}]}}')).toEqual({
    name: "m",
    histogram: { dataPoints: [{ sum: 0, bucketCounts: ["0", "3"] }] },
  }));

const first = "resourceSpans[0].scopeSpans[0].spans[0]";
const mistakes: Record<string, [json: string, message: string]> = {
  "an id that is no hex": ['{"traceId":"xyz"}', `${first}.traceId: expected hexadecimal text`],
  "half a byte": ['{"spanId":"abc"}', `${first}.spanId: expected hexadecimal text`],
  "a name that is a number": ['{"name":5}', `${first}.name: expected text`],
  "a list that is none": ['{"events":{}}', `${first}.events: expected a list`],
  "an object that is none": ['{"status":[]}', `${first}.status: expected an object`],
  "null in a list": ['{"attributes":[null]}', `${first}.attributes[0]: expected an object`],
  "an unknown name of an enum": ['{"kind":"SERVER"}', `${first}.kind: expected an integer`],
  "a negative time": ['{"startTimeUnixNano":-1}', `${first}.startTimeUnixNano: expected an integer from 0`],
  "a count beyond 32 bits": ['{"flags":4294967296}', `${first}.flags: expected an integer from 0 to 4294967295`],
  "a fraction": ['{"kind":1.5}', `${first}.kind: expected an integer`],
  "two values at once": [
    '{"attributes":[{"key":"k","value":{"boolValue":true,"intValue":1}}]}',
    `${first}.attributes[0].value.intValue: boolValue is there as well`,
  ],
  "true as text": ['{"attributes":[{"value":{"boolValue":"true"}}]}', "expected true or false"],
  "bytes that are no base64": ['{"attributes":[{"value":{"bytesValue":"%"}}]}', "expected base64 text"],
};
for (const [name, [json, message]] of Object.entries(mistakes))
  test(`refuses ${name}`, () => {
    expect(() => spanOf(json)).toThrow(message);
    expect(() => spanOf(json)).toThrow(MalformedError);
  });

const broken: Record<string, string> = {
  nothing: "",
  "no object": "5",
  null: "null",
  "a list": "[]",
  "half an object": '{"resourceSpans":[',
  "a text that does not end": '{"a":"\\"',
  "lists within lists, without end": `{"x":${"[".repeat(100_000)}`,
  "objects within objects, without end": '{"x":'.repeat(100_000),
  "a million empty objects": `{"x":[${"{},".repeat(1_100_000)}{}]}`,
};
for (const [name, text] of Object.entries(broken))
  test(`refuses ${name}`, () => expect(() => parseJson("logs", text)).toThrow(MalformedError));

test("brackets in texts do not count", () =>
  expect(anyValueOf(JSON.stringify({ stringValue: `\\"${"[{".repeat(10_000)}\\` }))).toEqual({
    stringValue: `\\"${"[{".repeat(10_000)}\\`,
  }));

test("values nested as deeply as protobuf allows", () => {
  const nest = (levels: number): string =>
    levels === 0 ? '{"boolValue":true}' : `{"arrayValue":{"values":[${nest(levels - 1)}]}}`;
  const data = (text: string) =>
    parseJson("traces", `{"resourceSpans":[{"resource":{"attributes":[{"value":${text}}]}}]}`);
  expect(encodeTraces(data(nest(40))).length).toBeGreaterThan(100);
  expect(() => data(nest(200))).toThrow("nested too deeply");
});

test("is read as what it says in protobuf", () =>
  expect(
    Buffer.from(
      encodeMetrics(
        parseJson("metrics", '{"resource_metrics":[{"scope_metrics":[{"metrics":[{"name":"m","unit":"s"}]}]}]}'),
      ),
    ).toString("hex"),
  ).toBe("0a0a120812060a016d1a0173"));
