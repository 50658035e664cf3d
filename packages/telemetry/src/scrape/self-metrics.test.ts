import { expect, test } from "vitest";
import { counter, metricsOf, point } from "../metrics/metrics.fixture.ts";
import { encodeMetrics } from "../otlp/codec.ts";
import { Losses, type Sink } from "../sink.ts";
import { parseExposition } from "./exposition.ts";
import { countingSink, selfMetrics } from "./self-metrics.ts";

const sink: Sink = {
  traces: () => ({ taken: 1, rejected: 0 }),
  logs: () => ({ taken: 1, rejected: 0 }),
  metrics: () => ({ taken: 2, rejected: 1 }),
};

const request = encodeMetrics(metricsOf({}, counter("a", point(1, 1), point(2, 2), point(3, 3))));

test("what was taken is counted, without what was rejected of it", () => {
  const counting = countingSink(sink);
  counting.sink.metrics(request);
  counting.sink.metrics(request);
  expect(counting.received.metrics).toEqual({ requests: 2, bytes: 2 * request.length, records: 4 });
});

test("the text can be read, and says everything", () => {
  const losses = new Losses();
  losses.add("logs", 'a "reason"', 3);
  const counting = countingSink(sink);
  counting.sink.metrics(request);
  const families = parseExposition(
    selfMetrics({
      losses,
      received: counting.received,
      kept: {
        metrics: { records: 7, bytesOnDisk: 8, oldest: 9000 },
        logs: { records: 0, bytesOnDisk: 0, oldest: undefined },
      },
      series: 5,
      targets: [{ fault: undefined }, { fault: "down" }, { fault: undefined }],
      notForwarded: 4,
      startedAt: 1000,
    }),
    "text/plain; version=0.0.4",
  );
  const lines = families.flatMap(({ samples }) =>
    samples.map(({ name, labels, value }) => `${name} ${labels.map(([, text]) => text).join(" ")} ${value}`),
  );
  expect(lines).toEqual(
    expect.arrayContaining([
      "flotilla_telemetry_received_total metrics 2",
      'flotilla_telemetry_refused_total logs a "reason" 3',
      "flotilla_telemetry_kept metrics 7",
      "flotilla_telemetry_disk_bytes logs 0",
      "flotilla_telemetry_oldest_timestamp_seconds metrics 9",
      "flotilla_telemetry_series  5",
      "flotilla_telemetry_targets up 2",
      "flotilla_telemetry_targets down 1",
      "flotilla_telemetry_not_forwarded_total  4",
      "process_start_time_seconds  1",
    ]),
  );
  expect(lines.some((line) => line.startsWith("flotilla_telemetry_oldest_timestamp_seconds logs"))).toBe(false);
});
