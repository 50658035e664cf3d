// The whole application in one value. `npx flotilla up` runs it, `npx flotilla render` shows what it becomes.
import { defineApp } from "flotilla";

export default defineApp({
  name: "shop",

  // A database is named once; whoever `uses` it gets DATABASE_URL. Migrations run before the services that use it start.
  backing: {
    orders: { type: "postgres", version: "18", storage: "1Gi", migrations: "./orders/migrations" },
  },

  services: {
    // What shoppers see. The only service with a route, so the only one that can be reached from outside.
    storefront: {
      source: "./storefront",
      port: 3000,
      calls: ["catalog", "orders"],
      routes: [{ path: "/" }],
      probes: { readiness: "/healthz", liveness: "/healthz" },
      env: { CURRENCY: "EUR" },
      // What shoppers are promised: it answers, and 95 of 100 answers come within 300 ms.
      objectives: { availability: "99.9%", latency: { p95: "300ms" } },
    },
    // What there is to buy.
    catalog: {
      source: "./catalog",
      port: 3000,
      probes: { readiness: "/healthz", liveness: "/healthz" },
    },
    // Takes orders, keeps them in PostgreSQL, and has them paid.
    orders: {
      source: "./orders",
      port: 3000,
      uses: ["orders"],
      // Optional: without payments, orders are taken and wait for their payment.
      calls: [{ service: "payments", optional: true }],
      probes: { readiness: "/readyz", liveness: "/healthz" },
      env: { CURRENCY: "EUR" },
      files: { "/etc/shop/rules.json": { file: "./orders/rules.json" } },
      resources: { cpu: "100m", memory: "192Mi" },
      objectives: { availability: "99.9%" },
    },
    // Another language: Python's standard library, nothing to install.
    payments: {
      source: "./payments",
      command: ["python3", "main.py"],
      port: 8000,
      probes: { readiness: "/healthz" },
      env: { PAYMENT_KEY: { secret: "payment", key: "api-key" } },
    },
  },

  // Made once by Flotilla, never written down in this file.
  secrets: { payment: { keys: ["api-key"], from: "generate" } },

  environments: {
    staging: { namespace: "shop-staging" },
    production: {
      namespace: "shop",
      services: {
        storefront: { scale: { min: 4, max: 40, cpu: "70%" } },
        catalog: { replicas: 3 },
        orders: { scale: { min: 2, max: 10, cpu: "70%" } },
        payments: { replicas: 2 },
      },
      backing: { orders: { driver: "statefulset", storage: "20Gi" } },
    },
  },
});
