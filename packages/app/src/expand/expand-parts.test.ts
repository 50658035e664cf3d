import { expect, test } from "vitest";
import { files, shop } from "../example.fixture.ts";
import { knownFiles } from "../files.ts";
import type { ExpandOptions } from "./context.ts";
import { container, env, type Loose, names, objects, one, pod, web } from "./expand.fixture.ts";
import { plan } from "./plan.ts";

test("generated secrets have no values here", () => {
  const secret = one(objects(shop), "Secret", "payment");
  expect([secret.metadata.annotations, secret.data]).toEqual([{ "flotilla.dev/generate": "api-key" }, undefined]);
  expect(Object.keys(one(objects(shop), "Secret", "orders-postgres").data)).not.toContain("password");
});

const policy = (name: string, options: Partial<ExpandOptions> = {}) =>
  JSON.stringify(one(objects(shop, options), "NetworkPolicy", name).spec);
test("policies: in from callers and the gateway", () => {
  expect(policy("orders")).toContain(
    '"ingress":[{"from":[{"podSelector":{"matchLabels":{"app.kubernetes.io/name":"storefront"',
  );
  expect(policy("orders")).toContain('"app.kubernetes.io/name":"nightly-report"');
  expect(policy("orders").split('"egress"')[0]).not.toContain("flotilla-system");
  expect(policy("storefront").split('"egress"')[0]).toContain("flotilla-system");
  expect(JSON.parse(policy("nightly-report"))).not.toHaveProperty("ingress");
});
test("policies: out to what is called, and outside only to externals where there are any", () => {
  const out = (name: string) => policy(name).split('"egress"')[1] ?? "";
  expect(out("storefront")).toContain('"cidr":"0.0.0.0/0"');
  expect(out("storefront")).not.toContain('"ports":[{"protocol":"TCP","port":443}]');
  expect(out("payments")).toContain('"ports":[{"protocol":"TCP","port":443}]');
  expect(out("orders")).toContain('"app.kubernetes.io/name":"orders-postgres"');
  expect(out("orders-postgres")).not.toContain("ipBlock");
});

test("postgres on a laptop, on a cluster, with an operator, and somebody else's", () => {
  const image = (options: Partial<ExpandOptions>) =>
    container(objects(shop, options), "StatefulSet", "orders-postgres")?.image;
  expect(image({ target: "local" })).toBe("flotilla.dev/postgres:18");
  expect(image({})).toBe("docker.io/library/postgres:18");
  const production = objects(shop, { environment: "production" });
  expect(names(production, "StatefulSet")).toEqual([]);
  expect(one(production, "Cluster", "orders-postgres").spec).toMatchObject({ instances: 3, storage: { size: "1Gi" } });
  expect(env(production, "Deployment", "orders")).toMatchObject({
    PGHOST: "orders-postgres-rw",
    PGUSER: { secretKeyRef: { name: "orders-postgres-app", key: "username" } },
  });
  const external = web({ uses: ["db"] }, { backing: { db: { type: "postgres", driver: "external", secret: "rds" } } });
  expect(env(external)).toMatchObject({ DATABASE_URL: { secretKeyRef: { name: "rds", key: "url" } } });
});
test("postgres keeps its data in a claim, and its folder where images before 18 do not hide it", () => {
  const all = objects(shop);
  expect(one(all, "StatefulSet", "orders-postgres").spec).toMatchObject({
    replicas: 1,
    serviceName: "orders-postgres-pods",
    volumeClaimTemplates: [{ spec: { resources: { requests: { storage: "1Gi" } } } }],
  });
  expect(env(all, "StatefulSet", "orders-postgres")).toMatchObject({
    PGDATA: "/var/lib/postgresql/pgdata",
    POSTGRES_DB: { secretKeyRef: { name: "orders-postgres", key: "database" } },
  });
});

test("migrations: a Job of their content, and what uses the database waits for it", () => {
  const { steps } = plan(shop, { files, target: "local" });
  const job = steps.find(({ object }) => object.kind === "Job");
  expect(job?.object.metadata.name).toMatch(/^orders-migrate-[a-z0-9]+$/);
  const waits = steps.flatMap((step) =>
    step.after.length > 0 ? [[step.object.kind, step.object.metadata.name, step.after]] : [],
  );
  expect(waits).toEqual([["Deployment", "orders", [job?.object.metadata.name]]]);
  const config = steps.find(
    ({ object }) => object.kind === "ConfigMap" && object.metadata.name.startsWith("orders-migrate-"),
  )?.object as Loose;
  expect(Object.keys(config.data)).toEqual(["0001-orders.sql", "0002-lines.sql"]);
});
test("other migrations are another Job", () => {
  const name = (sql: string) =>
    names(
      web(
        {},
        { backing: { db: { type: "postgres", migrations: "sql" } } },
        { files: knownFiles({ "sql/1.sql": sql }) },
      ),
      "Job",
    )[0];
  expect(name("select 1")).not.toBe(name("select 2"));
  expect(name("select 1")).toBe(name("select 1"));
});

test("jobs: by schedule, on request, before and after a release", () => {
  const job = (run: object, options: Partial<ExpandOptions> = {}) =>
    plan(
      { name: "shop", services: { web: { source: "./web" } }, jobs: { j: { source: "./j", ...run } } },
      { files, target: "cluster", ...options },
    ).steps;
  const kinds = (run: object) =>
    job(run)
      .filter(({ part }) => part === "j")
      .map(({ object }) => object.kind);
  expect(kinds({ schedule: "0 3 * * *" })).toEqual(["ServiceAccount", "NetworkPolicy", "CronJob"]);
  const cron = (run: object) => job(run).find(({ object }) => object.kind === "CronJob")?.object;
  expect(cron({ schedule: "0 3 * * *" })).toMatchObject({
    spec: {
      schedule: "0 3 * * *",
      timeZone: "UTC",
      concurrencyPolicy: "Forbid",
      jobTemplate: { spec: { backoffLimit: 3, activeDeadlineSeconds: 3600 } },
    },
  });
  expect(cron({})).toMatchObject({ spec: { suspend: true } });
  const [before, after] = [job({ run: "beforeRelease" }), job({ run: "afterRelease" })];
  const released = (steps: typeof before) => steps.find(({ object }) => object.kind === "Job");
  expect(before.find(({ object }) => object.kind === "Deployment")?.after).toEqual([
    released(before)?.object.metadata.name,
  ]);
  expect(released(after)?.last).toBe(true);
  const next = job({ run: "beforeRelease" }, { versions: { web: { image: "a@sha256:1" } } });
  expect(released(next)?.object.metadata.name).not.toBe(released(before)?.object.metadata.name);
});

test("routes: what matches, who answers, how long", () => {
  const all = web({
    routes: [
      {
        path: "/api",
        methods: ["GET", "POST"],
        headers: { "x-a": "1" },
        rewrite: { host: "b.example" },
        timeout: "1.5s",
      },
    ],
  });
  expect(one(all, "HTTPRoute", "web").spec).toEqual({
    parentRefs: [
      { group: "gateway.networking.k8s.io", kind: "Gateway", name: "flotilla", namespace: "flotilla-system" },
    ],
    rules: [
      {
        matches: ["GET", "POST"].map((method) => ({
          path: { type: "PathPrefix", value: "/api" },
          headers: [{ type: "Exact", name: "x-a", value: "1" }],
          method,
        })),
        filters: [{ type: "URLRewrite", urlRewrite: { hostname: "b.example" } }],
        backendRefs: [{ group: "", kind: "Service", name: "web", port: 3000, weight: 1 }],
        timeouts: { request: "1500ms" },
      },
    ],
  });
});
test("routes: a rewritten prefix has a rule for each method", () => {
  const { rules } = one(web({ routes: [{ path: "/api", methods: ["GET", "PUT"], rewrite: "/" }] }), "HTTPRoute", "web")
    .spec as unknown as { rules: { matches: unknown[]; filters: unknown[] }[] };
  const filters = [
    { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
  ];
  expect(rules.map((rule) => [rule.matches.length, rule.filters])).toEqual([
    [1, filters],
    [1, filters],
  ]);
});
test("routes of the app: weights, redirects, one object for each set of hosts, at most 16 rules", () => {
  const routes = [
    {
      hosts: ["a.example"],
      backends: [
        { service: "web", weight: 9 },
        { service: "next", weight: 1 },
      ],
      mirror: "next",
    },
    { hosts: ["b.example"], redirect: { host: "a.example", status: 301 as const } },
    ...Array.from({ length: 17 }, (_, i) => ({ path: `/${i}`, backends: [{ service: "web" }] })),
  ];
  const all = objects({
    name: "shop",
    services: { web: { source: "./web", port: 1 }, next: { source: "./next", port: 2 } },
    routes,
  });
  expect(names(all, "HTTPRoute")).toEqual(["shop-routes", "shop-routes-2", "shop-routes-3", "shop-routes-4"]);
  expect(one(all, "HTTPRoute", "shop-routes").spec).toMatchObject({
    hostnames: ["a.example"],
    rules: [
      {
        backendRefs: [
          { name: "web", weight: 9 },
          { name: "next", weight: 1 },
        ],
        filters: [{ type: "RequestMirror" }],
      },
    ],
  });
  expect(one(all, "HTTPRoute", "shop-routes-2").spec).toMatchObject({
    rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: { hostname: "a.example", statusCode: 301 } }] }],
  });
});
test("routes without hosts are the domain's", () =>
  expect(
    one(
      web({ routes: [{}] }, { environments: { p: { domain: "shop.example" } } }, { environment: "p" }),
      "HTTPRoute",
      "web",
    ).spec,
  ).toMatchObject({ hostnames: ["shop.example"] }));

test("rights are a Role, and mount the account's token", () => {
  const all = web({
    identity: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }], annotations: { cloud: "role" } },
  });
  expect(one(all, "Role", "web")).toMatchObject({ rules: [{ resources: ["pods"] }] });
  expect(one(all, "ServiceAccount", "web").metadata.annotations).toEqual({ cloud: "role" });
  expect(pod(all).spec).toMatchObject({ automountServiceAccountToken: true });
});

test("patches: a service's own, then the app's, which has the last word", () => {
  const all = web(
    {
      patches: [
        {
          kind: "Deployment",
          spec: { replicas: 5, template: { spec: { containers: [{ name: "web", workingDir: "/x" }] } } },
        },
      ],
    },
    { patches: [{ kind: "Deployment", metadata: { name: "web", annotations: { a: "b" } }, spec: { replicas: 7 } }] },
  );
  expect(one(all, "Deployment", "web")).toMatchObject({ metadata: { annotations: { a: "b" } }, spec: { replicas: 7 } });
  expect(container(all)).toMatchObject({ workingDir: "/x", image: "localhost/shop-web:dev" });
});
test("plain manifests are added, in the app's namespace", () => {
  const yaml =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: other}\n";
  const all = web(
    {},
    { objects: ["k8s"] },
    {
      files: knownFiles({
        "k8s/a.yaml": yaml,
        "k8s/deep/c.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}',
      }),
    },
  );
  expect(
    all.filter((object) => object.kind === "ConfigMap").map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
  ).toEqual(["shop/a", "other/b", "shop/c"]);
});
test("labels, team and annotations are everywhere", () => {
  for (const { metadata } of web({}, { team: "checkout", labels: { tier: "1" }, annotations: { link: "x" } })) {
    expect(metadata.labels).toMatchObject({ "flotilla.dev/team": "checkout", tier: "1" });
    expect(metadata.annotations).toMatchObject({ link: "x" });
  }
});
