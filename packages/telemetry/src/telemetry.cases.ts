// What every implementation of `Telemetry` promises for what it provides.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attributesOf } from "./attributes.ts";
import type { LogsData, Span, TracesData } from "./otlp/types.ts";
import type { TestSeries } from "./promql/samples.fixture.ts";
import { type Labels, NotProvidedError, QueryError, type Telemetry } from "./telemetry.ts";

/** ms since the epoch; all of what is asked lies in the hour before. */
export const now = 1_700_004_000_000;
const start = now - 3_600_000;
const nano = (milliseconds: number) => `${milliseconds}000000`;

const counter = (labels: Labels, perStep: number): TestSeries => ({
  labels: { __name__: "requests_total", ...labels },
  points: Array.from({ length: 121 }, (_, index) => ({ time: start + index * 30_000, value: index * perStep })),
});

/** What an implementation must hold. */
export const content: { readonly series: TestSeries[]; readonly traces: TracesData; readonly logs: LogsData } = {
  series: [
    counter({ service: "orders", code: "200" }, 30),
    counter({ service: "orders", code: "500" }, 3),
    counter({ service: "payments", code: "200" }, 60),
    { labels: { __name__: "gone", service: "old" }, points: [{ time: start, value: 1 }] },
  ],
  traces: {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ "service.name": "orders", "service.version": "v2" }) },
        scopeSpans: [{ scope: { name: "http" }, spans: [span("a", 1, undefined, "POST /orders", -60_000, 250)] }],
      },
      {
        resource: { attributes: attributesOf({ "service.name": "payments" }) },
        scopeSpans: [
          {
            spans: [
              { ...span("a", 2, 1, "charge", -59_950, 150), status: { code: 2, message: "declined" } },
              {
                ...span("b", 3, undefined, "GET /health", -30_000, 2),
                attributes: [
                  ...attributesOf({ "http.route": "/health" }),
                  { key: "ratio", value: { doubleValue: NaN } },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  logs: {
    resourceLogs: [
      {
        resource: { attributes: attributesOf({ "service.name": "orders", "k8s.pod.name": "orders-1" }) },
        scopeLogs: [
          {
            scope: { name: "stdout" },
            logRecords: [
              logLine(-60_000, "order 17 taken", 9, "a"),
              logLine(-59_000, "card declined: no money", 17, "a"),
              { ...logLine(-50_000, "orders scaled to 3", 9), eventName: "flotilla.change" },
            ],
          },
        ],
      },
      {
        resource: { attributes: attributesOf({ "service.name": "payments" }) },
        scopeLogs: [{ logRecords: [logLine(-40_000, "Größe: 3 Stück", 13)] }],
      },
    ],
  },
};

export const traceId = (letter: string): string => letter.repeat(32);
function span(
  letter: string,
  id: number,
  parent: number | undefined,
  name: string,
  at: number,
  duration: number,
): Span {
  return {
    traceId: letter.repeat(32),
    spanId: String(id).padStart(16, "0"),
    ...(parent !== undefined && { parentSpanId: String(parent).padStart(16, "0") }),
    name,
    kind: 2,
    startTimeUnixNano: nano(now + at),
    endTimeUnixNano: nano(now + at + duration),
  };
}

function logLine(at: number, text: string, severityNumber: number, trace?: string) {
  return {
    timeUnixNano: nano(now + at),
    observedTimeUnixNano: nano(now + at),
    severityNumber,
    body: { stringValue: text },
    ...(trace && { traceId: trace.repeat(32), spanId: "0000000000000001" }),
  };
}

export interface Subject {
  readonly telemetry: Telemetry;
  readonly stop: () => Promise<void>;
}

export interface Provides {
  /** Only metrics: traces and logs are refused with a word on where they are. */
  readonly records: boolean;
}

export function telemetryCases(name: string, { records }: Provides, setUp: () => Promise<Subject>): void {
  describe(name, () => {
    let subject: Subject;
    let telemetry: Telemetry;
    beforeAll(async () => {
      subject = await setUp();
      telemetry = subject.telemetry;
    });
    afterAll(() => subject.stop());

    metricCases(() => telemetry);
    if (records) {
      traceCases(() => telemetry);
      logCases(() => telemetry);
    } else {
      test.each<[string, () => Promise<unknown>]>([
        ["traces", () => telemetry.traces({})],
        ["a trace", () => telemetry.trace(traceId("a"))],
        ["logs", () => telemetry.logs({})],
      ])("%s are elsewhere", async (_, ask) => {
        await expect(ask()).rejects.toThrow(NotProvidedError);
        await expect(ask()).rejects.toThrow("Jaeger");
      });
    }
  });
}

function metricCases(telemetry: () => Telemetry): void {
  test("a vector at one moment", async () =>
    expect(await telemetry().instant('requests_total{code="500"}', now)).toEqual({
      resultType: "vector",
      result: [{ metric: { __name__: "requests_total", service: "orders", code: "500" }, value: [now / 1000, "360"] }],
    }));
  test("a scalar", async () =>
    expect(await telemetry().instant("1 / 0", now)).toEqual({ resultType: "scalar", result: [now / 1000, "+Inf"] }));
  test("a text", async () =>
    expect(await telemetry().instant('"text"', now)).toEqual({ resultType: "string", result: [now / 1000, "text"] }));
  test("samples of a range", async () =>
    expect(await telemetry().instant('requests_total{code="500"}[1m]', now)).toMatchObject({
      resultType: "matrix",
      result: [
        {
          values: [
            [now / 1000 - 60, "354"],
            [now / 1000 - 30, "357"],
            [now / 1000, "360"],
          ],
        },
      ],
    }));
  test("at fractions of a second", async () =>
    expect(await telemetry().instant("time()", now + 250)).toEqual({
      resultType: "scalar",
      result: [now / 1000 + 0.25, String(now / 1000 + 0.25)],
    }));
  test("every step of a range, both ends included, sorted by labels", async () =>
    expect(
      await telemetry().range("sum by (service) (rate(requests_total[2m]))", {
        from: now - 120_000,
        to: now,
        step: 60_000,
      }),
    ).toEqual({
      resultType: "matrix",
      result: [
        ["orders", "1.1"],
        ["payments", "2"],
      ].map(([service, value]) => ({
        metric: { service },
        values: [-120, -60, 0].map((offset) => [now / 1000 + offset, value]),
      })),
    }));
  test("nothing", async () =>
    expect(await telemetry().instant("nonexistent", now)).toEqual({ resultType: "vector", result: [] }));

  test.each<[query: string, message: string]>([
    ["sum(rate(requests_total)", "1:25: parse error: unclosed left parenthesis"],
    [
      "rate(requests_total)",
      '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    ["nosuch(1)", '1:1: parse error: unknown function with name "nosuch"'],
    ["requests_total / on (service) requests_total", "found duplicate series for the match group"],
  ])("%s is a mistake", async (query, message) => {
    await expect(telemetry().instant(query, now)).rejects.toThrow(QueryError);
    await expect(telemetry().instant(query, now)).rejects.toThrow(message);
    const period = { from: now, to: now, step: 1000 };
    await expect(telemetry().range(query, period)).rejects.toThrow(message);
  });
  test("too many steps", async () => {
    const period = { from: now - 3_600_000, to: now, step: 100 };
    await expect(telemetry().range("1", period)).rejects.toThrow("exceeded maximum resolution of 11,000 points");
  });

  const names = async (selectors: string[], from: number, to: number) =>
    (await telemetry().series(selectors, { from, to })).map(({ service, code }) => `${service} ${code}`).sort();
  test("series that match", async () =>
    expect(await names(['requests_total{service="orders"}'], now - 60_000, now)).toEqual(["orders 200", "orders 500"]));
  test("of several selectors, each once", async () =>
    expect(await names(['{code="500"}', 'requests_total{service=~"ord.+"}', "gone"], now - 60_000, now)).toEqual([
      "orders 200",
      "orders 500",
    ]));
  test("a mistake in a selector", async () => {
    await expect(telemetry().series(["a{"], { from: 0, to: now })).rejects.toThrow(
      "1:3: parse error: unexpected end of input inside braces",
    );
    await expect(telemetry().series(["{}"], { from: 0, to: now })).rejects.toThrow(
      "match[] must contain at least one non-empty matcher",
    );
  });
}

function traceCases(telemetry: () => Telemetry): void {
  test("newest traces first", async () =>
    expect((await telemetry().traces({})).map(({ traceId }) => traceId)).toEqual([traceId("b"), traceId("a")]));
  test("a summary", async () =>
    expect(await telemetry().traces({ service: "orders" })).toEqual([
      {
        traceId: traceId("a"),
        service: "orders",
        operation: "POST /orders",
        start: now - 60_000,
        duration: 250,
        spans: 2,
        errors: 1,
        services: { orders: 1, payments: 1 },
      },
    ]));
  test.each<[string, Parameters<Telemetry["traces"]>[0], string[]]>([
    ["operation", { operation: "charge" }, ["a"]],
    ["duration", { minDuration: 100 }, ["a"]],
    ["status", { status: "error" }, ["a"]],
    ["attributes", { attributes: { "http.route": "/health" } }, ["b"]],
    ["time", { from: now - 40_000, to: now }, ["b"]],
    ["limit", { limit: 1 }, ["b"]],
    ["nothing of that", { service: "nobody" }, []],
  ])("by %s", async (_, search, letters) =>
    expect((await telemetry().traces(search)).map(({ traceId }) => traceId)).toEqual(letters.map(traceId)),
  );
  test("all of a trace, as it was sent", async () => {
    const trace = await telemetry().trace(traceId("a"));
    const spans = trace?.resourceSpans?.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans));
    expect(spans?.sort((a, b) => (a.spanId < b.spanId ? -1 : 1))).toEqual([
      content.traces.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0],
      content.traces.resourceSpans?.[1]?.scopeSpans?.[0]?.spans?.[0],
    ]);
  });
  test("numbers that JSON does not have", async () => {
    const trace = await telemetry().trace(traceId("b"));
    expect(trace?.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.attributes).toContainEqual({
      key: "ratio",
      value: { doubleValue: NaN },
    });
  });
  test.each([traceId("c"), "abc", "no/id", ""])("nothing of trace %j", async (id) =>
    expect(await telemetry().trace(id)).toBeUndefined(),
  );
}

function logCases(telemetry: () => Telemetry): void {
  const texts = async (search: Parameters<Telemetry["logs"]>[0]) =>
    (await telemetry().logs(search)).map(({ record }) => record.body?.stringValue);
  test("records by time, oldest first", async () =>
    expect(await texts({})).toEqual(["order 17 taken", "card declined: no money", "Größe: 3 Stück"]));
  test.each<[string, Parameters<Telemetry["logs"]>[0], string[]]>([
    ["service", { services: ["payments"] }, ["Größe: 3 Stück"]],
    ["trace", { traceId: traceId("a") }, ["order 17 taken", "card declined: no money"]],
    ["expression", { grep: "no m[aeiou]ney$" }, ["card declined: no money"]],
    ["letters of any case", { grep: "GRÖSSE|größe", ignoreCase: true }, ["Größe: 3 Stück"]],
    ["severity", { minSeverity: 13 }, ["card declined: no money", "Größe: 3 Stück"]],
    [
      "attribute of the resource",
      { attributes: { "k8s.pod.name": "orders-1" }, limit: 1 },
      ["card declined: no money"],
    ],
    ["event", { event: "flotilla.change" }, ["orders scaled to 3"]],
    ["time", { from: now - 45_000 }, ["Größe: 3 Stück"]],
  ])("by %s", async (_, search, expected) => expect(await texts(search)).toEqual(expected));
  test("what came after", async () => {
    const [first] = await telemetry().logs({ grep: "taken" });
    expect(await texts({ after: first?.id ?? "", limit: 1 })).toEqual(["card declined: no money"]);
  });
  test("a record as it was sent, with whose it is", async () => {
    const [found] = await telemetry().logs({ grep: "taken" });
    const sent = content.logs.resourceLogs?.[0];
    expect(found).toMatchObject({ resource: sent?.resource, record: sent?.scopeLogs?.[0]?.logRecords?.[0] });
  });
  test("an expression that is none", async () => {
    await expect(telemetry().logs({ grep: "(" })).rejects.toThrow(QueryError);
  });
}
