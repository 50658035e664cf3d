import fc from "fast-check";
import { expect, test } from "vitest";
import { inEnvironment, namespaceOf, overlay } from "./environment.ts";
import type { App } from "./model/model.ts";

const app: App = {
  name: "shop",
  defaults: { resources: { cpu: "20m" } },
  services: {
    web: { source: "./web", port: 3000, calls: ["orders", "mailer"], scale: { min: 2, max: 4, cpu: "70%" } },
    orders: { source: "./orders", port: 3000, replicas: 3, resources: { memory: "1Gi" } },
    mailer: { source: "./mailer", port: 3000 },
  },
  environments: {
    local: { services: { orders: { replicas: 2 } } },
    staging: { namespace: "stage", services: { mailer: { enabled: false }, web: { replicas: 1, env: { A: "b" } } } },
    production: { services: { web: { image: "registry.example/web:1", calls: ["orders"] }, orders: null } },
  },
};

test("objects merge, arrays replace, null deletes", () =>
  expect(overlay({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3] }, d: null, e: 2 })).toEqual({
    a: { b: 1, c: [3] },
    e: 2,
  }));
test("neither side is changed", () => {
  const before = { a: { b: 1 } };
  overlay(before, { a: { b: 2 } });
  expect(before).toEqual({ a: { b: 1 } });
});
test("an overlay applied twice is applied once", () =>
  fc.assert(
    fc.property(fc.object(), fc.object(), (value, change) => {
      const once = overlay(value, change);
      expect(overlay(once, change)).toEqual(once);
    }),
  ));

test("defaults hold where a service says nothing", () => {
  const { web, orders } = inEnvironment(app, undefined).services;
  expect([web?.resources, orders?.resources]).toEqual([{ cpu: "20m" }, { cpu: "20m", memory: "1Gi" }]);
});
test("a laptop runs one replica, unless environments.local says more", () => {
  const { web, orders } = inEnvironment(app, "local").services;
  expect([web?.replicas, web?.scale, web?.placement]).toEqual([1, undefined, { spread: false }]);
  expect(orders?.replicas).toBe(2);
});
test("a DaemonSet has no replicas on a laptop either", () => {
  const daemon: App = { name: "a", services: { agent: { source: ".", kind: "DaemonSet" } } };
  expect(inEnvironment(daemon, "local").services.agent).not.toHaveProperty("replicas");
});
test("a laptop scales only where environments.local says so", () => {
  const scaled = { ...app, environments: { local: { services: { web: { scale: { min: 1, max: 2, cpu: "50%" } } } } } };
  expect(inEnvironment(scaled, "local").services.web).toMatchObject({ scale: { max: 2 } });
  expect(inEnvironment(scaled, "local").services.web?.replicas).toBeUndefined();
});
test("what is removed is no longer called", () => {
  const staging = inEnvironment(app, "staging");
  expect(Object.keys(staging.services)).toEqual(["web", "orders"]);
  expect(staging.services.web).toMatchObject({ calls: ["orders"], replicas: 1, env: { A: "b" } });
});
test("what takes the place of something removes it", () => {
  const { web } = inEnvironment(app, "production").services;
  expect([web?.source, web?.image, web?.calls]).toEqual([undefined, "registry.example/web:1", []]);
  expect(inEnvironment(app, "staging").services.web?.scale).toBeUndefined();
});
test("namespaces", () => {
  expect(["local", "staging", "production", undefined].map((name) => namespaceOf(app, name))).toEqual([
    "shop",
    "stage",
    "shop-production",
    "shop",
  ]);
});
