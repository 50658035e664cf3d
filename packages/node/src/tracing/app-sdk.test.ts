// Programs that use OpenTelemetry themselves: its API alone, or with an SDK of their own.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { drawn, traced } from "./traced.fixture.ts";

const request = `
  import http from "node:http";
  const server = http.createServer((request, response) => {
    tracer.startActiveSpan("think", (span) => { span.setAttribute("deep", 42); console.log("thinking"); span.end(); });
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  await fetch("http://127.0.0.1:" + server.address().port).then((response) => response.text());
  server.close(); server.closeAllConnections();`;

const ownSdk = `
  import { context, propagation, trace } from "@opentelemetry/api";
  import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
  import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  const set = [trace.setGlobalTracerProvider(provider), context.setGlobalContextManager(new AsyncLocalStorageContextManager())];
  const tracer = trace.getTracer("mine");
  ${request}
  console.log(...set, memory.getFinishedSpans().map(({ name }) => name).join());`;

test("spans of the API are real, and in the same trace", async () => {
  const code = `import { trace } from "@opentelemetry/api"; const tracer = trace.getTracer("mine"); ${request}`;
  const { spans } = await traced({ code });
  expect(drawn(spans)).toEqual(["client GET /", "  server GET /", "    internal think"]);
  expect(spans.find(({ name }) => name === "think")?.attributes).toEqual({ deep: 42 });
});

test("an SDK of the app's own has its way", async () => {
  const { spans, stdout, stderr } = await traced({ code: ownSdk });
  expect([spans, stdout, stderr]).toEqual([[], "thinking\ntrue true think\n", ""]);
});

test("one in a bundle, too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bundled-"));
  try {
    const root = resolve(import.meta.dirname, "../../../..");
    const file = join(folder, "app.mjs");
    const bundled = await build({
      stdin: { contents: ownSdk, resolveDir: root },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "node",
      mainFields: ["module", "main"],
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      write: false,
    });
    // As if it were of another version than ours.
    const text = bundled.outputFiles[0]?.text.replaceAll(/"1\.9\.\d+"/g, '"1.8.7"') ?? "";
    expect(text).toContain('"1.8.7"');
    writeFileSync(file, text);
    const { spans, stdout, stderr } = await traced({ code: `await import(${JSON.stringify(file)});` });
    expect([spans, stdout, stderr]).toEqual([[], "thinking\ntrue true think\n", ""]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("one for metrics alone leaves the spans to us", async () => {
  const code = `
    import { metrics, trace } from "@opentelemetry/api";
    import { MeterProvider } from "@opentelemetry/sdk-metrics";
    const set = metrics.setGlobalMeterProvider(new MeterProvider());
    const tracer = trace.getTracer("mine");
    ${request}
    console.log(set);`;
  const { spans, stdout } = await traced({ code });
  expect(drawn(spans)).toEqual(["client GET /", "  server GET /", "    internal think"]);
  expect(stdout).toMatch(/true\n$/);
});
