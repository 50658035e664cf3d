import { connect as netConnect } from "node:net";
import { seededRandom, sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AccessEntry } from "./exchange.ts";
import { ask, freshPort, gateway, rule, Stage, serviceAddress, tableWith } from "./proxy.fixture.ts";
import { TrafficProxy } from "./proxy.ts";

let stage: Stage;
let port: number;
beforeEach(() => {
  stage = new Stage();
  port = freshPort();
});
afterEach(() => stage.stop());

const pause = (ms: number) => sleep(systemClock, ms);

test("each request is told once: answered, refused, failed, left by its client", async () => {
  const entries: string[] = [];
  const proxy = new TrafficProxy({
    clock: systemClock,
    random: seededRandom(1),
    gatewayAddresses: [serviceAddress],
    onProblems: () => undefined,
    onAccess: ({ method, path, status, service, route, milliseconds }: AccessEntry) => {
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      entries.push(`${method} ${path} ${status ?? "left"} ${service || "-"} ${route || "-"}`);
    },
  });
  try {
    const server = await stage.serve("127.126.1.1", ({ url }, response) => {
      if (url !== "/slow") response.writeHead(url === "/bad" ? 500 : 200).end();
    });
    const strange = {
      type: "URLRewrite",
      urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/ " } },
    } as const;
    const listener = gateway(
      freshPort(),
      rule({ matches: [{ path: { type: "PathPrefix", value: "/shop" } }] }),
      rule({ matches: [{ path: { type: "Exact", value: "/strange" } }], filters: [strange] }),
    );
    await proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
    await ask(port, "/?a=1");
    await ask(port, "/bad", { body: "x" });
    await ask(listener.port, "/shop");
    await ask(listener.port, "/nowhere");
    await ask(listener.port, "/strange");
    await ask(port, "/coded", { body: "x", headers: { "transfer-encoding": "gzip, chunked" } });
    const socket = netConnect(port, serviceAddress, () => void socket.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"));
    await pause(50);
    socket.destroy();
    const expected = [
      "GET /?a=1 200 shop/orders -",
      "POST /bad 500 shop/orders -",
      "GET /shop 200 shop/orders shop/shop",
      "GET /nowhere 404 - -",
      "GET /strange 500 shop/orders shop/shop",
      "POST /coded 501 - -",
      "GET /slow left shop/orders -",
    ];
    await expect.poll(() => entries).toEqual(expected);
    expect(proxy.stats().reduce((sum, { requests }) => sum + requests, 0)).toBe(expected.length);
  } finally {
    await proxy.stop();
  }
});
