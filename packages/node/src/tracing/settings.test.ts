import { describe, expect, test } from "vitest";
import { settingsFrom } from "./settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
const traces = (env: Record<string, string>) => settingsFrom({ ...endpoint, ...env })?.traces;

describe("where spans go", () => {
  const cases = [
    ["the endpoint, with the signal's path", {}, "http://127.0.0.1:4318/v1/traces"],
    ["below a path", { OTEL_EXPORTER_OTLP_ENDPOINT: "https://a/b/" }, "https://a/b/v1/traces"],
    ["the signal's own endpoint as it is", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://b:1/x" }, "http://b:1/x"],
    ["nowhere without one", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, undefined],
    ["nowhere by none", { OTEL_TRACES_EXPORTER: "none" }, undefined],
    ["there by otlp", { OTEL_TRACES_EXPORTER: "otlp" }, "http://127.0.0.1:4318/v1/traces"],
    ["there by several", { OTEL_TRACES_EXPORTER: "console, otlp" }, "http://127.0.0.1:4318/v1/traces"],
    ["nowhere by another", { OTEL_TRACES_EXPORTER: "zipkin" }, undefined],
    ["nowhere with gRPC", { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, undefined],
    ["nowhere when disabled", { OTEL_SDK_DISABLED: "TRUE" }, undefined],
    ["nowhere with another scheme", { OTEL_EXPORTER_OTLP_ENDPOINT: "unix:///x" }, undefined],
  ] as const;
  test.each(cases)("%s", (_what, env, url) => expect(traces(env)?.url.href).toBe(url));
});

test("how they go", () =>
  expect(
    traces({
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=2",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=x%20y",
      OTEL_EXPORTER_OTLP_TIMEOUT: "500",
    }),
  ).toMatchObject({ format: "json", headers: { a: "1", b: "x y" }, timeout: 500 }));

describe("batches", () => {
  const cases = [
    ["as they come", {}, { delay: 500, queue: 2048, size: 512 }],
    [
      "as asked",
      { OTEL_BSP_SCHEDULE_DELAY: "100", OTEL_BSP_MAX_QUEUE_SIZE: "64" },
      { delay: 100, queue: 64, size: 64 },
    ],
    [
      "what is no number",
      { OTEL_BSP_SCHEDULE_DELAY: "soon", OTEL_BSP_MAX_QUEUE_SIZE: "-1" },
      { delay: 500, queue: 2048, size: 512 },
    ],
  ] as const;
  test.each(cases)("%s", (_what, env, batch) => expect(settingsFrom({ ...endpoint, ...env })?.batch).toEqual(batch));
});
