/** The example of the model's description, without the fields that are not built, and with the files that it refers to. */
import { knownFiles } from "./files.ts";
import { defineApp } from "./model/define-app.ts";

export const files = knownFiles({
  "storefront/server.ts": "",
  "orders/server.ts": "",
  "orders/rules.json": '{"maximum": 10}\n',
  "orders/migrations/0001-orders.sql": "create table orders (id uuid);\n",
  "orders/migrations/0002-lines.sql": "create table lines (id uuid);\n",
  "orders/migrations/README.md": "not a migration",
  "payments/main.py": "",
  "report/main.ts": "",
});

export const shop = defineApp({
  name: "shop",
  backing: { orders: { type: "postgres", version: "18", storage: "1Gi", migrations: "./orders/migrations" } },
  external: { bank: { host: "api.bank.example", port: 443, protocol: "https" } },
  services: {
    storefront: {
      source: "./storefront",
      port: 3000,
      calls: ["catalog", "orders"],
      routes: [{ path: "/" }],
      scale: { min: 2, max: 10, cpu: "70%" },
      release: { strategy: "rolling", maxDuration: "5m" },
    },
    orders: {
      source: "./orders",
      port: 3000,
      uses: ["orders"],
      calls: [{ service: "payments", optional: true }],
      probes: { readiness: "/readyz", liveness: "/healthz" },
      env: { CURRENCY: "EUR", PAYMENT_KEY: { secret: "payment", key: "api-key" } },
      files: { "/etc/shop/rules.json": { file: "./orders/rules.json" } },
      resources: { cpu: "100m", memory: "128Mi" },
    },
    payments: { source: "./payments", command: ["python3", "main.py"], port: 8000, calls: ["bank"] },
    catalog: { image: "registry.example/catalog:1.4", ports: { grpc: { port: 50051, protocol: "grpc" } } },
  },
  jobs: { "nightly-report": { source: "./report", schedule: "0 3 * * *", calls: ["orders"] } },
  secrets: { payment: { keys: ["api-key"], from: "generate" } },
  environments: {
    staging: { namespace: "shop-staging" },
    production: {
      namespace: "shop",
      services: { storefront: { scale: { min: 4, max: 40 } } },
      backing: { orders: { driver: "cnpg" } },
    },
  },
});
