// Orders: kept in PostgreSQL first, paid second. An order that was answered with 201 is never lost.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import {
  closeDatabase,
  findOrder,
  insertOrder,
  isReachable,
  type Order,
  ordersAwaitingPayment,
  settleOrder,
} from "./database.ts";
import { parseOrder } from "./order.ts";

const rules = JSON.parse(readFileSync("/etc/shop/rules.json", "utf8"));
const currency = process.env.CURRENCY ?? "EUR";
// Missing where payments was left out of the application: orders then wait for their payment.
const payments = process.env.PAYMENTS_URL;

/** Asks payments to take the money. Safe to repeat: payments knows an order by its id and charges it once. */
async function pay(order: Order): Promise<void> {
  const response = await fetch(`${payments}/payments`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": order.id },
    body: JSON.stringify({ order: order.id, amount: order.total, currency: order.currency }),
    signal: AbortSignal.timeout(2000),
  });
  const answer = (await response.json()) as { status?: string };
  if (response.status === 201) await settleOrder(order.id, "paid");
  else if (response.status === 402) await settleOrder(order.id, "declined");
  else throw new Error(`payments answered ${response.status} ${answer.status ?? ""}`);
}

async function tryToPay(order: Order): Promise<void> {
  if (!payments || order.status !== "awaiting payment") return;
  try {
    await pay(order);
  } catch (error) {
    console.error(`order ${order.id} waits for its payment: ${(error as Error).message}`);
  }
}

async function body(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 100_000) throw new Error("too long");
  }
  return JSON.parse(text);
}

async function route(request: IncomingMessage): Promise<[status: number, body: unknown]> {
  const { pathname } = new URL(request.url ?? "/", "http://orders");
  if (pathname === "/healthz") return [200, { ok: true }];
  if (pathname === "/readyz") {
    await isReachable();
    return [200, { ok: true }];
  }
  if (request.method === "POST" && pathname === "/orders") {
    const value = await body(request).catch((error: Error) => error);
    if (value instanceof Error) return [400, { error: `not an order: ${value.message}` }];
    const order = parseOrder(value, rules);
    if (typeof order === "string") return [422, { error: order }];
    await insertOrder(order, currency);
    await tryToPay((await findOrder(order.id)) as Order);
    console.log(`order ${order.id} taken`);
    return [201, await findOrder(order.id)];
  }
  const id = /^\/orders\/([0-9a-f-]{36})$/i.exec(pathname)?.[1];
  const order = id && request.method === "GET" && (await findOrder(id));
  return order ? [200, order] : [404, { error: `nothing at ${pathname}` }];
}

const server = createServer(async (request, response) => {
  const [status, answer] = await route(request).catch((error: Error): [number, unknown] => {
    console.error(`${request.method} ${request.url}:`, error.message);
    return [503, { error: "the orders cannot be reached just now" }];
  });
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
});

server.listen(Number(process.env.PORT), process.env.HOST, () => console.log("orders is taking orders"));

// What could not be paid at once is tried again.
const settling = setInterval(async () => {
  const open = await ordersAwaitingPayment().catch(() => []);
  for (const order of open) await tryToPay(order);
}, 2000);

process.once("SIGTERM", () => {
  clearInterval(settling);
  server.close(() => closeDatabase().then(() => process.exit(0)));
});
