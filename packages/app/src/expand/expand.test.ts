import type { KubeObject } from "@flotilla/objects";
import { kindOf, validateShape } from "@flotilla/objects";
import { expect, test } from "vitest";
import { files, shop } from "../example.fixture.ts";
import { knownFiles } from "../files.ts";
import type { App } from "../model/model.ts";
import type { Service } from "../model/service.ts";
import type { ExpandOptions } from "./context.ts";
import { expand, plan } from "./plan.ts";

type Loose = KubeObject & { spec: Record<string, never>; data: Record<string, string>; [field: string]: unknown };

const objects = (app: App, options: Partial<ExpandOptions> = {}) =>
  expand(app, { files, target: "cluster", ...options }) as Loose[];
const one = (from: readonly Loose[], kind: string, name: string): Loose => {
  const found = from.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found)
    throw new Error(
      `no ${kind} ${name} among ${from.map((object) => `${object.kind} ${object.metadata.name}`).join(", ")}`,
    );
  return found;
};
const names = (from: readonly Loose[], kind: string) =>
  from.flatMap((object) => (object.kind === kind ? [object.metadata.name] : []));

/** An app of one service named "web". */
const web = (service: Partial<Service>, more: Partial<App> = {}, options: Partial<ExpandOptions> = {}) =>
  objects({ name: "shop", services: { web: { source: "./web", port: 3000, ...service } }, ...more }, options);
const container = (from: readonly Loose[], kind = "Deployment", name = "web") =>
  (one(from, kind, name).spec as unknown as { template: { spec: { containers: Record<string, unknown>[] } } }).template
    .spec.containers[0];
const pod = (from: readonly Loose[], kind = "Deployment", name = "web") =>
  (one(from, kind, name).spec as unknown as { template: { metadata: object; spec: object } }).template;

test.each([
  ["none", {}],
  ["staging", { environment: "staging" }],
  ["production", { environment: "production" }],
  ["local", { target: "local" as const }],
])("every object of the example has the fields of its kind and no other: %s", (_, options) => {
  for (const object of objects(shop, options)) {
    const resource = kindOf(object.apiVersion, object.kind);
    if (object.apiVersion === "postgresql.cnpg.io/v1") continue;
    expect(resource, object.kind).toBeDefined();
    if (resource)
      expect([object.metadata.name, validateShape(resource, object)]).toEqual([
        object.metadata.name,
        { unknown: [], wrongType: [] },
      ]);
  }
});

test("the same input gives the same objects, and is left as it was", () => {
  const before = structuredClone(shop);
  expect(objects(shop)).toEqual(objects(shop));
  expect(shop).toEqual(before);
});

test("everything has a name, a namespace and the labels by which it is found", () => {
  for (const { metadata } of objects(shop, { environment: "staging" })) {
    expect(metadata.namespace).toBe("shop-staging");
    expect(metadata.labels).toMatchObject({
      "app.kubernetes.io/part-of": "shop",
      "app.kubernetes.io/managed-by": "flotilla",
    });
  }
});

test("no two are the same", () => {
  const all = objects(shop).map((object) => `${object.kind} ${object.metadata.name}`);
  expect(new Set(all).size).toBe(all.length);
});

test("what others refer to comes first", () => {
  const kinds = [...new Set(objects(shop).map((object) => object.kind))];
  expect(kinds).toEqual([
    "ServiceAccount",
    "NetworkPolicy",
    "Secret",
    "ConfigMap",
    "Service",
    "StatefulSet",
    "Job",
    "Deployment",
    "CronJob",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "HTTPRoute",
  ]);
});

test("a pod is restricted", () => {
  expect(pod(web({})).spec).toMatchObject({
    automountServiceAccountToken: false,
    serviceAccountName: "web",
    terminationGracePeriodSeconds: 30,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
  });
  expect(container(web({}))).toMatchObject({
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "128Mi" } },
    lifecycle: { preStop: { sleep: { seconds: 3 } } },
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
  });
});

test("an image that somebody else built keeps its own user", () =>
  expect(pod(web({ source: undefined, image: "a/b:1" })).spec).not.toHaveProperty("securityContext.runAsUser"));

test.each([
  ["http without a path", {}, { tcpSocket: { port: "http" } }],
  [
    "http with a path",
    { probes: { readiness: "/readyz" } },
    { httpGet: { path: "/readyz", port: "http" }, periodSeconds: 5 },
  ],
  [
    "grpc, stated",
    {
      port: undefined,
      ports: { api: { port: 50051, protocol: "grpc" as const } },
      probes: { readiness: { grpc: "" } },
    },
    { grpc: { port: 50051 } },
  ],
  [
    "grpc, not stated",
    { port: undefined, ports: { api: { port: 50051, protocol: "grpc" as const } } },
    { tcpSocket: { port: "api" } },
  ],
  [
    "a command",
    { probes: { readiness: { exec: ["true"], period: "1s", timeout: "500ms", failures: 1 } } },
    { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 },
  ],
  ["udp", { port: undefined, ports: { dns: { port: 53, protocol: "udp" as const } } }, undefined],
  ["a worker", { port: undefined }, undefined],
] as [string, Partial<Service>, object | undefined][])("readiness: %s", (_, service, probe) => {
  const found = container(web(service))?.readinessProbe;
  if (probe) expect(found).toMatchObject(probe);
  else expect(found).toBeUndefined();
});
test("no liveness unless stated", () => expect(container(web({}))).not.toHaveProperty("livenessProbe"));

test.each([
  ["http", "http"],
  ["grpc", "kubernetes.io/h2c"],
  ["ws", "kubernetes.io/ws"],
  ["tcp", undefined],
] as const)("the protocol of a Service's port: %s", (protocol, appProtocol) => {
  const [port] = (
    one(web({ port: undefined, ports: { main: { port: 80, targetPort: 8080, protocol } } }), "Service", "web")
      .spec as unknown as { ports: object[] }
  ).ports;
  expect(port).toEqual({
    name: "main",
    port: 80,
    targetPort: "main",
    protocol: "TCP",
    ...(appProtocol && { appProtocol }),
  });
});
test("a worker has no Service", () => expect(names(web({ port: undefined }), "Service")).toEqual([]));
test("the pods of a StatefulSet have names", () => {
  const all = web({ kind: "StatefulSet", volumes: { data: { mount: "/data", size: "1Gi" } } });
  expect(names(all, "Service")).toEqual(["web", "web-pods"]);
  expect(one(all, "Service", "web-pods").spec).toMatchObject({ clusterIP: "None" });
  expect(one(all, "StatefulSet", "web").spec).toMatchObject({
    serviceName: "web-pods",
    volumeClaimTemplates: [{ metadata: { name: "data" } }],
  });
});
test("a volume of a Deployment is a claim, and moves by stopping first", () => {
  const all = web({
    volumes: { data: { mount: "/data", size: "2Gi", class: "fast" }, cache: { mount: "/cache", ephemeral: true } },
  });
  expect(one(all, "PersistentVolumeClaim", "web-data").spec).toEqual({
    accessModes: ["ReadWriteOnce"],
    storageClassName: "fast",
    resources: { requests: { storage: "2Gi" } },
  });
  expect(one(all, "Deployment", "web").spec).toMatchObject({ strategy: { type: "Recreate" } });
  expect(pod(all).spec).toMatchObject({
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: "web-data" } },
      { name: "cache", emptyDir: {} },
      { name: "tmp", emptyDir: {} },
    ],
  });
});

test("one replica: no budget, no spread", () => {
  expect(names(web({}), "PodDisruptionBudget")).toEqual([]);
  expect(pod(web({})).spec).not.toHaveProperty("topologySpreadConstraints");
});
test("from two replicas: a budget and spread", () => {
  const all = web({ replicas: 2 });
  expect(one(all, "PodDisruptionBudget", "web").spec).toMatchObject({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  });
  expect(pod(all).spec).toMatchObject({
    topologySpreadConstraints: [
      { topologyKey: "kubernetes.io/hostname" },
      { topologyKey: "topology.kubernetes.io/zone" },
    ],
  });
});
test("scaled: an autoscaler, and nobody else states replicas", () => {
  const all = web({ scale: { min: 2, max: 10, cpu: "70%", stabilization: "1m" } });
  expect(one(all, "Deployment", "web").spec).not.toHaveProperty("replicas");
  expect(one(all, "HorizontalPodAutoscaler", "web").spec).toEqual({
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    minReplicas: 2,
    maxReplicas: 10,
    metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
  });
});
test("on a laptop: one replica, no autoscaler, no budget", () => {
  const all = web({ scale: { min: 2, max: 10, cpu: "70%" } }, {}, { target: "local" });
  expect(one(all, "Deployment", "web").spec).toMatchObject({ replicas: 1 });
  expect([...names(all, "HorizontalPodAutoscaler"), ...names(all, "PodDisruptionBudget")]).toEqual([]);
});

test("images: given, built, not built yet", () => {
  const image = (service: Partial<Service>, options: Partial<ExpandOptions> = {}, more: Partial<App> = {}) =>
    container(web(service, more, options))?.image;
  expect(image({ source: undefined, image: "a/b:1" })).toBe("a/b:1");
  expect(image({}, { versions: { web: { image: "localhost/shop-web@sha256:abc" } } })).toBe(
    "localhost/shop-web@sha256:abc",
  );
  expect(image({})).toBe("localhost/shop-web:dev");
  expect(image({}, { environment: "p" }, { environments: { p: { registry: "registry.example/team" } } })).toBe(
    "registry.example/team/shop-web:dev",
  );
});
test("a new version changes nothing but what runs it", () => {
  const version = (digit: string) => ({
    versions: { web: { image: `localhost/shop-web@sha256:${digit.repeat(64)}` } },
  });
  const [before, after] = [web({ replicas: 2 }, {}, version("1")), web({ replicas: 2 }, {}, version("2"))];
  const changed = before.filter((object, i) => JSON.stringify(object) !== JSON.stringify(after[i]));
  expect(changed.map((object) => object.kind)).toEqual(["Deployment"]);
  expect(one(after, "Deployment", "web").metadata.labels).toMatchObject({
    "app.kubernetes.io/version": "222222222222",
  });
});

const env = (from: readonly Loose[], kind?: string, name?: string) =>
  Object.fromEntries(
    ((container(from, kind, name)?.env ?? []) as { name: string; value?: string; valueFrom?: unknown }[]).map(
      (each) => [each.name, each.value ?? each.valueFrom],
    ),
  );

test("a call gives an address", () => {
  const orders: Service = { source: "./orders", ports: { api: { port: 80, targetPort: 3000 }, admin: { port: 9000 } } };
  const all = objects({
    name: "shop",
    external: { bank: { host: "api.bank.example" } },
    services: {
      web: {
        source: "./web",
        port: 3000,
        calls: ["order-history", "bank"],
        env: { A: `\${order-history.host}:\${order-history.port}`, B: `$\${HOME}` },
      },
      "order-history": orders,
    },
  });
  expect(env(all)).toEqual({
    PORT: "3000",
    ORDER_HISTORY_URL: "http://order-history",
    ORDER_HISTORY_ADMIN_URL: "http://order-history:9000",
    BANK_URL: "https://api.bank.example",
    BANK_SERVICE_HOST: "api.bank.example",
    BANK_SERVICE_PORT: "443",
    A: "order-history:80",
    B: `\${HOME}`,
  });
});
test("a database gives its variables from its Secret", () => {
  const all = env(objects(shop), "Deployment", "orders");
  expect(all).toMatchObject({
    PGHOST: "orders-postgres",
    PGPASSWORD: { secretKeyRef: { name: "orders-postgres", key: "password" } },
    DATABASE_URL: "postgresql://$(PGUSER):$(PGPASSWORD)@$(PGHOST):$(PGPORT)/$(PGDATABASE)",
    PAYMENT_KEY: { secretKeyRef: { name: "payment", key: "api-key" } },
  });
  const order = Object.keys(all);
  expect(order.indexOf("PGPASSWORD")).toBeLessThan(order.indexOf("DATABASE_URL"));
});
test("several databases are told apart", () => {
  const all = web({ uses: ["a", "b"] }, { backing: { a: { type: "postgres" }, b: { type: "postgres" } } });
  expect(Object.keys(env(all))).toEqual(
    expect.arrayContaining(["A_DATABASE_URL", "B_DATABASE_URL", "A_PGHOST", "B_PGHOST"]),
  );
  expect(env(all).A_DATABASE_URL).toBe(
    "postgresql://$(A_PGUSER):$(A_PGPASSWORD)@$(A_PGHOST):$(A_PGPORT)/$(A_PGDATABASE)",
  );
});

test("files are mounted, and a change of one rolls the pods", () => {
  const rules = (text: string) =>
    web(
      { files: { "/etc/rules.json": { text }, "/etc/key": { secret: "pay", key: "pin" } } },
      { secrets: { pay: { keys: ["pin"] } } },
    );
  const all = rules("{}");
  expect(one(all, "ConfigMap", "web-files").data).toEqual({ "etc.rules.json": "{}" });
  expect(container(all)?.volumeMounts).toEqual([
    { name: "files", mountPath: "/etc/rules.json", subPath: "etc.rules.json", readOnly: true },
    { name: "secret-pay", mountPath: "/etc/key", subPath: "pin", readOnly: true },
    { name: "tmp", mountPath: "/tmp" },
  ]);
  expect(pod(all).metadata).not.toEqual(pod(rules("[]")).metadata);
  expect(pod(all).metadata).toEqual(pod(rules("{}")).metadata);
});
test("a file that is not text is kept byte by byte", () => {
  const all = web({ files: { "/a": { file: "a" } } }, {}, { files: knownFiles({ a: Uint8Array.of(255, 0, 1) }) });
  expect(one(all, "ConfigMap", "web-files")).toMatchObject({ binaryData: { a: "/wAB" } });
});

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
