// From objects to the table: who is chosen, what is HTTP, which routes are attached where, and the reasons of those that are not.
import {
  EndpointSlices,
  GatewayClasses,
  Gateways,
  type HTTPRoute,
  HTTPRoutes,
  type Listener,
  Namespaces,
  newObject,
  ReferenceGrants,
  type ServicePort,
  type ServiceSpec,
  Services,
} from "@flotilla/objects";
import { expect, test } from "vitest";
import { attach, commonHostnames } from "./attach.ts";
import { referable, resolvedRefs } from "./backend.ts";
import { gatewayTable } from "./gateway-table.ts";
import { protocolOf, serviceTable } from "./service-table.ts";

const service = (spec: Partial<ServiceSpec> = {}, name = "orders") =>
  newObject(Services, {
    metadata: { namespace: "shop", name },
    spec: { clusterIP: "127.96.0.9", ports: [{ port: 80 }], ...spec },
  });

const slice = (conditions: Record<string, boolean | undefined>, address = "127.96.1.1", name = "s") =>
  newObject(EndpointSlices, {
    metadata: { namespace: "shop", name, labels: { "kubernetes.io/service-name": "orders" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions }],
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
  });

test.each<[string, ServicePort, "http" | "tcp"]>([
  ["nothing said", { port: 80 }, "tcp"],
  ["the name http", { port: 80, name: "http" }, "http"],
  ["a name that begins with http-", { port: 80, name: "http-api" }, "http"],
  ["https", { port: 443, name: "https" }, "tcp"],
  ["appProtocol", { port: 80, appProtocol: "http" }, "http"],
  ["WebSockets", { port: 80, appProtocol: "kubernetes.io/ws" }, "http"],
  ["h2c, passed through", { port: 80, name: "http", appProtocol: "kubernetes.io/h2c" }, "tcp"],
])("a port with %s is %#", (_, port, expected) => expect(protocolOf(port)).toBe(expected));

test.each([
  ["ready", { ready: true, serving: true, terminating: false }, "ready"],
  ["nothing said", {}, "ready"],
  ["terminating but serving", { ready: false, serving: true, terminating: true }, "draining"],
  ["terminating", { ready: false, serving: false, terminating: true }, undefined],
  ["not ready", { ready: false, serving: false, terminating: false }, undefined],
])("an endpoint that is %s", (_, conditions, state) => {
  const cluster = serviceTable([service()], [slice(conditions)]).clusters["shop/orders:80"];
  expect(cluster?.endpoints).toEqual(state ? [{ address: "127.96.1.1", port: 8080, state }] : []);
  expect(cluster?.unready).toBe(state ? 0 : 1);
});

test("an endpoint in two slices counts once, by its better state", () => {
  const slices = [slice({ ready: false, serving: true, terminating: true }), slice({ ready: true }, "127.96.1.1", "t")];
  for (const order of [slices, slices.toReversed()])
    expect(serviceTable([service()], order).clusters["shop/orders:80"]?.endpoints).toEqual([
      { address: "127.96.1.1", port: 8080, state: "ready" },
    ]);
});

test("a headless Service has no listener, but the gateway reaches it; UDP has nothing", () => {
  const headless = serviceTable([service({ clusterIP: "None" })], [slice({ ready: true })]);
  expect([headless.services.length, Object.keys(headless.clusters)]).toEqual([0, ["shop/orders:80"]]);
  expect(serviceTable([service({ ports: [{ port: 53, protocol: "UDP" }] })], [])).toEqual({
    clusters: {},
    services: [],
  });
});

test("an ExternalName has no listener; a route reaches it at its name", () => {
  const { services, clusters } = serviceTable(
    [service({ type: "ExternalName", externalName: "orders.example.com", clusterIP: undefined })],
    [],
  );
  expect([services, clusters["shop/orders:80"]?.endpoints]).toEqual([
    [],
    [{ address: "orders.example.com", port: 80, state: "ready" }],
  ]);
});

test("affinity is in milliseconds, three hours when nothing is said", () =>
  expect(serviceTable([service({ sessionAffinity: "ClientIP" })], []).clusters["shop/orders:80"]?.affinity).toBe(
    10_800_000,
  ));

const ours = newObject(GatewayClasses, {
  metadata: { name: "flotilla" },
  spec: { controllerName: "flotilla.dev/gateway" },
});
const namespaces = [
  newObject(Namespaces, { metadata: { name: "shop", labels: { team: "a" } }, spec: {} }),
  newObject(Namespaces, { metadata: { name: "edge" }, spec: {} }),
];
const gatewayWith = (listener: Partial<Listener>, gatewayClassName = "flotilla") =>
  newObject(Gateways, {
    metadata: { namespace: "edge", name: "main" },
    spec: {
      gatewayClassName,
      listeners: [
        {
          name: "http",
          protocol: "HTTP",
          port: 80,
          allowedRoutes: { namespaces: { from: "All" as const } },
          ...listener,
        },
      ],
    },
  });
const route = (spec: Partial<HTTPRoute["spec"]> = {}) =>
  newObject(HTTPRoutes, {
    metadata: { namespace: "shop", name: "r", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { parentRefs: [{ namespace: "edge", name: "main" }], ...spec },
  });

const reason = (listener: Partial<Listener>, spec: Partial<HTTPRoute["spec"]> = {}) => {
  const attached = attach({ classes: [ours], gateways: [gatewayWith(listener)], routes: [route(spec)], namespaces });
  const count = attached.gateways[0]?.listeners[0]?.routes.length;
  expect(count).toBe(attached.parents[0]?.accepted.ok ? 1 : 0);
  return attached.parents[0]?.accepted.reason;
};
const from = (namespaces: NonNullable<Listener["allowedRoutes"]>["namespaces"]) => ({ allowedRoutes: { namespaces } });

test.each<[string, Partial<Listener>, Partial<HTTPRoute["spec"]>, string]>([
  ["of any namespace", {}, {}, "Accepted"],
  ["of another namespace", from({ from: "Same" }), {}, "NotAllowedByListeners"],
  [
    "of a namespace with the label",
    from({ from: "Selector", selector: { matchLabels: { team: "a" } } }),
    {},
    "Accepted",
  ],
  ["of one without", from({ from: "Selector", selector: { matchLabels: { team: "b" } } }), {}, "NotAllowedByListeners"],
  [
    "for a listener that is not there",
    {},
    { parentRefs: [{ namespace: "edge", name: "main", sectionName: "x" }] },
    "NoMatchingParent",
  ],
  ["for hosts of others", { hostname: "*.test" }, { hostnames: ["a.com"] }, "NoMatchingListenerHostname"],
  ["with a filter of somebody else", {}, { rules: [{ filters: [{ type: "ExtensionRef" }] }] }, "UnsupportedValue"],
  [
    "with a pattern that is none",
    {},
    { rules: [{ matches: [{ path: { type: "RegularExpression", value: "(" } }] }] },
    "UnsupportedValue",
  ],
  ["for a listener of another protocol", { protocol: "TLS" }, {}, "NotAllowedByListeners"],
])("a route %s is %#", (_, listener, spec, expected) => expect(reason(listener, spec)).toBe(expected));

test("Gateways of other classes are left alone", () => {
  const others = attach({ classes: [ours], gateways: [gatewayWith({}, "other")], routes: [route()], namespaces });
  expect(others).toEqual({ gateways: [], parents: [] });
});

test.each([
  [undefined, ["a.test"], ["a.test"]],
  ["*.test", undefined, ["*.test"]],
  ["*.test", ["a.test", "b.com"], ["a.test"]],
  ["a.test", ["*.test"], ["a.test"]],
  ["*.test", ["*.a.test"], ["*.a.test"]],
  ["*.test", ["test"], undefined],
])("listener %s and route %j have %j in common", (listener, hostnames, expected) =>
  expect(commonHostnames(listener, hostnames)).toEqual(expected),
);

const other = newObject(Services, {
  metadata: { namespace: "other", name: "orders" },
  spec: { clusterIP: "127.96.0.10", ports: [{ port: 80 }] },
});
const grant = (namespace: string, name?: string) =>
  newObject(ReferenceGrants, {
    metadata: { namespace: "other", name: "g" },
    spec: {
      from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace }],
      to: [{ group: "", kind: "Service", ...(name && { name }) }],
    },
  });
const services = referable([service(), other], []);

test.each([
  ["any Service", "shop", undefined, "ResolvedRefs"],
  ["this Service", "shop", "orders", "ResolvedRefs"],
  ["another Service", "shop", "carts", "RefNotPermitted"],
  ["somebody else", "elsewhere", undefined, "RefNotPermitted"],
])("a grant for %s", (_, from, name, expected) => {
  const known = referable([service(), other], [grant(from, name)]);
  const backendRefs = [{ name: "orders", namespace: "other", port: 80 }];
  expect(resolvedRefs(route({ rules: [{ backendRefs }] }), known).reason).toBe(expected);
});

test("a mirror's Service is of the namespace that it names, with its share; what cannot be reached gets no copies", () => {
  const to = (name: string, namespace: string) => ({ name, namespace, port: 80 });
  const mirrors = [
    { backendRef: to("orders", "other"), fraction: { numerator: 1, denominator: 4 } },
    { backendRef: to("orders", "shop"), percent: 10 },
    { backendRef: to("nobody", "shop") },
  ];
  const filters = mirrors.map((requestMirror) => ({ type: "RequestMirror", requestMirror }) as const);
  const routes = [route({ rules: [{ filters, backendRefs: [{ name: "orders", port: 80 }] }] })];
  const attached = attach({ classes: [ours], gateways: [gatewayWith({})], routes, namespaces });
  const [listener] = gatewayTable(attached, referable([service(), other], [grant("shop")]), (port) => port);
  expect(listener?.routes[0]?.rules[0]).toMatchObject({
    filters: [],
    mirrors: [
      { cluster: "other/orders:80", share: 0.25 },
      { cluster: "shop/orders:80", share: 0.1 },
    ],
  });
});

test.each([
  [{ name: "orders", port: 80 }, "ResolvedRefs"],
  [{ name: "nobody", port: 80 }, "BackendNotFound"],
  [{ name: "orders", port: 81 }, "BackendNotFound"],
  [{ name: "orders", namespace: "other", port: 80 }, "RefNotPermitted"],
  [{ name: "orders", kind: "Bucket", group: "x.test" }, "InvalidKind"],
])("backend %j: %s", (ref, expected) =>
  expect(resolvedRefs(route({ rules: [{ backendRefs: [ref] }] }), services).reason).toBe(expected),
);

test("port 80 is where this machine has it; time-outs are milliseconds, and 0s is none", () => {
  const rules = [{ backendRefs: [{ name: "orders", port: 80 }], timeouts: { request: "1m30s", backendRequest: "0s" } }];
  const attached = attach({ classes: [ours], gateways: [gatewayWith({})], routes: [route({ rules })], namespaces });
  const [listener] = gatewayTable(attached, services, (port) => (port === 80 ? 8080 : port));
  expect(listener).toMatchObject({ port: 8080, routes: [{ hostnames: [], rules: [{ requestTimeout: 90_000 }] }] });
  expect(listener?.routes[0]?.rules[0]).not.toHaveProperty("backendTimeout");
  expect(listener?.routes[0]?.rules[0]?.backends).toEqual([
    { weight: 1, filters: [], mirrors: [], cluster: "shop/orders:80" },
  ]);
});
