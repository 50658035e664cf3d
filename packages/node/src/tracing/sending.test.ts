// How spans leave a program: in batches, at its end, and not at all when nobody takes them.
import { describe, expect, test } from "vitest";
import { traced } from "./traced.fixture.ts";

const spans = (count: number) => `
  import { trace } from "@opentelemetry/api"; const tracer = trace.getTracer("test");
  for (let at = 0; at < ${count}; at += 1) tracer.startSpan("span " + at).end();`;
const pause = (ms: number) => `await new Promise((resolve) => setTimeout(resolve, ${ms}));`;
/** Until the receiver has a connection, so that what follows depends on nothing but itself. */
const connected = `${spans(1)} ${pause(600)}`;
const more = (count: number) => `for (let at = 0; at < ${count}; at += 1) tracer.startSpan("late " + at).end();`;

describe("nothing is lost at the end", () => {
  const cases = [
    ["of a program that has nothing left to do", `${spans(700)}`, 700],
    ["by process.exit", `${connected} ${more(3)} process.exit();`, 4],
    ["by process.exit, with much to say", `${connected} ${more(2000)} process.exit();`, 2001],
    [
      "by the app's own listener for SIGTERM",
      `process.on("SIGTERM", () => process.exit()); ${connected} ${more(3)} process.kill(process.pid, "SIGTERM"); ${pause(5000)}`,
      4,
    ],
    ["by an error", `${connected} ${more(1)} throw new Error("no");`, 2],
  ] as const;
  test.each(cases)("%s", async (_how, code, count) => expect((await traced({ code })).spans).toHaveLength(count));
});

test("a program without a listener for SIGTERM ends by it", async () => {
  const code = `${connected} console.log(process.listenerCount("SIGTERM")); process.kill(process.pid, "SIGTERM"); ${pause(5000)}`;
  expect(await traced({ code })).toMatchObject({ code: null, stdout: "0\n" });
});

test.each([
  ["thrown", "(request, response) => { throw new TypeError('no'); }"],
  ["rejected", "async (request, response) => { await null; throw new TypeError('no'); }"],
])("an error that ends the program is recorded where it was %s", async (_how, handler) => {
  const code = `import http from "node:http"; ${connected}
    const server = http.createServer(${handler}).listen(0, "127.0.0.1", () => http.get({ port: server.address().port }));`;
  const seen = await traced({ code });
  expect(seen.spans.find(({ kind }) => kind === "server")).toMatchObject({
    events: ["exception"],
    status: { code: 2, message: "no" },
    attributes: { "error.type": "TypeError" },
  });
  expect(seen.code).toBe(1);
});

describe("an endpoint that takes nothing costs nothing", () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };
  test("nothing is printed, and the program ends as it would", async () => {
    const { stdout, stderr, code } = await traced({ code: `${spans(10)} ${pause(200)} ${more(5000)}`, env });
    expect([stdout, stderr, code]).toEqual(["", "", 0]);
  });
  test("no more than the queue is kept", async () => {
    const growth = `
      ${connected}
      const before = process.memoryUsage().heapUsed;
      for (let round = 0; round < 20; round += 1) { ${more(5000)} ${pause(5)} }
      gc();
      console.log(process.memoryUsage().heapUsed - before < 8e6);`;
    expect((await traced({ code: growth, env, args: ["--expose-gc"] })).stdout).toBe("true\n");
  });
  test("one that never answers does not hold the program up", async () => {
    const forever = { OTEL_EXPORTER_OTLP_TIMEOUT: "3600000" };
    expect(await traced({ code: spans(10), env: forever, answers: () => undefined })).toMatchObject({ code: 0 });
  });
});

test("what was refused for now is sent again", async () => {
  let asked = 0;
  const answers = () => {
    asked += 1;
    return asked === 1 ? 503 : 200;
  };
  const { requests } = await traced({ code: `${spans(2)} ${pause(1500)}`, answers });
  expect(requests.map(({ body }) => body.toString().match(/"name":"span \d"/g)?.length)).toEqual([2, 2]);
});

test("what was refused for good is not", async () => {
  const { requests } = await traced({ code: `${spans(2)} ${pause(1500)}`, answers: () => 400 });
  expect(requests).toHaveLength(1);
});

test("protobuf with headers, where that is asked for", async () => {
  const { requests } = await traced({
    code: spans(3),
    env: {
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20me,x-tenant=shop",
    },
  });
  const [{ url, headers, body } = requests[0] as never] = requests;
  expect([url, headers["content-type"], headers.authorization, headers["x-tenant"]]).toEqual([
    "/v1/traces",
    "application/x-protobuf",
    "Bearer me",
    "shop",
  ]);
  // Field 1, length-delimited: resource_spans of an ExportTraceServiceRequest.
  expect([body[0], body.includes("span 2")]).toEqual([0x0a, true]);
});

test("batches are of the size asked for", async () => {
  const { requests } = await traced({
    code: `${spans(10)} ${pause(1200)}`,
    env: { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "4" },
  });
  expect(requests.map(({ body }) => body.toString().match(/"name":"span \d"/g)?.length)).toEqual([4, 4, 2]);
});
