// The storefront: the page, and the few questions it asks. Browsers trust it, so prices come from the catalog, never from them.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";

// `calls: ["catalog", "orders"]` gives these two; there is no host name or port to configure.
const catalog = process.env.CATALOG_URL;
const orders = process.env.ORDERS_URL;

const asset = (name: string, type: string) => ({
  type,
  data: readFileSync(new URL(`public/${name}`, import.meta.url)),
});
const assets = new Map([
  ["/", asset("index.html", "text/html; charset=utf-8")],
  ["/shop.css", asset("shop.css", "text/css")],
  ["/shop.js", asset("shop.js", "text/javascript")],
]);

interface Product {
  id: string;
  price: number;
}

/** What a browser sends: who, and how many of what. */
interface Cart {
  id?: string;
  email?: string;
  lines?: { product: string; quantity: number }[];
}

async function ask(url: string, init?: RequestInit): Promise<[status: number, body: unknown]> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(8000) });
  return [response.status, await response.json()];
}

async function placeOrder(request: IncomingMessage): Promise<[status: number, body: unknown]> {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 100_000) return [413, { error: "that is a very large cart" }];
  }
  let cart: Cart;
  try {
    cart = JSON.parse(text);
  } catch {
    return [400, { error: "a cart is JSON" }];
  }
  const [status, answer] = await ask(`${catalog}/products`);
  if (status !== 200) return [502, { error: "the catalog cannot be reached just now" }];
  const prices = new Map((answer as { products: Product[] }).products.map(({ id, price }) => [id, price]));
  const lines = [];
  for (const { product, quantity } of Array.isArray(cart?.lines) ? cart.lines : []) {
    const price = prices.get(product);
    if (price === undefined) return [422, { error: `there is no product ${product}` }];
    lines.push({ product, quantity, price });
  }
  return ask(`${orders}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: cart.id ?? randomUUID(), email: cart.email, lines }),
  });
}

async function route(request: IncomingMessage, path: string): Promise<[status: number, body: unknown]> {
  if (path === "/healthz") return [200, { ok: true }];
  if (path === "/api/products" && request.method === "GET") return ask(`${catalog}/products`);
  if (path === "/api/orders" && request.method === "POST") return placeOrder(request);
  const order = /^\/api\/orders\/([0-9a-f-]{36})$/i.exec(path)?.[1];
  if (order && request.method === "GET") return ask(`${orders}/orders/${order}`);
  return [404, { error: `nothing at ${path}` }];
}

const server = createServer(async (request, response) => {
  const path = new URL(request.url ?? "/", "http://storefront").pathname;
  const file = request.method === "GET" ? assets.get(path) : undefined;
  if (file) return response.writeHead(200, { "content-type": file.type }).end(file.data);
  const [status, answer] = await route(request, path).catch((error: Error): [number, unknown] => {
    console.error(`${request.method} ${path}:`, error.message, error.cause ?? "");
    return [502, { error: "a part of the shop cannot be reached just now" }];
  });
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
});

server.listen(Number(process.env.PORT), process.env.HOST, () => console.log("the storefront is open"));

process.once("SIGTERM", () => server.close(() => process.exit(0)));
