import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { type Clock, systemClock } from "@flotilla/ambient";
import { afterEach, describe, expect, test } from "vitest";
import type { SeriesSource } from "../metrics/series.ts";
import { promqlEngine } from "../promql/engine.ts";
import { sourceOf } from "../promql/samples.fixture.ts";
import { content, now } from "../telemetry.cases.ts";
import { type QueryServer, type QueryServerOptions, startQueryServer } from "./serve-query.ts";

const clock: Clock = { ...systemClock, now: () => now };
const nothing = { traces: async () => [], trace: async () => undefined, logs: async () => [] };
const source: SeriesSource = {
  ...sourceOf(content.series),
  metadata: () => new Map([["requests", { type: "counter", help: "Requests.", unit: "" }]]),
};

let server: QueryServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(options: Partial<QueryServerOptions> = {}): Promise<string> {
  const { source: asked = source, clock: of = clock } = options;
  server = await startQueryServer({
    host: "127.0.0.1",
    port: 0,
    source,
    engine: promqlEngine({ source: asked, clock: of }),
    telemetry: nothing,
    token: "secret",
    clock,
    ...options,
  });
  return `http://127.0.0.1:${server.port}`;
}

const at = now / 1000;

test.each<[path: string, data: unknown]>([
  ["query?query=1", { resultType: "scalar", result: [at, "1"] }],
  [`query?query=1&time=${at + 0.5}`, { resultType: "scalar", result: [at + 0.5, "1"] }],
  ["query?query=1&time=2023-11-14T23:20:00Z", { resultType: "scalar", result: [1_700_004_000, "1"] }],
  ["query?query=1&time=2023-11-15T00:20:00.5%2B01:00", { resultType: "scalar", result: [1_700_004_000.5, "1"] }],
  [
    "query_range?query=1&start=0&end=60&step=1m",
    {
      resultType: "matrix",
      result: [
        {
          metric: {},
          values: [
            [0, "1"],
            [60, "1"],
          ],
        },
      ],
    },
  ],
  ["query_range?query=up&start=0&end=60&step=1m", { resultType: "matrix", result: [] }],
  ["series?match[]=gone", [{ __name__: "gone", service: "old" }]],
  ["series?match[]=nonexistent", []],
  ["labels", ["__name__", "code", "service"]],
  ["labels?match[]=gone", ["__name__", "service"]],
  ["label/service/values", ["old", "orders", "payments"]],
  [`label/service/values?start=${at - 60}&end=${at}`, ["orders", "payments"]],
  ["label/__name__/values", ["gone", "requests_total"]],
  ["label/missing/values", []],
  [
    "label/service/values?start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z",
    ["old", "orders", "payments"],
  ],
  ["metadata", { requests: [{ type: "counter", help: "Requests.", unit: "" }] }],
  ["metadata?metric=other", {}],
  ["metadata?limit=0", {}],
  ["query_exemplars?query=up&start=0&end=1", []],
  ["format_query?query=sum(a)by(b)", "sum by (b) (a)"],
  ["rules", { groups: [] }],
  ["alerts", { alerts: [] }],
  ["targets", { activeTargets: [], droppedTargets: [] }],
  ["status/config", { yaml: "" }],
  ["status/flags", {}],
])("/api/v1/%s", async (path, data) => {
  const url = await start();
  const response = await fetch(`${url}/api/v1/${path}`);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toEqual({ status: "success", data });
});

test.each<[path: string, status: number, errorType: string, error: string]>([
  ["query", 400, "bad_data", 'invalid parameter "query": 1:1: parse error: no expression found in input'],
  [
    "query?query=up{",
    400,
    "bad_data",
    'invalid parameter "query": 1:4: parse error: unexpected end of input inside braces',
  ],
  [
    "query?query=1&time=then",
    400,
    "bad_data",
    `invalid parameter "time": Invalid time value for 'time': cannot parse "then" to a valid timestamp`,
  ],
  [
    "query?query=1&timeout=soon",
    400,
    "bad_data",
    'invalid parameter "timeout": cannot parse "soon" to a valid duration',
  ],
  [
    "query?query=requests_total/on()requests_total",
    422,
    "execution",
    "found duplicate series for the match group {} on the right hand-side of the operation",
  ],
  [
    "query_range?query=up{&start=0&end=1&step=1",
    400,
    "bad_data",
    "1:4: parse error: unexpected end of input inside braces",
  ],
  [
    "query_range?query=up&end=1&step=1",
    400,
    "bad_data",
    'invalid parameter "start": cannot parse "" to a valid timestamp',
  ],
  [
    "query_range?query=up&start=2&end=1&step=1",
    400,
    "bad_data",
    'invalid parameter "end": end timestamp must not be before start time',
  ],
  [
    "query_range?query=up&start=0&end=1&step=0",
    400,
    "bad_data",
    'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
  ],
  [
    "query_range?query=up&start=0&end=1&step=x",
    400,
    "bad_data",
    'invalid parameter "step": cannot parse "x" to a valid duration',
  ],
  [
    "query_range?query=up&start=0&end=11001&step=1",
    400,
    "bad_data",
    "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
  ],
  [
    "query_range?query=up[1m]&start=0&end=1&step=1",
    400,
    "bad_data",
    'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
  ],
  ["series", 400, "bad_data", "no match[] parameter provided"],
  [`series?${"match[]=up&".repeat(101)}`, 400, "bad_data", 'invalid parameter "match[]": more than 100 of them'],
  [
    "series?match[]={}",
    400,
    "bad_data",
    'invalid parameter "match[]": match[] must contain at least one non-empty matcher',
  ],
  [
    "series?match[]=a{b=~%22(%22}",
    400,
    "bad_data",
    'invalid parameter "match[]": 1:3: parse error: error parsing regexp: missing closing ): `^(?:()$`',
  ],
  ["label/bad-name/values", 400, "bad_data", 'invalid label name: "bad-name"'],
  ["metadata?limit=many", 400, "bad_data", "limit must be a number"],
  ["rules?type=odd", 400, "bad_data", 'invalid parameter "type": not supported value "odd"'],
])("/api/v1/%s is refused: %i %s", async (path, status, errorType, error) => {
  const url = await start();
  const response = await fetch(`${url}/api/v1/${path}`);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ status: "error", errorType, error: expect.stringContaining(error) });
});

test("a form as the body", async () => {
  const url = await start();
  const response = await fetch(`${url}/api/v1/query?query=2`, {
    method: "POST",
    body: new URLSearchParams({ query: "1" }),
  });
  expect(await response.json()).toMatchObject({ data: { result: [at, "1"] } });
});

test.each<[method: string, path: string, status: number]>([
  ["DELETE", "/api/v1/series", 405],
  ["OPTIONS", "/api/v1/query", 204],
  ["GET", "/api/v1/nothing", 404],
  ["GET", "/nothing", 404],
  ["GET", "/%zz", 404],
  ["GET", "/-/healthy", 200],
  ["GET", "/-/ready", 200],
  ["GET", "/", 200],
  ["GET", "/api/telemetry/v1/traces/abc", 401],
  ["POST", "/api/telemetry/v1/logs", 401],
])("%s %s: %i", async (method, path, status) => {
  const url = await start();
  expect((await fetch(url + path, { method })).status).toBe(status);
});

test("its own metrics", async () => {
  const url = await start({ selfMetrics: () => "up 1\n" });
  expect(await (await fetch(`${url}/metrics`)).text()).toBe("up 1\n");
});

test.each<[token: string, path: string, body: string | undefined, status: number]>([
  ["secret", "logs", "{}", 200],
  ["secret", "traces", "", 200],
  ["wrong", "logs", "{}", 401],
  ["secre", "logs", "{}", 401],
  ["secret", "logs", "[]", 400],
  ["secret", "logs", "{", 400],
  ["secret", "logs", '{"limit":-1}', 400],
  ["secret", "logs", '{"limit":1e9}', 400],
  ["secret", "logs", '{"services":"orders"}', 400],
  ["secret", "logs", '{"nosuch":1}', 400],
  ["secret", "logs", '{"constructor":1}', 400],
  ["secret", "traces", '{"attributes":{"a":1}}', 400],
  ["secret", "traces", '{"status":"odd"}', 400],
  ["secret", "logs", undefined, 405],
  ["secret", "nothing", "{}", 404],
  ["secret", "traces/abc", undefined, 404],
])("token %s, %s %j: %i", async (token, path, body, status) => {
  const url = await start();
  const response = await fetch(`${url}/api/telemetry/v1/${path}`, {
    ...(body !== undefined && { method: "POST", body }),
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
  });
  expect(response.status).toBe(status);
});

/** With a Host header of one's own, which fetch does not allow. */
const statusFor = (url: string, host: string) =>
  new Promise<number>((resolve, reject) =>
    httpRequest(`${url}/api/v1/labels`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once("error", reject)
      .end(),
  );

test.each<[host: string, status: number]>([
  ["localhost", 200],
  ["localhost:9090", 200],
  ["telemetry.localhost", 200],
  ["127.0.0.1:9090", 200],
  ["[::1]:9090", 200],
  ["192.168.1.5", 200],
  ["evil.example", 403],
  ["localhost.evil.example", 403],
  ["127.0.0.1.evil.example", 403],
])("Host %s: %i", async (host, status) => expect(await statusFor(await start(), host)).toBe(status));

test.each<[from: string, headers: Record<string, string>, status: number]>([
  ["a page of another site", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "empty" }, 403],
  ["a picture in a page of another site", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image" }, 403],
  ["a link on a page of another site", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document" }, 200],
  ["a page of this machine", { "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "empty" }, 200],
])("%s", async (_, headers, status) => {
  const url = await start();
  const answer = new Promise<number | undefined>((resolve, reject) =>
    httpRequest(`${url}/api/v1/query?query=1`, { headers }, (response) => resolve(response.resume().statusCode))
      .once("error", reject)
      .end(),
  );
  expect(await answer).toBe(status);
});

test("a client that does not read is cut off, and its place goes to the next", async () => {
  const wide = Array.from({ length: 2000 }, (_, index) => ({
    labels: { __name__: "wide", index: String(index), text: "x".repeat(1000) },
    times: Float64Array.of(now),
    values: Float64Array.of(1),
    ends: [],
  }));
  const url = await start({
    source: { ...source, series: () => wide.map(({ labels }) => labels) },
    limits: { running: 1, waiting: 1, stalled: 100 },
  });
  const socket = connect(Number(new URL(url).port), "127.0.0.1").pause();
  const cut = new Promise((resolve) => socket.once("close", resolve));
  socket.once("error", () => {});
  for (let i = 0; i < 10; i++) socket.write("GET /api/v1/series?match[]=wide HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect((await fetch(`${url}/api/v1/query?query=1`)).status).toBe(200);
  socket.resume();
  await cut;
});

test("a large request is refused and the connection still serves", async () => {
  const url = await start({ limits: { body: 1000 } });
  const response = await fetch(`${url}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query: "1".repeat(2000) }),
  });
  expect(response.status).toBe(413);
  expect((await fetch(`${url}/api/v1/query?query=1`)).status).toBe(200);
});

test("large answers are compressed for those who ask", async () => {
  const url = await start();
  const path = `${url}/api/v1/query_range?query=requests_total*vector(1)or+vector(time())&start=${at - 10_000}&end=${at}&step=1`;
  const plain = await (await fetch(path, { headers: { "Accept-Encoding": "identity" } })).text();
  expect(plain.length).toBeGreaterThan(100_000);
  const raw = await new Promise<Buffer>((resolve, reject) =>
    httpRequest(path, { headers: { "Accept-Encoding": "gzip" } }, async (response) => {
      expect(response.headers["content-encoding"]).toBe("gzip");
      resolve(Buffer.concat(await response.toArray()));
    })
      .once("error", reject)
      .end(),
  );
  expect(gunzipSync(raw).toString()).toBe(plain);
});

test("faults of ours tell clients nothing", async () => {
  const told: unknown[] = [];
  const fault = new Error("/secret/path is broken");
  const url = await start({
    source: {
      ...source,
      series: () => {
        throw fault;
      },
    },
    onError: (error) => told.push(error),
  });
  const response = await fetch(`${url}/api/v1/labels`);
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({ status: "error", errorType: "internal", error: "an internal error" });
  expect(told).toEqual([fault]);
});

describe("many queries at once", () => {
  /** A query that stops at its first pause until it is let go. */
  function gate() {
    const held: (() => void)[] = [];
    const slow: Clock = { ...clock, soon: (run) => void held.push(run) };
    const source: SeriesSource = {
      series: () => [],
      metadata: () => new Map(),
      select: () => [
        {
          labels: { __name__: "slow" },
          times: Float64Array.from({ length: 200_000 }, (_, index) => index),
          values: new Float64Array(200_000),
          ends: [],
        },
      ],
    };
    const release = () => {
      for (const run of held.splice(0)) run();
    };
    const engine = promqlEngine({ source, clock: slow, limits: { turn: 0 } });
    return { held, release, options: { source, engine, clock: slow } };
  }
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };

  test("so many run, so many wait, the rest is refused", async () => {
    const { held, release, options } = gate();
    const url = await start({ ...options, limits: { running: 1, waiting: 1 } });
    const ask = () => fetch(`${url}/api/v1/query?query=count_over_time(slow[5m])&time=200`);
    const first = ask();
    await until(() => held.length === 1);
    const [second, third] = [ask(), ask()];
    const refused = await Promise.race([second, third]);
    expect(refused.status).toBe(503);
    const timer = setInterval(release, 1);
    try {
      expect((await first).status).toBe(200);
      expect((await Promise.all([second, third])).map(({ status }) => status).sort()).toEqual([200, 503]);
    } finally {
      clearInterval(timer);
    }
  });

  test("a client that goes away ends its query", async () => {
    const { held, release, options } = gate();
    const url = await start({ ...options, limits: { running: 1, waiting: 1 } });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET /api/v1/query?query=count_over_time(slow[5m])&time=200 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await until(() => held.length === 1);
    const next = fetch(`${url}/api/v1/query?query=1`);
    socket.destroy();
    const timer = setInterval(release, 1);
    try {
      expect((await next).status).toBe(200);
    } finally {
      clearInterval(timer);
    }
  });
});

// Needs Debian's package prometheus, which brings promtool; .ci/run installs it.
describe.skipIf(!existsSync("/usr/bin/promtool"))("promtool", () => {
  const promtool = async (...args: string[]) => (await promisify(execFile)("/usr/bin/promtool", args)).stdout;
  /** promtool asks for the present, so the samples are moved there. */
  const startNow = () => {
    const shift = Date.now() - now;
    const series = content.series.map(({ labels, points }) => ({
      labels,
      points: points.map(({ time, value }) => ({ time: time + shift, value })),
    }));
    return start({ source: sourceOf(series), clock: systemClock });
  };

  test("query instant", async () => {
    const said = await promtool("query", "instant", await startNow(), 'requests_total{code="500"}');
    expect(said).toMatch(/^requests_total\{code="500", service="orders"\} => 360 @\[[\d.]+\]\n$/);
  });
  test("query range", async () => {
    const period = [`--start=${at - 60}`, `--end=${at}`, "--step=30s"];
    const said = await promtool("query", "range", ...period, await start(), 'requests_total{code="500"}');
    expect(said).toContain(`360 @[${at}]`);
    expect(said.match(/@\[/g)).toHaveLength(3);
  });
  test("query series", async () => {
    const period = [`--start=${at - 60}`, `--end=${at}`];
    const said = await promtool("query", "series", '--match={code="500"}', ...period, await start());
    expect(said).toBe('{__name__="requests_total", code="500", service="orders"}\n');
  });
  test("query labels", async () => {
    expect(await promtool("query", "labels", await startNow(), "service")).toBe("old\norders\npayments\n");
  });
  test("a mistake with its place", async () => {
    await expect(promtool("query", "instant", await start(), "sum(")).rejects.toThrow(
      "1:5: parse error: unclosed left parenthesis",
    );
  });
});
