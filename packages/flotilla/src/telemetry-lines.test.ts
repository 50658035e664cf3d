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

test("a port that another process has is said", () => {
  const status = { signals: { traces: kept, logs: kept, metrics: kept }, losses: [], faults: ["no port"] };
  expect(telemetryLines(status, { otlpHttp: 1, otlpGrpc: 2, query: 3 }, (_, text) => text)[1]).toBe("  no port");
});

test.each([
  [{ records: 0, clean: true, torn: 0 }, ""],
  [{ records: 0, clean: false, torn: 0 }, "  was killed: the last fifth of a second may be missing"],
  [
    { records: 0, clean: false, torn: 5000, damaged: ["a"] },
    "  was killed: the last fifth of a second may be missing; 5 KiB at the end of its journal could not be read; 1 damaged file put aside",
  ],
])("what the start found: %j", (recovered, said) => {
  const signals = { traces: { ...kept, recovered }, logs: kept, metrics: kept };
  const lines = telemetryLines({ signals, losses: [] }, { otlpHttp: 1, otlpGrpc: 2, query: 3 }, (_, text) => text);
  expect(lines[1]).toBe(`  traces   1 spans        0.0 MiB of 0.0 MiB  up to 0 h${said}`);
});
