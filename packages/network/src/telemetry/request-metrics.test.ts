// What is counted of requests and connections that went through a real proxy.

import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, createServer } from "node:net";
import { seededRandom, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, cluster, freshPort, gateway, rule, Stage, serviceAddress, tableWith } from "../proxy.fixture.ts";
import type { Table, TablePod } from "../table.ts";
import { type Export, startExport } from "./export.ts";
import { Receiver } from "./receiver.fixture.ts";

let receiver: Receiver;
let exporting: Export;
let stage: Stage;
let servicePort: number;
let gatewayPort: number;

beforeEach(async () => {
  receiver = new Receiver();
  await receiver.start();
  exporting = startExport({ clock: systemClock, random: seededRandom(1), otlp: { endpoint: receiver.endpoint } });
  stage = new Stage(exporting.telemetry);
  servicePort = freshPort();
  gatewayPort = freshPort();
});
afterEach(async () => {
  await stage.stop();
  await exporting.stop();
  receiver.stop();
});

const pod = (service: string, version = ""): TablePod => ({
  namespace: "shop",
  name: `${service}-1`,
  service,
  version,
});

const pods = {
  "127.126.8.1": pod("orders", "v7"),
  "127.126.8.2": pod("orders", "v8"),
  "127.126.8.9": pod("storefront"),
};

async function serve(rest: Partial<Table> = {}): Promise<void> {
  const { endpoint } = await stage.serve("127.126.8.1", ({ url }, response) => {
    response.writeHead(Number(url?.slice(1)) || 200).end();
  });
  const table = tableWith(servicePort, [endpoint], { gateways: [gateway(gatewayPort, rule())] });
  const clusters = { orders: cluster([endpoint], { app: "shop" }) };
  await stage.proxy.apply({ ...table, clusters, pods, ...rest });
}

/** What was counted, as the receiver has it in the end. */
async function points(name: string): Promise<string[]> {
  await exporting.stop();
  return receiver
    .points(name)
    .map(
      ([labels, value]) =>
        `${Object.entries(labels)
          .map(([key, text]) => `${key}=${text}`)
          .join(" ")} ${value}`,
    )
    .sort();
}

/** From a pod's own address. */
const askFrom = (localAddress: string, path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    httpRequest({ host: serviceAddress, port: servicePort, path, localAddress, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode));
    })
      .on("error", reject)
      .end();
  });

test("requests are counted by who asked, who answered, route, method and code", async () => {
  await serve();
  await ask(gatewayPort, "/200");
  await ask(gatewayPort, "/200");
  await askFrom("127.126.8.9", "/503");
  await ask(servicePort, "/404", { method: "BREW" }).catch(() => undefined);
  await ask(servicePort, "/404", { method: "PROPFIND" });
  await stage.stop();
  expect(await points("flotilla.requests")).toEqual([
    "caller= service=orders app=shop version=v7 namespace=shop route= method=_OTHER code=404 1",
    "caller=gateway service=orders app=shop version=v7 namespace=shop route=shop/shop method=GET code=200 2",
    "caller=storefront service=orders app=shop version=v7 namespace=shop route= method=GET code=503 1",
  ]);
});

test("durations are counted by whether the request failed", async () => {
  await serve();
  for (const path of ["/200", "/404", "/500", "/503"]) await ask(servicePort, path);
  expect(await points("flotilla.request.duration")).toEqual([
    "caller= service=orders app=shop version=v7 namespace=shop route= error=false 2",
    "caller= service=orders app=shop version=v7 namespace=shop route= error=true 2",
  ]);
});

test("a client that leaves before the answer is 499, and no failure of the service", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { endpoint } = await stage.serve("127.126.8.1", () => resolve());
  await stage.proxy.apply({ ...tableWith(servicePort, [endpoint]), pods });
  const socket = connect(servicePort, serviceAddress, () => void socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  await asked;
  socket.destroy();
  await expect.poll(() => stage.proxy.stats()).toMatchObject([{ code: "aborted", requests: 1 }]);
  expect(await points("flotilla.requests")).toEqual([expect.stringMatching(/ code=499 1$/)]);
  expect(receiver.points("flotilla.request.duration")).toMatchObject([[{ error: "false" }, 1]]);
});

test("retries, connections made, endpoints and what is under way are told by service", async () => {
  const gone = await stage.serve("127.126.8.2", () => undefined);
  await new Promise((resolve) => gone.close(resolve));
  await serve();
  const { endpoint } = await stage.serve("127.126.8.3", (_, response) => void response.end());
  const clusters = {
    orders: cluster([gone.endpoint, endpoint, { ...endpoint, port: 1, state: "draining" }], { unready: 2 }),
  };
  await stage.proxy.apply({ ...tableWith(servicePort, []), clusters, pods });
  for (let i = 0; i < 30; i++) await ask(servicePort, "/");
  const retries = await points("flotilla.retries");
  expect(retries).toEqual([expect.stringMatching(/^service=orders app= namespace=shop reason=connect [1-9]\d*$/)]);
  const told = (name: string) => receiver.points(name).map(([{ state, port }, value]) => `${state ?? port} ${value}`);
  expect(told("flotilla.endpoints")).toEqual(
    expect.arrayContaining(["ready 1", "draining 1", "ejected 1", "unready 2"]),
  );
  expect(told("flotilla.ejections")).toEqual(["80 1"]);
  expect(told("flotilla.requests.active")).toEqual(["80 0"]);
  expect(receiver.points("flotilla.upstream.connect.duration")).toMatchObject([[{ service: "orders" }, 1]]);
});

test("connections of what is not HTTP: how many, by whom, and their bytes, also while they are open", async () => {
  const server = createServer((socket) => socket.on("data", (data) => void socket.write(`${data}${data}`)));
  await new Promise<void>((resolve) => server.listen(0, "127.126.8.1", resolve));
  const { port } = server.address() as { port: number };
  const table = tableWith(servicePort, [{ address: "127.126.8.1", port, state: "ready" }], { protocol: "tcp" });
  await stage.proxy.apply({ ...table, pods });
  const socket = connect({ host: serviceAddress, port: servicePort, localAddress: "127.126.8.9" });
  socket.write("hello");
  await once(socket, "data");
  const who = "caller=storefront service=orders app= version=v7 namespace=shop";
  expect(await points("flotilla.tcp.io")).toEqual([`${who} direction=received 10`, `${who} direction=sent 5`]);
  expect(await points("flotilla.tcp.connections")).toEqual([`${who} result=ok 1`]);
  expect(await points("flotilla.tcp.connections.active")).toEqual([`${who} 1`]);
  socket.destroy();
  server.close();
});

test("a connection for which there is nobody has failed", async () => {
  await stage.proxy.apply(tableWith(servicePort, [], { protocol: "tcp" }));
  const socket = connect(servicePort, serviceAddress);
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("close", resolve));
  expect(await points("flotilla.tcp.connections")).toEqual([
    expect.stringMatching(/service=orders .*result=failed 1$/),
  ]);
});

test("a receiver that is away disturbs nobody, and gets what was counted when it is back", async () => {
  receiver.stop();
  await serve();
  for (let i = 0; i < 5; i++) expect((await ask(gatewayPort, "/200")).status).toBe(200);
  await receiver.start();
  expect(await points("flotilla.requests")).toEqual([expect.stringMatching(/code=200 5$/)]);
  expect(receiver.spans.length).toBe(5);
});

test("what the receiver refuses is counted as dropped", async () => {
  receiver.status = 400;
  await serve();
  await ask(gatewayPort, "/200");
  await expect.poll(() => receiver.requests).toBeGreaterThan(0);
  receiver.status = 200;
  await expect.poll(async () => (await points("flotilla.telemetry.dropped")).length).toBe(1);
  expect(await points("flotilla.telemetry.dropped")).toEqual(["signal=traces reason=refused 1"]);
});
