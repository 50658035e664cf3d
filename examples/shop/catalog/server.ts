// The catalog: read-only, no database, nothing but Node.js.
import { createServer } from "node:http";
import { products } from "./products.ts";

const byId = new Map(products.map((product) => [product.id, product]));

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://catalog");
  const answer = (status: number, body: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

  if (request.method !== "GET") return answer(405, { error: "the catalog is read-only" });
  if (pathname === "/healthz") return answer(200, { ok: true });
  if (pathname === "/products") return answer(200, { products });
  const product = byId.get(pathname.replace(/^\/products\//, ""));
  if (product) return answer(200, product);
  return answer(404, { error: `nothing at ${pathname}` });
});

server.listen(Number(process.env.PORT), process.env.HOST, () =>
  console.log("catalog has", products.length, "products"),
);

// Kubernetes says SIGTERM and waits: stop taking connections, finish what was begun.
process.once("SIGTERM", () => server.close(() => process.exit(0)));
