import { expect, expectTypeOf, test } from "vitest";
import { defineApp } from "./define-app.ts";
import { appFields } from "./fields.ts";
import type { App } from "./model.ts";
import type { Service } from "./service.ts";

// Checked by tsc: a line under @ts-expect-error that compiles is an error.

test("names are known to the compiler", () => {
  const app = defineApp({
    name: "shop",
    backing: { ledger: { type: "postgres" } },
    external: { bank: { host: "api.bank.example" } },
    services: {
      web: {
        source: "./web",
        port: 3000,
        calls: ["orders", "bank", { service: "orders", optional: true }],
        uses: ["ledger"],
        env: { KEY: { secret: "payment", key: "api-key" }, NAME: "text", POD: { fieldRef: "metadata.name" } },
        files: { "/key": { secret: "payment", key: "pin" } },
      },
      orders: { source: "./orders", port: 3000 },
    },
    jobs: { report: { source: "./report", schedule: "0 3 * * *", calls: ["orders"] } },
    routes: [{ path: "/", backends: [{ service: "web" }] }],
    secrets: { payment: { keys: ["api-key", "pin"], from: "generate" } },
    environments: {
      production: { services: { web: { scale: { min: 2, max: 4, cpu: "70%" }, replicas: null } } },
      local: { telemetry: { alerts: [{ slack: { secret: "payment", key: "pin" } }, { webhook: "http://a.example" }] } },
    },
  });
  expectTypeOf(app).toEqualTypeOf<App>();
  expect(app.name).toBe("shop");
});

test("promises and who is told of them are typed", () => {
  const secrets = { hooks: { keys: ["slack"], from: "existing" } } as const;
  const web = { source: "." };
  defineApp({ name: "shop", services: { web: { source: ".", port: 1, objectives: { latency: { "p99.9": "1s" } } } } });
  // @ts-expect-error: no percentile
  defineApp({ name: "shop", services: { web: { source: ".", port: 1, objectives: { latency: { fast: "1s" } } } } });
  defineApp({
    name: "shop",
    services: { web },
    secrets,
    // @ts-expect-error: no secret "hoks"
    environments: { local: { telemetry: { alerts: [{ slack: { secret: "hoks", key: "slack" } }] } } },
  });
});

test("a call to a service that is not there does not compile", () => {
  const orders = { source: "." };
  // @ts-expect-error: no service "ordres"
  defineApp({ name: "shop", services: { web: { source: ".", calls: ["ordres"] }, orders } });
  // @ts-expect-error: no service "ordres", long form
  defineApp({ name: "shop", services: { web: { source: ".", calls: [{ service: "ordres" }] }, orders } });
  // @ts-expect-error: nothing to use
  defineApp({ name: "shop", services: { web: { source: ".", uses: ["ledger"] } } });
  // @ts-expect-error: no service of that name behind the route
  defineApp({ name: "shop", services: { orders }, routes: [{ backends: [{ service: "wbe" }] }] });
  expect.assertions(0);
});

test("a secret or key that is not there does not compile", () => {
  const pin = { secret: "payment", key: "pin" } as const;
  // @ts-expect-error: no secrets at all
  defineApp({ name: "shop", services: { web: { source: ".", env: { KEY: pin } } } });
  defineApp({
    name: "shop",
    // @ts-expect-error: no key "pin" of that secret
    services: { web: { source: ".", env: { KEY: pin } } },
    secrets: { payment: { keys: ["api-key"] } },
  });
  expect.assertions(0);
});

test("fields and names in overlays are checked", () => {
  const web = { source: "." };
  // @ts-expect-error: no field "replica"
  defineApp({ name: "shop", services: { web: { source: ".", replica: 2 } } });
  // @ts-expect-error: no service "wbe"
  defineApp({ name: "shop", services: { web }, environments: { live: { services: { wbe: { replicas: 2 } } } } });
  // @ts-expect-error: not a protocol
  defineApp({ name: "shop", services: { web: { source: ".", ports: { a: { port: 80, protocol: "htpp" } } } } });
  expect.assertions(0);
});

test("the table has the model's fields, and every one has a text", () => {
  expectTypeOf<keyof typeof appFields>().toEqualTypeOf<keyof App>();
  expectTypeOf<Service["probes"]>().not.toBeAny();
  for (const field of Object.values(appFields)) expect(field.doc).toMatch(/\.$/);
});
