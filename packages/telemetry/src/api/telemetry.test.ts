import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@flotilla/ambient";
import { describe } from "vitest";
import { LogStore } from "../logs/log-store.ts";
import { encodeLogs, encodeTraces } from "../otlp/codec.ts";
import { promqlEngine } from "../promql/engine.ts";
import { hasPrometheus, startPrometheus } from "../promql/prometheus.fixture.ts";
import { sourceOf } from "../promql/samples.fixture.ts";
import { Losses } from "../sink.ts";
import { SpanStore } from "../spans/span-store.ts";
import { content, now, telemetryCases } from "../telemetry.cases.ts";
import { embeddedTelemetry } from "./embedded-telemetry.ts";
import { httpTelemetry } from "./http-telemetry.ts";
import { prometheusTelemetry } from "./prometheus-telemetry.ts";
import { startQueryServer } from "./serve-query.ts";

const clock: Clock = { ...systemClock, now: () => now };

function stores() {
  const folder = mkdtempSync(join(tmpdir(), "telemetry-"));
  const losses = new Losses();
  const spans = SpanStore.open({ folder: join(folder, "spans"), clock, losses });
  const logs = LogStore.open({
    folder: join(folder, "logs"),
    clock,
    losses,
    limits: { age: 86_400_000, bytes: 2 ** 26 },
  });
  spans.add(encodeTraces(content.traces));
  logs.add(encodeLogs(content.logs));
  const close = () => {
    spans.close();
    logs.close();
    rmSync(folder, { recursive: true });
  };
  const metrics = sourceOf(content.series);
  return { metrics, engine: promqlEngine({ source: metrics, clock }), spans, logs, close };
}

async function served() {
  const { metrics, engine, spans, logs, close } = stores();
  const server = await startQueryServer({
    host: "127.0.0.1",
    port: 0,
    source: metrics,
    engine,
    telemetry: embeddedTelemetry({ metrics, engine, spans, logs }),
    token: "secret",
    clock,
  });
  const stop = async () => {
    await server.close();
    close();
  };
  return { url: `http://127.0.0.1:${server.port}`, stop };
}

telemetryCases("stores of this process", { records: true }, async () => {
  const { metrics, engine, spans, logs, close } = stores();
  return { telemetry: embeddedTelemetry({ metrics, engine, spans, logs }), stop: async () => close() };
});

telemetryCases("the same over HTTP", { records: true }, async () => {
  const { url, stop } = await served();
  return { telemetry: httpTelemetry({ url, token: "secret" }), stop };
});

telemetryCases("the Prometheus provider, of our own server", { records: false }, async () => {
  const { url, stop } = await served();
  return { telemetry: prometheusTelemetry({ url }), stop };
});

// Needs Debian's package prometheus; .ci/run installs it.
describe.skipIf(!hasPrometheus)("with a real Prometheus", () => {
  telemetryCases("the Prometheus provider", { records: false }, async () => {
    const prometheus = await startPrometheus();
    await prometheus.write(content.series);
    return { telemetry: prometheusTelemetry({ url: prometheus.url }), stop: prometheus.stop };
  });
});
