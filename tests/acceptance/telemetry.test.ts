// What happened to one order, told by the command line: its trace, its lines, what it waited for; also after the worst.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Shop, sleep } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.copy();
  await shop.up();
}, 180_000);
afterAll(() => shop?.close(), 60_000);

interface Found {
  readonly traceId: string;
  readonly service: string;
  readonly operation: string;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly duration: number;
  readonly services: Readonly<Record<string, number>>;
}

/** Takes an order; answers its id. */
async function order(): Promise<string> {
  const response = await fetch(`${shop.url}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "captain@example.com", lines: [{ product: "sextant", quantity: 1 }] }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, out, err } = await shop.flotilla(...args, "-o", "json");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out) as T;
}

/** Milliseconds. On a quiet machine it takes less than two seconds, most of them the command's; how long is the benches' to say. */
const patience = 20_000;

/** Traces of orders since `begun`, once all services that take part in one have told of it. */
async function tracesOfOrders(begun: number, ...options: string[]): Promise<Found[]> {
  const end = Date.now() + patience;
  for (;;) {
    const found = await json<Found[]>("trace", "--service", "payments", ...options);
    const whole = found.filter(
      ({ start, services }) =>
        start >= begun && ["storefront", "orders", "payments"].every((name) => services[name] !== undefined),
    );
    if (whole.length > 0 || Date.now() > end) return whole;
    await sleep(100);
  }
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly { name: string; attributes?: readonly { key: string }[] }[];
    }[];
  }[];
}

let traceId: string;

test("an order is one trace through three services and the database, found moments after it", async () => {
  const id = await order();
  const [found] = await tracesOfOrders(0);
  expect(found).toBeDefined();
  ({ traceId } = found as Found);

  // Each service tells of its spans, and the agent of lines, in its own time.
  const told = async () => (await shop.flotilla("trace", traceId)).out;
  await expect
    .poll(told, { timeout: patience })
    .toMatch(new RegExp(`critical path(.*\\n)*.*payments .*order ${id}: 249\\.00 EUR paid`));
  const { resourceSpans } = await json<Exported>("trace", traceId);
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  const ofDatabase = spans.filter(({ attributes = [] }) => attributes.some(({ key }) => key === "db.system.name"));
  expect(ofDatabase.length).toBeGreaterThan(0);
}, 60_000);

test("its lines are found by the trace, by text and by level", async () => {
  const of = async (...args: string[]) =>
    (await shop.flotilla("logs", ...args, "-o", "json")).out
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const lines = await of("--trace", traceId);
  expect(lines).toContainEqual(
    expect.objectContaining({ service: "payments", traceId, text: expect.stringContaining("paid") }),
  );
  expect(await of("payments", "--grep", "249\\.\\d+ EUR")).toEqual(
    lines.filter(({ service }) => service === "payments"),
  );
  expect(await of("payments", "--grep", "no such thing")).toEqual([]);
  expect(await of("payments", "--level", "error")).toEqual([]);
}, 60_000);

test("figures of the services, and what PromQL says of them", async () => {
  const end = Date.now() + 30_000;
  let rows: { service: string; rate?: number; cpu?: number }[] = [];
  do {
    await fetch(`${shop.url}/api/products`);
    rows = await json("top", "--once");
    await sleep(500);
  } while (
    !rows.some(({ service, rate, cpu }) => service === "catalog" && rate && cpu !== undefined) &&
    Date.now() < end
  );
  expect(rows).toContainEqual(
    expect.objectContaining({ service: "catalog", rate: expect.any(Number), cpu: expect.any(Number) }),
  );
  const { out } = await shop.flotilla(
    "query",
    'sum by (caller, service) (flotilla_requests_total{service="payments"})',
  );
  expect(out).toMatch(/\{caller="orders", service="payments"\} +[1-9]/);
  const wrong = await shop.flotilla("query", "sum by (service) (rate(up[1m])");
  expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/1:\d+: .*\n {2}sum by[^\n]*\n +\^/) });
}, 60_000);

test("after kill -9 of everything the trace is still there", async () => {
  for (const { pid, command } of shop.processes())
    if (/processes\/(agent|control-plane|data-plane|telemetry)/.test(command)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // The kernel was first: with the agent all of its children end.
      }
    }
  await sleep(500);
  await shop.up();
  const { code, out } = await shop.flotilla("trace", traceId);
  expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/ paid/) });
}, 120_000);

test("a service that became slow is named by the critical path, with the change that made it so", async () => {
  const file = "payments/main.py";
  const text = readFileSync(join(shop.dir, file), "utf8");
  const slow = text.replace(
    /( +)def pay\(.*:\n/,
    (head, indent) => `${head}${indent}    __import__("time").sleep(0.2)\n`,
  );
  expect(slow).not.toBe(text);
  shop.write(file, slow);
  await shop.up();
  const begun = Date.now();
  // In a single one this machine may have been busy with something else for longer.
  for (let i = 0; i < 5; i++) await order();
  const found = await tracesOfOrders(begun, "--min", "200ms");
  const [fastest] = found.sort((a, b) => a.duration - b.duration);
  const { out } = await shop.flotilla("trace", (fastest as Found).traceId);
  const [, first = ""] = out.slice(out.indexOf("critical path")).split("\n");
  expect(first).toMatch(/^ +payments +POST \S+ +2\d\d ms/);
  expect(out).toMatch(/changed before\n(.*\n)*.*payments .*image/);
}, 120_000);
