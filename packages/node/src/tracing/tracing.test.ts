// Programs that know nothing of tracing, traced.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { drawn, traced } from "./traced.fixture.ts";

/** A server that asks itself, once it listens; `ask(path)` resolves with the answer's text. */
const asking = (handler: string, questions: string) => `
  import http from "node:http";
  const server = http.createServer(async (request, response) => { ${handler} });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const base = "http://127.0.0.1:" + port;
  const get = (path) => new Promise((resolve, reject) => http.get({ port, host: "127.0.0.1", path, agent: false }, (response) => {
    let text = "";
    response.on("data", (chunk) => { text += chunk; }).on("end", () => resolve(text)).on("error", reject);
  }).on("error", reject));
  const ask = (path, init) => fetch(base + path, init).then((response) => response.text());
  ${questions}
  server.close(); server.closeAllConnections();`;

const byUrl = `if (request.url === "/outer") response.end(await ask("/inner")); else response.end("fine");`;

describe("requests that lead to others are one trace", () => {
  const tree = ["client GET /outer", "  server GET /outer", "    client GET /inner", "      server GET /inner"];
  test("fetch", async () => {
    const { spans, stderr } = await traced({ code: asking(byUrl, `await ask("/outer");`) });
    expect(stderr).toBe("");
    expect(drawn(spans)).toEqual(tree);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });
  test("node:http", async () => {
    const { spans } = await traced({ code: asking(byUrl.replace("ask(", "get("), `await get("/outer");`) });
    expect(drawn(spans)).toEqual(tree);
  });
  test("in CommonJS", async () => {
    const code = asking(byUrl, `await ask("/outer");`).replace(
      'import http from "node:http";',
      'const http = require("node:http");',
    );
    expect(drawn((await traced({ type: "commonjs", code: `(async () => {${code}})();` })).spans)).toEqual(tree);
  });
  test("after a body has been read by events", async () => {
    const handler = `
      if (request.url === "/inner") return response.end("fine");
      let length = 0;
      request.on("data", (chunk) => { length += chunk.length; });
      request.on("end", async () => response.end(await ask("/inner")));`;
    const body = `{ method: "POST", body: "x".repeat(300000) }`;
    const { spans } = await traced({ code: asking(handler, `await ask("/outer", ${body});`) });
    expect(drawn(spans)).toEqual([
      "client POST /outer",
      "  server POST /outer",
      "    client GET /inner",
      "      server GET /inner",
    ]);
  });
  test("requests on one connection do not get mixed up", async () => {
    const questions = `await Promise.all([1, 2, 3, 4].map(() => ask("/outer"))); await ask("/inner"); await ask("/inner");`;
    const { spans } = await traced({ code: asking(byUrl, questions) });
    const alone = ["client GET /inner", "  server GET /inner"];
    expect(drawn(spans)).toEqual([...tree, ...tree, ...tree, ...tree, ...alone, ...alone]);
  });
});

test("a trace that comes in goes on, with its state and baggage", async () => {
  const handler = `
    if (request.url === "/inner") return response.end(JSON.stringify(request.headers));
    response.end(await get("/inner"));`;
  const raw = `
    const socket = (await import("node:net")).connect(port, "127.0.0.1");
    socket.write("GET /outer HTTP/1.1\\r\\nhost: shop\\r\\nconnection: close\\r\\ntracestate: vendor=1\\r\\nbaggage: user=ann\\r\\n"
      + "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\\r\\n\\r\\n");
    for await (const chunk of socket) process.stdout.write(chunk);`;
  const { spans, stdout } = await traced({ code: asking(handler, raw) });
  expect(spans.map(({ traceId }) => traceId)).toEqual(Array(3).fill("0af7651916cd43dd8448eb211c80319c"));
  expect(spans.find(({ parentSpanId }) => parentSpanId === "b7ad6b7169203331")?.attributes["url.path"]).toBe("/outer");
  expect(stdout).toContain('"tracestate":"vendor=1"');
  expect(stdout).toContain('"baggage":"user=ann"');
});

describe("attributes", () => {
  test("say what was asked and answered", async () => {
    const { spans } = await traced({
      code: asking(`response.statusCode = 418; response.end()`, `await ask("/tea?a=1&sig=secret");`),
      env: { OTEL_SERVICE_NAME: "tea", OTEL_RESOURCE_ATTRIBUTES: "service.namespace=a%20shop,k8s.pod.name=tea-1" },
    });
    const [server, client] = ["server", "client"].map((wanted) => spans.find(({ kind }) => kind === wanted));
    expect(server).toMatchObject({
      attributes: {
        "http.request.method": "GET",
        "http.response.status_code": 418,
        "url.path": "/tea",
        "url.query": "a=1&sig=REDACTED",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "user_agent.original": "node",
      },
      resource: { "service.name": "tea", "service.namespace": "a shop", "k8s.pod.name": "tea-1" },
      status: { code: 0 },
    });
    expect(client).toMatchObject({
      attributes: { "http.response.status_code": 418, "error.type": "418" },
      status: { code: 2 },
    });
    expect(client?.attributes["url.full"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/tea\?a=1&sig=REDACTED$/);
  });
  test("a server's error is one", async () => {
    const { spans } = await traced({ code: asking(`response.writeHead(503).end()`, `await get("/");`) });
    expect(spans.map(({ status, attributes }) => [status.code, attributes["error.type"]])).toEqual([
      [2, "503"],
      [2, "503"],
    ]);
  });
  test("a connection that is refused is one, with its exception", async () => {
    const refused = `const closed = net.createServer().listen(0, "127.0.0.1", () => { const { port } = closed.address();
      closed.close(() => { http.get({ port, host: "127.0.0.1" }).on("error", () => {});
        fetch("http://127.0.0.1:" + port).catch(() => {}); }); });`;
    const { spans } = await traced({ code: `import http from "node:http"; import net from "node:net"; ${refused}` });
    expect(spans.map(({ attributes, events }) => [attributes["error.type"], ...events])).toEqual([
      ["ECONNREFUSED", "exception"],
      ["ECONNREFUSED", "exception"],
    ]);
  });
  test("an answer that is cut off is one, for who asked", async () => {
    const handler = `response.writeHead(200, { "content-length": 10 }); response.write("1"); setTimeout(() => response.destroy(), 20);`;
    const { spans } = await traced({ code: asking(handler, `await get("/").catch(() => {});`) });
    expect(spans.map(({ kind, attributes }) => [kind, attributes["error.type"]]).toSorted()).toEqual([
      ["client", "ECONNRESET"],
      ["server", "client_closed_request"],
    ]);
  });
  test("express' route is the name", async () => {
    const handler = `request.baseUrl = "/api"; request.route = { path: "/orders/:id" }; response.end();`;
    const { spans } = await traced({ code: asking(handler, `await get("/api/orders/7");`) });
    expect(spans.find(({ kind }) => kind === "server")).toMatchObject({
      name: "GET /api/orders/:id",
      attributes: { "http.route": "/api/orders/:id" },
    });
  });
});

describe("what is not recorded", () => {
  const cases = [
    [
      "Kubernetes' probes",
      `await ask("/outer", { headers: { "user-agent": "kube-probe/1.34" } });`,
      {},
      ["client GET /outer"],
    ],
    ["with OTEL_SDK_DISABLED", `await ask("/outer");`, { OTEL_SDK_DISABLED: "true" }, []],
    ["with OTEL_TRACES_EXPORTER=none", `await ask("/outer");`, { OTEL_TRACES_EXPORTER: "none" }, []],
    ["with a sampler that says no", `await ask("/outer");`, { OTEL_TRACES_SAMPLER: "always_off" }, []],
    ["with a protocol that we do not speak", `await ask("/outer");`, { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, []],
    ["with an endpoint that is none", `await ask("/outer");`, { OTEL_EXPORTER_OTLP_ENDPOINT: "here" }, []],
  ] as const;
  test.each(cases)("%s", async (_what, questions, env, expected) => {
    const { spans, stdout, stderr, code } = await traced({
      code: asking(byUrl, `${questions} process.stdout.write("done");`),
      env,
    });
    expect([drawn(spans), stdout, stderr, code]).toEqual([expected, "done", "", 0]);
  });
});

describe("lines", () => {
  test("of a request carry its ids, others do not", async () => {
    const handler = `console.log("order %d taken", 7); console.error(new Error("no").message + "\\n  more");
      process.stdout.write('{"msg":"json"}\\n'); response.end()`;
    const { spans, stdout, stderr } = await traced({ code: asking(handler, `console.log("open"); await get("/");`) });
    const { traceId, spanId } = spans.find(({ kind }) => kind === "server") ?? {};
    const ids = ` trace_id=${traceId} span_id=${spanId}`;
    expect(stdout).toBe(`open\norder 7 taken${ids}\n{"msg":"json","trace_id":"${traceId}","span_id":"${spanId}"}\n`);
    expect(stderr).toBe(`no${ids}\n  more\n`);
  });
});

test("lines that pino writes past the streams carry them, too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pino-"));
  try {
    // As the package has it: each instance gets its function when it is made.
    mkdirSync(join(folder, "node_modules/sonic-boom"), { recursive: true });
    const boom = `const { writeSync } = require("node:fs");
      module.exports = function SonicBoom({ fd }) { this.write = (line) => writeSync(this.fd, line); this.fd = fd; };`;
    writeFileSync(join(folder, "node_modules/sonic-boom/index.js"), boom);
    writeFileSync(join(folder, "pino.cjs"), `module.exports = new (require("sonic-boom"))({ fd: 1 });`);
    const handler = `(await import(${JSON.stringify(join(folder, "pino.cjs"))})).default.write('{"msg":"hi"}\\n'); response.end()`;
    const { spans, stdout } = await traced({ code: asking(handler, `await get("/");`) });
    const { traceId, spanId } = spans.find(({ kind }) => kind === "server") ?? {};
    expect(stdout).toBe(`{"msg":"hi","trace_id":"${traceId}","span_id":"${spanId}"}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("metrics", () => {
  test("say how long answers took, and how the runtime is", async () => {
    const { requests } = await traced({
      code: asking(
        `response.end()`,
        `await get("/a"); await get("/a"); await new Promise((resolve) => setTimeout(resolve, 500));`,
      ),
      env: { OTEL_METRIC_EXPORT_INTERVAL: "200", OTEL_SERVICE_NAME: "me" },
    });
    const sent = requests.findLast(({ url }) => url === "/v1/metrics");
    const [{ resource, scopeMetrics }] = JSON.parse(String(sent?.body)).resourceMetrics;
    expect(JSON.stringify(resource)).toContain('{"key":"service.name","value":{"stringValue":"me"}}');
    const metrics = scopeMetrics[0].metrics as { name: string; exponentialHistogram?: { dataPoints: object[] } }[];
    expect(metrics.map(({ name }) => name)).toEqual([
      "http.server.request.duration",
      "nodejs.eventloop.utilization",
      "nodejs.eventloop.time",
      "v8js.memory.heap.used",
      "v8js.memory.heap.limit",
    ]);
    expect(metrics[0]?.exponentialHistogram?.dataPoints).toMatchObject([
      {
        count: 2,
        attributes: [
          { key: "http.request.method", value: { stringValue: "GET" } },
          { key: "url.scheme", value: { stringValue: "http" } },
          { key: "http.response.status_code", value: { intValue: 200 } },
        ],
      },
    ]);
  });
  test("are not sent where nobody wants them", async () => {
    const { requests } = await traced({
      code: asking(`response.end()`, `await get("/a"); await new Promise((resolve) => setTimeout(resolve, 400));`),
      env: { OTEL_METRIC_EXPORT_INTERVAL: "100", OTEL_METRICS_EXPORTER: "none" },
    });
    expect(new Set(requests.map(({ url }) => url))).toEqual(new Set(["/v1/traces"]));
  });
});
