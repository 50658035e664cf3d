// What is said of requests that went through a real proxy: spans as a receiver of OTLP decodes them, headers as an endpoint sees them.
import type { IncomingHttpHeaders } from "node:http";
import { seededRandom, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ask, cluster, freshPort, gateway, rule, Stage, serviceAddress, tableWith } from "../proxy.fixture.ts";
import type { Table, TablePod } from "../table.ts";
import { type Export, startExport } from "./export.ts";
import { attributeOf, lines, Receiver } from "./receiver.fixture.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

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

const pod = (name: string, service: string, version = ""): TablePod => ({ namespace: "shop", name, service, version });

/** Orders at 127.126.7.1 answers by `listener`; the caller is known as the storefront. */
async function serve(listener: Parameters<Stage["serve"]>[1], rest: Partial<Table> = {}): Promise<void> {
  const { endpoint } = await stage.serve("127.126.7.1", listener);
  const api = rule({ matches: [{ path: { type: "PathPrefix", value: "/api" } }] });
  await stage.proxy.apply({
    ...tableWith(servicePort, [endpoint], { gateways: [gateway(gatewayPort, api)] }),
    pods: { "127.126.7.1": pod("orders-1", "orders", "v7"), [serviceAddress]: pod("storefront-1", "storefront") },
    ...rest,
  });
}

/** The spans after `exporting` has sent what there is. */
async function spans() {
  await expect.poll(() => receiver.spans.length).toBeGreaterThan(0);
  return receiver.spans;
}

const answering = (seen: IncomingHttpHeaders[] = []): Parameters<Stage["serve"]>[1] => {
  return (request, response) => {
    seen.push(request.headers);
    response.writeHead(request.url === "/missing" ? 404 : 200).end("done");
  };
};

test("a request at the gateway is a server's span, named for the rule's path", async () => {
  await serve(answering());
  await ask(gatewayPort, "/api/orders/17?token=secret", { headers: { host: "shop.test:8080" } });
  const [span] = await spans();
  expect(span).toMatchObject({ resource: "gateway", name: "GET /api", kind: 2 });
  expect(span?.parentSpanId).toBeUndefined();
  expect(span?.status).toBeUndefined();
  expect(lines(span as never).filter((line) => !/first_byte|upstream.connect|endpoint.wait/.test(line))).toEqual([
    "client.address=127.0.0.1",
    "flotilla.caller=gateway",
    "flotilla.route=shop/shop",
    "http.request.method=GET",
    "http.response.status_code=200",
    "http.route=/api",
    "k8s.namespace.name=shop",
    "k8s.pod.name=orders-1",
    "peer.service=orders",
    "server.address=shop.test",
    "service.version=v7",
    "url.path=/api/orders/17",
  ]);
});

test("a request at a Service's address is a client's span, named for the service", async () => {
  await serve(answering());
  await ask(servicePort, "/missing", { body: "x", headers: { host: "orders" } });
  const [span] = await spans();
  expect(span).toMatchObject({ resource: "data-plane", name: "POST orders", kind: 3 });
  expect(lines(span as never)).toContain("http.response.status_code=404");
  expect(span?.status).toBeUndefined();
  expect([attributeOf(span as never, "http.route"), attributeOf(span as never, "peer.service")]).toEqual([
    undefined,
    "orders",
  ]);
});

test("times are those of the request, to the microsecond", async () => {
  await serve(answering());
  const before = systemClock.now();
  await ask(servicePort, "/");
  const after = systemClock.now();
  const [span] = await spans();
  const [start, end] = [Number(span?.startTimeUnixNano) / 1e6, Number(span?.endTimeUnixNano) / 1e6];
  // The clock of this test has whole milliseconds; the two may be 5 ms apart before they are brought together.
  expect(start).toBeGreaterThanOrEqual(before - 6);
  expect(end).toBeGreaterThan(start);
  expect(end).toBeLessThanOrEqual(after + 6);
});

test.each<[string, Record<string, string>, RegExp, string | undefined]>([
  ["none begins one", {}, /^00-(?!0af7)[0-9a-f]{32}-[0-9a-f]{16}-01$/, undefined],
  ["malformed begins one", { traceparent: "00-zz-01" }, /^00-(?!0af7)[0-9a-f]{32}-[0-9a-f]{16}-01$/, undefined],
  [
    "malformed, and its state is gone",
    { traceparent: "00-zz-01", tracestate: "a=1" },
    /^00-(?!0af7)[0-9a-f]{32}-[0-9a-f]{16}-01$/,
    undefined,
  ],
  [
    "sampled goes on with our span",
    { traceparent: `00-${traceId}-${spanId}-01`, tracestate: "a=1,b=2" },
    new RegExp(`^00-${traceId}-(?!${spanId})[0-9a-f]{16}-01$`),
    "a=1,b=2",
  ],
])("trace context: %s", async (_, headers, expected, state) => {
  const seen: IncomingHttpHeaders[] = [];
  await serve(answering(seen));
  await ask(servicePort, "/", { headers });
  expect(seen[0]?.traceparent).toMatch(expected);
  expect(seen[0]?.tracestate).toBe(state);
  const [span] = await spans();
  expect(seen[0]?.traceparent).toContain(`${span?.traceId}-${span?.spanId}`);
  expect(span?.parentSpanId).toBe(headers.traceparent?.includes(spanId) ? spanId : undefined);
  expect(span?.flags).toBe(span?.parentSpanId ? 0x301 : 1);
  expect(span?.traceState).toBe(state);
});

test("what is not sampled makes no span and goes on as it came", async () => {
  const seen: IncomingHttpHeaders[] = [];
  await serve(answering(seen));
  const unsampled = { traceparent: `00-${traceId}-${spanId}-00`, tracestate: "a=1" };
  await ask(servicePort, "/", { headers: unsampled });
  expect(seen[0]).toMatchObject(unsampled);
  await ask(servicePort, "/last");
  expect((await spans()).map((span) => attributeOf(span, "url.path"))).toEqual(["/last"]);
});

test("without a receiver no trace is begun, and one that comes goes on as it came", async () => {
  const seen: IncomingHttpHeaders[] = [];
  const plain = new Stage();
  try {
    const { endpoint } = await plain.serve("127.126.7.2", answering(seen));
    await plain.proxy.apply(tableWith(servicePort, [endpoint]));
    await ask(servicePort, "/");
    await ask(servicePort, "/", { headers: { traceparent: "whatever", tracestate: "a=1" } });
  } finally {
    await plain.stop();
  }
  expect(seen.map(({ traceparent, tracestate }) => [traceparent, tracestate])).toEqual([
    [undefined, undefined],
    ["whatever", "a=1"],
  ]);
});

test("tries that failed are events, and what answered in the end is the peer", async () => {
  await serve(answering());
  const gone = await stage.serve("127.126.7.3", () => undefined);
  const good = await stage.serve("127.126.7.4", answering());
  await new Promise((resolve) => gone.close(resolve));
  await stage.proxy.apply({
    ...tableWith(servicePort, [gone.endpoint, good.endpoint]),
    pods: { "127.126.7.4": pod("orders-4", "orders") },
  });
  for (let i = 0; i < 10; i++) await ask(servicePort, "/");
  await expect.poll(() => receiver.spans.length).toBe(10);
  const retried = receiver.spans.filter(({ events }) => events?.length);
  expect(retried.length).toBeGreaterThan(0);
  for (const span of retried) {
    expect(span.events).toMatchObject([{ name: "try failed" }]);
    expect(lines(span.events?.[0] as never)).toEqual(
      expect.arrayContaining([
        "error.type=ECONNREFUSED",
        "flotilla.try.outcome=connect",
        "network.peer.address=127.126.7.3",
      ]),
    );
    expect(attributeOf(span, "http.request.resend_count")).toBe("1");
    expect(attributeOf(span, "k8s.pod.name")).toBe("orders-4");
    expect(span.status).toBeUndefined();
  }
});

test.each<[string, Parameters<Stage["serve"]>[1], number | undefined, string]>([
  ["answers 500", (_, response) => void response.writeHead(500).end("no"), 500, "500"],
  ["breaks off before the answer", ({ socket }) => void socket.destroy(), 502, "ECONNRESET"],
  [
    "breaks off in the answer",
    ({ socket }, response) => {
      response.writeHead(200, { "Content-Length": 100 }).write("begun");
      setTimeout(() => socket.destroy(), 20);
    },
    200,
    "broken_off",
  ],
])("an endpoint that %s is an error", async (_, listener, status, type) => {
  await serve(listener);
  await ask(servicePort, "/", { body: "x" }).catch(() => undefined);
  const [span] = await spans();
  expect(span?.status?.code).toBe(2);
  expect([attributeOf(span as never, "http.response.status_code"), attributeOf(span as never, "error.type")]).toEqual([
    String(status),
    type,
  ]);
});

test("the time until there was an endpoint is told", async () => {
  await stage.proxy.apply(tableWith(servicePort, []));
  const asked = ask(servicePort, "/");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { endpoint } = await stage.serve("127.126.7.5", answering());
  await stage.proxy.apply(tableWith(servicePort, [endpoint]));
  await asked;
  const [span] = await spans();
  expect(Number(attributeOf(span as never, "flotilla.endpoint.wait"))).toBeGreaterThan(0.05);
  expect(attributeOf(span as never, "network.peer.address")).toBe("127.126.7.5");
});

test("nobody there: the service is named, no peer is", async () => {
  await stage.proxy.apply({ ...tableWith(servicePort, []), clusters: { orders: cluster([], { unready: 1 }) } });
  await ask(servicePort, "/");
  const [span] = await spans();
  expect(lines(span as never)).toEqual(expect.arrayContaining(["peer.service=orders", "error.type=503"]));
  expect(attributeOf(span as never, "k8s.pod.name")).toBeUndefined();
});

test("an upgrade is a span until the two sides have agreed", async () => {
  const server = await stage.serve("127.126.7.6", answering());
  const seen: IncomingHttpHeaders[] = [];
  const sockets = new WebSocketServer({ server, path: "/ws" });
  sockets.on("connection", (_, { headers }) => void seen.push(headers));
  const pods = { "127.126.7.6": pod("orders-6", "orders") };
  await stage.proxy.apply({ ...tableWith(servicePort, [server.endpoint]), pods });
  const socket = new WebSocket(`ws://${serviceAddress}:${servicePort}/ws?key=secret`);
  await new Promise((resolve) => socket.once("open", resolve));
  const [span] = await spans();
  expect(span).toMatchObject({ name: "GET orders" });
  expect(lines(span as never)).toEqual(
    expect.arrayContaining(["http.response.status_code=101", "k8s.pod.name=orders-6", "url.path=/ws"]),
  );
  expect(seen[0]?.traceparent).toContain(span?.spanId);
  socket.terminate();
  sockets.close();
});

test("a request for which there is no route is named by its method alone", async () => {
  await serve(answering());
  await ask(gatewayPort, "/elsewhere");
  const [span] = await spans();
  expect(span).toMatchObject({ name: "GET", resource: "gateway" });
  expect(attributeOf(span as never, "http.response.status_code")).toBe("404");
});
