import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom, systemClock } from "@flotilla/ambient";
import {
  EndpointSlices,
  Events,
  type Gateway,
  GatewayClasses,
  Gateways,
  type HTTPRoute,
  HTTPRoutes,
  isTrue,
  newObject,
  Pods,
  Services,
} from "@flotilla/objects";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TinyApi } from "../../client/src/tiny-api.fixture.ts";
import { attribute } from "../../telemetry/src/attributes.ts";
import { type DataPlane, type DataPlaneOptions, startDataPlane } from "./data-plane.ts";
import { ask, freshPort, Stage, serviceAddress } from "./proxy.fixture.ts";
import { Receiver } from "./telemetry/receiver.fixture.ts";

let api: TinyApi;
let stage: Stage;
let plane: DataPlane | undefined;
let stateFile: string;
const servicePort = freshPort();
const gatewayPort = freshPort();

const start = (to = api, rest: Partial<DataPlaneOptions> = {}) =>
  startDataPlane({
    ...rest,
    api: to,
    clock: systemClock,
    random: seededRandom(1),
    gateway: { addresses: [serviceAddress], port: gatewayPort },
    stateFile,
  });

beforeEach(async () => {
  stateFile = join(await mkdtemp(join(tmpdir(), "table-")), "table.json");
  api = new TinyApi();
  stage = new Stage();
  const server = await stage.serve("127.126.2.1", (request, response) => void response.end(`orders ${request.url}`));
  const { address, port } = server.endpoint;
  const metadata = { namespace: "shop", name: "orders" };
  api.put(
    GatewayClasses,
    newObject(GatewayClasses, { metadata: { name: "flotilla" }, spec: { controllerName: "flotilla.dev/gateway" } }),
  );
  api.put(
    Services,
    newObject(Services, {
      metadata,
      spec: { clusterIP: serviceAddress, ports: [{ name: "http", port: servicePort }] },
    }),
  );
  api.put(
    EndpointSlices,
    newObject(EndpointSlices, {
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "orders" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
      ports: [{ name: "http", port, protocol: "TCP" }],
    }),
  );
  api.put(
    Gateways,
    newObject(Gateways, {
      metadata: { namespace: "flotilla-system", name: "flotilla" },
      spec: {
        gatewayClassName: "flotilla",
        listeners: [{ name: "http", protocol: "HTTP", port: 80, allowedRoutes: { namespaces: { from: "All" } } }],
      },
    }),
  );
  api.put(
    HTTPRoutes,
    newObject(HTTPRoutes, {
      metadata,
      spec: {
        parentRefs: [{ name: "flotilla", namespace: "flotilla-system" }],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/api" } }],
            backendRefs: [{ name: "orders", port: servicePort }],
          },
          { matches: [{ path: { type: "Exact", value: "/lost" } }], backendRefs: [{ name: "lost", port: 1 }] },
        ],
      },
    }),
  );
});

afterEach(async () => {
  await plane?.stop();
  plane = undefined;
  await stage.stop();
});

test("serves what the API says, and says so in statuses", async () => {
  plane = await start();
  await plane.ready;
  expect((await ask(servicePort, "/direct")).body).toBe("orders /direct");
  expect((await ask(gatewayPort, "/api/1")).body).toBe("orders /api/1");
  expect(await ask(gatewayPort, "/nowhere?secret=1", { headers: { host: "shop.test" } })).toMatchObject({
    status: 404,
    body: "no route for host shop.test and path /nowhere\n",
  });
  expect(await ask(gatewayPort, "/lost")).toMatchObject({ status: 500, body: expect.stringContaining("shop/lost") });
  const gateway = () => api.get<Gateway>(Gateways, { namespace: "flotilla-system", name: "flotilla" });
  await expect.poll(async () => isTrue((await gateway()).status?.conditions, "Programmed")).toBe(true);
  expect((await gateway()).status).toMatchObject({
    addresses: [{ type: "IPAddress", value: serviceAddress }],
    listeners: [{ name: "http", attachedRoutes: 1 }],
  });
  const parent = async () =>
    (await api.get<HTTPRoute>(HTTPRoutes, { namespace: "shop", name: "orders" })).status?.parents[0];
  await expect.poll(parent).toMatchObject({
    controllerName: "flotilla.dev/gateway",
    conditions: [
      { type: "Accepted", status: "True", reason: "Accepted" },
      { type: "ResolvedRefs", status: "False", reason: "BackendNotFound" },
    ],
  });
  expect(plane.stats()).toContainEqual({ service: "shop/orders", route: "shop/orders", code: "2xx", requests: 1 });
});

test("comes to rest: once all is said, nothing is written any more", async () => {
  plane = await start();
  await plane.ready;
  await expect.poll(() => api.writes.length).toBeGreaterThanOrEqual(3);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = api.writes.length;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(api.writes.length).toBe(before);
});

test("a data plane that starts again serves before the API answers", async () => {
  plane = await start();
  await plane.ready;
  await plane.stop();
  const away = new TinyApi();
  for (const resource of [Services, EndpointSlices, GatewayClasses, Gateways, HTTPRoutes])
    away.missing.add(`${resource.plural}${resource.group ? `.${resource.group}` : ""}`);
  away.list = () => Promise.reject(new Error("nobody there"));
  plane = await start(away);
  expect((await ask(gatewayPort, "/api/2")).body).toBe("orders /api/2");
  expect((await ask(servicePort, "/")).body).toBe("orders /");
});

test("goes on serving while the API is away, and catches up when it is back", async () => {
  plane = await start();
  await plane.ready;
  const { list, watch } = api;
  api.list = () => Promise.reject(new Error("nobody there"));
  // biome-ignore lint/correctness/useYield: it fails before there is anything to give.
  api.watch = async function* () {
    throw new Error("nobody there");
  };
  api.endWatches(true);
  const next = await stage.serve("127.126.2.2", (_, response) => void response.end("the next"));
  const slice = await api.get(EndpointSlices, { namespace: "shop", name: "orders" });
  api.put(EndpointSlices, {
    ...slice,
    endpoints: [{ addresses: [next.endpoint.address], conditions: { ready: true } }],
    ports: [{ name: "http", port: next.endpoint.port, protocol: "TCP" }],
  });
  for (let i = 0; i < 20; i++) {
    expect((await ask(gatewayPort, "/api/3")).body).toBe("orders /api/3");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  Object.assign(api, { list, watch });
  await expect.poll(async () => (await ask(gatewayPort, "/api/3")).body, { timeout: 20_000 }).toBe("the next");
});

test("an address that cannot be had is told as an Event of its Service", async () => {
  const holder = await stage.serve("0.0.0.0", () => undefined, servicePort);
  plane = await start();
  await plane.ready;
  const events = async () => (await api.list(Events)).items.map(({ reason, message }) => `${reason}: ${message}`);
  await expect.poll(events).toEqual([expect.stringMatching(/^AddressUnavailable: cannot listen on .* 0\.0\.0\.0/)]);
  holder.close();
});

test("tells who asked whom, in which version, by what the API says of the pods", async () => {
  const receiver = new Receiver();
  await receiver.start();
  const pod = (podIP: string, name: string, version: string) =>
    api.put(
      Pods,
      newObject(Pods, {
        metadata: {
          namespace: "shop",
          name: `${name}-1`,
          labels: { "app.kubernetes.io/name": name, "app.kubernetes.io/version": version },
        },
        spec: { containers: [] },
        status: { phase: "Running", podIP },
      }),
    );
  pod("127.126.2.1", "orders", "v1");
  plane = await start(api, { otlp: { endpoint: receiver.endpoint } });
  await plane.ready;
  await ask(gatewayPort, "/api/1");
  pod("127.126.2.1", "orders", "v2");
  pod(serviceAddress, "storefront", "v1");
  const versions = async () => {
    await ask(servicePort, "/", { headers: { host: "orders" } });
    return receiver.spans.map(({ attributes }) => attribute(attributes, "service.version"));
  };
  await expect.poll(versions).toContain("v2");
  await plane.stop();
  const counted = receiver
    .points("flotilla.requests")
    .map(([{ caller, service, version, route }]) => `${caller} ${service} ${version} ${route}`);
  expect(counted).toEqual(expect.arrayContaining(["gateway orders v1 shop/orders", " orders v2 "]));
  receiver.stop();
});
