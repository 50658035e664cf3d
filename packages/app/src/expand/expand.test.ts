import { kindOf, validateShape } from "@flotilla/objects";
import { expect, test } from "vitest";
import { shop } from "../example.fixture.ts";
import { knownFiles } from "../files.ts";
import type { App } from "../model/model.ts";
import type { Service } from "../model/service.ts";
import type { ExpandOptions } from "./context.ts";
import { container, env, names, objects, one, pod, web } from "./expand.fixture.ts";

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
