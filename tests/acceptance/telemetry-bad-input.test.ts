// Telemetry under attack: what is wrong is refused and counted, memory stays bounded, and everything else goes on.
import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Shop, sleep } from "./shop.ts";

let shop: Shop;
let ports: { otlpHttp: number; otlpGrpc: number; query: number };
beforeAll(async () => {
  shop = await Shop.copy();
  await shop.up();
  ({ ports } = JSON.parse(readFileSync(join(shop.dir, ".flotilla", "cluster.json"), "utf8")));
}, 180_000);
afterAll(() => shop?.close(), 60_000);

const mebibyte = 2 ** 20;
const nanos = () => `${Date.now()}000000`;
const resource = (service: string) => ({
  attributes: [{ key: "service.name", value: { stringValue: service } }],
});

const send = (signal: string, body: object | string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${ports.otlpHttp}/v1/${signal}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
  });

const gauges = (service: string, name: string, labels: readonly string[]) => ({
  resourceMetrics: [
    {
      resource: resource(service),
      scopeMetrics: [
        {
          metrics: [
            {
              name,
              gauge: {
                dataPoints: labels.map((label) => ({
                  timeUnixNano: nanos(),
                  asDouble: 1,
                  attributes: [{ key: "user", value: { stringValue: label } }],
                })),
              },
            },
          ],
        },
      ],
    },
  ],
});
const line = (service: string, text: string, more = {}) => ({
  resourceLogs: [
    {
      resource: resource(service),
      scopeLogs: [{ logRecords: [{ timeUnixNano: nanos(), body: { stringValue: text }, ...more }] }],
    },
  ],
});

interface Loss {
  readonly signal: string;
  readonly reason: string;
  readonly count: number;
}
async function losses(): Promise<readonly Loss[]> {
  const { code, out } = await shop.flotilla("status", "-o", "json");
  expect(code).toBe(0);
  return JSON.parse(out).telemetry.losses;
}
const lost = async (signal: string, reason: string) =>
  (await losses()).find((loss) => loss.signal === signal && loss.reason === reason)?.count ?? 0;

const telemetryProcess = (): number => {
  const found = shop.processes().find(({ command }) => /processes\/telemetry/.test(command));
  if (!found) throw new Error("telemetry does not run");
  return found.pid;
};

/** Most memory that the process ever had, in MiB. */
const peak = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${telemetryProcess()}/status`, "utf8"))?.[1]) / 1024;

/** Everything else: the shop, the API, and what others tell of themselves. */
async function goesOn(): Promise<void> {
  expect((await fetch(shop.url)).status).toBe(200);
  expect((await shop.kubectl("get", "pods")).code).toBe(0);
  const word = `still here ${Math.random()}`;
  await eventually(async () => (await send("logs", line("other", word))).ok);
  const found = await shop.flotilla("logs", "other", "--grep", word.replace(".", "\\."), "-o", "json");
  expect(found.out).toContain(word);
  expect(peak()).toBeLessThan(250);
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  await expect.poll(isSo, { timeout: 30_000, interval: 250 }).toBe(true);
}

test("a healthy shop loses nothing", async () => {
  for (let i = 0; i < 10; i++) await fetch(`${shop.url}/api/products`);
  await sleep(6000);
  expect(await losses()).toEqual([]);
}, 30_000);

test.each<[string, string, string | Uint8Array, number, RegExp]>([
  ["no JSON", "traces", "{", 400, /not JSON/],
  ["not UTF-8", "logs", Buffer.from('{"resourceLogs":[{"schemaUrl":"\xff\xfe"}]}', "latin1"), 400, /not UTF-8/],
  ["nested without end", "logs", "[".repeat(100_000), 400, /nested too deeply/],
  ["a line of 10 MB", "logs", JSON.stringify(line("big", "x".repeat(10 * mebibyte))), 413, /send less at once/],
])("%s is refused with a reason, and counted", async (_, signal, body, status, why) => {
  const reason = status === 413 ? "request too large" : "request malformed";
  const before = await lost(signal, reason);
  const answer = await send(signal, body);
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(why)]);
  expect(await lost(signal, reason)).toBe(before + 1);
});

test("100,000 values of a label: so many are kept, the rest is counted", async () => {
  let message = "";
  for (let batch = 0; batch < 100; batch++) {
    const users = Array.from({ length: 1000 }, (_, i) => `user-${batch * 1000 + i}`);
    const answer = (await (await send("metrics", gauges("flood", "flood", users))).json()) as {
      partialSuccess?: { errorMessage: string };
    };
    message = answer.partialSuccess?.errorMessage ?? "";
  }
  expect(message).toMatch(/is a label's value different each time\?/);
  expect(await lost("metrics", "too many series")).toBe(80_000);
  expect((await shop.flotilla("status")).out).toContain("not taken: 80000 samples: too many series");
  const { out } = await shop.flotilla("query", "count(flood)", "-o", "json");
  expect(JSON.parse(out).result[0].value[1]).toBe("20000");
  await goesOn();
}, 120_000);

test("late, from the future, twice, and in another order", async () => {
  const at = (ms: number, value: number) => {
    const [data] = gauges("clock", "clock", ["a"]).resourceMetrics;
    const [point] = (data as NonNullable<typeof data>).scopeMetrics[0]?.metrics[0]?.gauge.dataPoints ?? [];
    Object.assign(point as object, { timeUnixNano: `${ms}000000`, asDouble: value });
    return send("metrics", { resourceMetrics: [data] }).then((answer) => answer.json());
  };
  const now = Date.now();
  expect(await at(now, 1)).toEqual({});
  expect(await at(now, 1)).toEqual({});
  expect(await at(now - 60_000, 2)).toEqual({});
  expect(await at(now, 3)).toMatchObject({
    partialSuccess: { errorMessage: expect.stringContaining("another value") },
  });
  expect(await at(now + 3_600_000, 4)).toMatchObject({
    partialSuccess: { errorMessage: expect.stringContaining("in the future") },
  });
  expect(await at(now - 7_200_000, 5)).toMatchObject({
    partialSuccess: { errorMessage: expect.stringContaining(" old") },
  });
  for (const reason of ["duplicate", "too new", "too old"]) expect(await lost("metrics", reason)).toBe(1);
});

test("senders without end, slow ones, and a thousand connections", async () => {
  const sockets: Socket[] = [];
  const open = (port: number, text: string): Socket => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.write(text);
    sockets.push(socket);
    return socket;
  };
  const head = "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n";
  try {
    for (let i = 0; i < 500; i++) open(ports.otlpHttp, "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\nx:");
    for (let i = 0; i < 500; i++) open(ports.otlpGrpc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    for (let i = 0; i < 10; i++)
      open(ports.otlpHttp, `${head}content-length: 8000000\r\n\r\n`).write(Buffer.alloc(500_000));
    const ended = Array.from({ length: 10 }, () => {
      const socket = open(ports.otlpHttp, `${head}transfer-encoding: chunked\r\n\r\n`);
      const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536), Buffer.from("\r\n")]);
      const go = (): void => {
        if (socket.destroyed) return;
        if (socket.write(chunk)) setImmediate(go);
        else socket.once("drain", go);
      };
      go();
      return new Promise((resolve) => socket.once("close", resolve));
    });
    await Promise.all(ended);
    await goesOn();
    expect((await lost("traces", "request too large")) + (await lost("traces", "request unavailable"))).toBeGreaterThan(
      0,
    );
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}, 120_000);

test("questions that cost much are answered or refused by name, and abandoned ones end", async () => {
  const ask = async (path: string, parameters: Record<string, string>, signal?: AbortSignal) => {
    const url = `http://127.0.0.1:${ports.query}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const answer = await fetch(url, signal ? { signal } : {});
    return { status: answer.status, text: await answer.text() };
  };
  const end = Math.floor(Date.now() / 1000);
  const range = { start: String(end - 90 * 86_400), end: String(end), step: "720" };
  const all = await Promise.all(
    Array.from({ length: 6 }, () => ask("query_range", { query: '{__name__=~".+"}', ...range })),
  );
  for (const { status, text } of all)
    expect([status, text]).toEqual([422, expect.stringContaining("would load too many samples into memory")]);
  const gone = Array.from({ length: 20 }, (_, i) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    return ask("query_range", { query: `sum(rate(flood[5m])) + ${i}`, ...range, step: "7200" }, abort.signal);
  });
  await Promise.allSettled(gone);
  expect(await ask("query", { query: "1" })).toMatchObject({ status: 200 });
  expect(await ask("query", { query: "sum(up))" })).toMatchObject({
    status: 400,
    text: expect.stringContaining("1:9: "),
  });
  await goesOn();
}, 120_000);

test("expressions that would try for ever", async () => {
  await send("logs", line("bomb", `${"a".repeat(5000)}!`));
  const { code, err } = await shop.flotilla("logs", "bomb", "--grep", "(a+)+$");
  expect([code, err]).toEqual([2, expect.stringContaining("takes too long")]);
  await goesOn();
}, 60_000);

test("what others wrote does not control the terminal", async () => {
  const evil = "\x1b]0;owned\x07\x1b[2J\rfalse\nline\x9b2J\u202e";
  const traceId = "0123456789abcdef".repeat(2);
  const span = {
    traceId,
    spanId: "0123456789abcdef",
    name: evil,
    startTimeUnixNano: nanos(),
    endTimeUnixNano: nanos(),
  };
  const failed = { status: { code: 2, message: evil } };
  const spans = { resourceSpans: [{ resource: resource(evil), scopeSpans: [{ spans: [{ ...span, ...failed }] }] }] };
  expect((await send("traces", spans)).status).toBe(200);
  expect((await send("logs", line(evil, evil, { traceId, severityText: evil }))).status).toBe(200);
  expect((await send("metrics", gauges(evil, "evil", [evil]))).status).toBe(200);
  for (const args of [
    ["trace"],
    ["trace", traceId],
    ["trace", traceId, "-o", "json"],
    ["logs", "--trace", traceId],
    ["logs", "--trace", traceId, "-o", "json"],
    ["query", "evil"],
    ["query", "evil", "--since", "5m"],
    ["query", "evil", "-o", "json"],
  ]) {
    const { code, out } = await shop.flotilla(...args);
    expect([args, code]).toEqual([args, 0]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect([args, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.exec(out)]).toEqual([args, null]);
  }
}, 60_000);

test("pages of other sites may neither send nor ask", async () => {
  expect((await send("logs", line("page", "x"), { origin: "https://evil.example" })).status).toBe(403);
  expect((await send("logs", line("page", "x"), { "content-type": "text/plain" })).status).toBe(415);
  const port = ports.query;
  const socket = connect(port, "127.0.0.1");
  socket.end("GET /api/v1/query?query=up HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  expect(Buffer.concat(await socket.toArray()).toString()).toMatch(/^HTTP\/1\.1 403 /);
  expect((await fetch(`http://127.0.0.1:${port}/api/telemetry/v1/logs`, { method: "POST", body: "{}" })).status).toBe(
    401,
  );
});

test("other users cannot read it", () => {
  const folder = join(shop.dir, ".flotilla", "telemetry");
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test("files that are cut off, and a folder that is gone, stop nothing", async () => {
  const folder = join(shop.dir, ".flotilla", "telemetry");
  await shop.flotilla("down");
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) truncateSync(path, Math.ceil(statSync(path).size * 0.7));
  }
  await shop.up();
  await expect
    .poll(async () => (await shop.flotilla("status")).out, { timeout: 30_000, interval: 250 })
    .toContain("at the end of its journal could not be read");
  await goesOn();
  const before = telemetryProcess();
  rmSync(folder, { recursive: true });
  await eventually(async () =>
    shop.processes().some(({ pid, command }) => pid !== before && /processes\/telemetry/.test(command)),
  );
  await eventually(async () => (await send("logs", line("anew", "hello"))).ok);
  await goesOn();
  expect(statSync(folder).mode & 0o777).toBe(0o700);
}, 180_000);
