import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedError } from "../sink.ts";
import { encodeLogs, encodeMetrics, encodeTraces } from "./codec.ts";
import { countRecords } from "./count.ts";
import { arbitrary } from "./data.fixture.ts";
import type { LogsData, MetricsData, TracesData } from "./types.ts";

test("spans", () =>
  fc.assert(
    fc.property(arbitrary("TracesData"), (data: TracesData) => {
      const spans = data.resourceSpans?.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans));
      expect(countRecords("traces", encodeTraces(data))).toBe(spans?.length ?? 0);
    }),
  ));

test("log records", () =>
  fc.assert(
    fc.property(arbitrary("LogsData"), (data: LogsData) => {
      const logs = data.resourceLogs?.flatMap(({ scopeLogs = [] }) =>
        scopeLogs.flatMap((scope) => scope.logRecords ?? []),
      );
      expect(countRecords("logs", encodeLogs(data))).toBe(logs?.length ?? 0);
    }),
  ));

test("data points", () =>
  fc.assert(
    fc.property(arbitrary("MetricsData"), (data: MetricsData) => {
      const metrics = data.resourceMetrics?.flatMap(({ scopeMetrics = [] }) =>
        scopeMetrics.flatMap((scope) => scope.metrics ?? []),
      );
      const points = metrics?.flatMap(({ gauge, sum, histogram, exponentialHistogram, summary }) =>
        [gauge, sum, histogram, exponentialHistogram, summary].flatMap((kind): object[] => kind?.dataPoints ?? []),
      );
      expect(countRecords("metrics", encodeMetrics(data))).toBe(points?.length ?? 0);
    }),
  ));

test("malformed bytes", () => expect(() => countRecords("logs", Uint8Array.of(10, 5, 1))).toThrow(MalformedError));
