import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, cluster, freshPort, gateway, rule, Stage, tableWith } from "./proxy.fixture.ts";

let stage: Stage;
let port: number;
beforeEach(() => {
  stage = new Stage();
  port = freshPort();
});
afterEach(() => stage.stop());

test("a copy goes to the mirror with its body, and what becomes of it harms nobody", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void request.pipe(response));
  const copies: string[] = [];
  const mirror = await stage.serve("127.126.1.2", (request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      copies.push(`${request.method} ${request.url} ${body}`);
      if (copies.length === 2) request.socket.destroy();
      else response.writeHead(500).end("wrong");
    });
  });
  const listener = gateway(
    freshPort(),
    rule({
      mirrors: [
        { cluster: "copies", share: 1 },
        { cluster: "gone", share: 1 },
      ],
    }),
  );
  const table = tableWith(port, [server.endpoint], { gateways: [listener] });
  await stage.proxy.apply({ ...table, clusters: { ...table.clusters, copies: cluster([mirror.endpoint]) } });
  for (const body of ["one", "two", "x".repeat(300_000)])
    expect((await ask(listener.port, "/p?q", { body })).body).toBe(body);
  expect((await ask(listener.port, "/g")).status).toBe(200);
  await expect.poll(() => copies.length).toBe(4);
  expect(copies.map((each) => each.slice(0, 20))).toEqual([
    "POST /p?q one",
    "POST /p?q two",
    `POST /p?q ${"x".repeat(10)}`,
    "GET /g ",
  ]);
  expect(copies[2]?.length).toBe("POST /p?q ".length + 300_000);
});

test("a mirror that never answers does not keep the client waiting", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void request.pipe(response));
  const silent = await stage.serve("127.126.1.2", () => undefined);
  const listener = gateway(freshPort(), rule({ mirrors: [{ cluster: "copies", share: 1 }] }));
  const table = tableWith(port, [server.endpoint], { gateways: [listener] });
  await stage.proxy.apply({ ...table, clusters: { ...table.clusters, copies: cluster([silent.endpoint]) } });
  const big = "x".repeat(3_000_000);
  expect((await ask(listener.port, "/", { body: big })).body.length).toBe(big.length);
});
