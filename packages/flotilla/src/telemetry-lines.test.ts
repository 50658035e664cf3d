import { expect, test } from "vitest";
import { telemetryLines } from "./telemetry-lines.ts";

const kept = {
  records: 1,
  bytesOnDisk: 0,
  oldest: undefined,
  recovered: { records: 0, clean: true, torn: 0 },
  fault: undefined,
  retention: { age: 1, size: 1 },
};

test.each([
  [{ signal: "metrics", reason: "too many series", count: 3 }, "  not taken: 3 samples: too many series"],
  [{ signal: "logs", reason: "request malformed", count: 1 }, "  not taken: 1 request of logs: malformed"],
  [{ signal: "traces", reason: "request too large", count: 2 }, "  not taken: 2 requests of traces: too large"],
] as const)("what was lost is counted by what it was: %j", (loss, line) => {
  const status = { signals: { traces: kept, logs: kept, metrics: kept }, losses: [loss] };
  const lines = telemetryLines(status, { otlpHttp: 1, otlpGrpc: 2, query: 3 }, (_, text) => text);
  expect(lines.at(-1)).toBe(line);
});
