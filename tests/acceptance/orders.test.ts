// One order through all four services and the database, and what is left of orders after the worst.
import { afterAll, beforeAll, expect, test } from "vitest";
import { load } from "./load.ts";
import { Shop, sleep } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.copy();
  await shop.up();
}, 180_000);
afterAll(() => shop?.close(), 60_000);

const order = async (id: string) =>
  (await fetch(`${shop.url}/api/orders/${id}`)).json() as Promise<{ id: string; status: string }>;

test("products are on the shelves", async () => {
  const { products } = (await (await fetch(`${shop.url}/api/products`)).json()) as { products: unknown[] };
  expect(products.length).toBeGreaterThan(3);
});

test("an order is taken, paid, and there after down and up", async () => {
  const response = await fetch(`${shop.url}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "captain@example.com", lines: [{ product: "sextant", quantity: 2 }] }),
  });
  const taken = (await response.json()) as { id: string };
  expect(response.status).toBe(201);
  expect(taken).toMatchObject({ status: "paid", total: 49800, currency: "EUR" });

  expect(await shop.flotilla("down")).toMatchObject({ code: 0 });
  expect(shop.processes()).toEqual([]);
  await shop.up();
  expect(await order(taken.id)).toMatchObject({ id: taken.id, status: "paid" });
}, 120_000);

test("every order that was answered with 201 survives kill -9 of everything", async () => {
  const flow = load(shop.url, 100);
  while (flow.ordered() < 150) await sleep(20);
  const before = shop.processes();
  expect(before.length).toBeGreaterThan(5);
  // The agent, and with it, by the kernel, all of its children: whoever is gone already needs no kill.
  for (const { pid, command } of before)
    if (/processes\/(agent|control-plane|data-plane|telemetry)/.test(command)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // The kernel was first.
      }
    }
  const { orders } = await flow.stop();
  expect(orders.length).toBeGreaterThan(100);
  const end = Date.now() + 5000;
  while (shop.processes().length > 0 && Date.now() < end) await sleep(50);
  expect(shop.processes()).toEqual([]);

  await shop.up();
  const lost = [];
  for (const id of orders) if ((await order(id)).id !== id) lost.push(id);
  expect(lost).toEqual([]);
}, 180_000);
