import type { Behaviour, ContainerSpec } from "@flotilla/node";
import {
  type App,
  Apps,
  type Deployment,
  Deployments,
  HTTPRoutes,
  isTrue,
  Jobs,
  type KubeObject,
  Namespaces,
  newObject,
  PersistentVolumeClaims,
  Secrets,
  StatefulSets,
} from "@flotilla/objects";
import { badWeather, type SimulatedCluster, type SimulatedClusterOptions, simulatedCluster } from "@flotilla/testkit";
import { expect, test } from "vitest";
import { toAppObject } from "../app-object.ts";
import { files, shop } from "../example.fixture.ts";
import type { App as Model } from "../model/model.ts";
import { appController } from "./app-controller.ts";
import { generateSecret } from "./generate-secret.ts";
import type { PartStatus } from "./part-status.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const version = (name: string, digit = "1") => ({ image: `localhost/shop-${name}@${digest(digit)}` });
const versions = {
  storefront: version("storefront"),
  orders: version("orders"),
  payments: version("payments"),
  "nightly-report": version("report"),
};
const { jobs: _, ...withoutJobs } = shop;
/** Without the service whose image nothing here builds. */
const model: Model = { ...withoutJobs, environments: { local: { services: { catalog: { enabled: false } } } } };

/** The name of a pod is the host name of its containers. */
const isMigration = (hostname: string) => hostname.startsWith("orders-migrate");
const done: Behaviour = { exits: { after: 300, code: 0 } };

const start = async (options: Partial<SimulatedClusterOptions> = {}) => {
  const cluster = await simulatedCluster({
    seed: 1,
    controllers: [appController],
    effects: (api, world) => ({ "generate-secret": generateSecret(api, world.random) }),
    behaviours: ({ hostname }) => (isMigration(hostname) ? done : { readyAfter: 500 }),
    ...options,
  });
  await cluster.apply(newObject(Namespaces, { metadata: { name: "shop" }, spec: {} }));
  return cluster;
};
const apply = (
  cluster: SimulatedCluster,
  app: Model,
  built: Parameters<typeof toAppObject>[1]["versions"] = versions,
) => cluster.apply(toAppObject(app, { files, versions: built }));
const app = (cluster: SimulatedCluster) => cluster.get(Apps, "shop", "shop") as App;
const parts = (cluster: SimulatedCluster) => (app(cluster)?.status?.services ?? {}) as Record<string, PartStatus>;
const states = (cluster: SimulatedCluster) =>
  Object.fromEntries(Object.entries(parts(cluster)).map(([name, part]) => [name, part.state]));
const current = (cluster: SimulatedCluster) =>
  app(cluster)?.status?.observedGeneration === app(cluster)?.metadata.generation;
const isReady = (cluster: SimulatedCluster) => current(cluster) && isTrue(app(cluster).status?.conditions, "Ready");
const ready = (cluster: SimulatedCluster) => cluster.until("the app is ready", () => isReady(cluster), 300_000);
const deployment = (cluster: SimulatedCluster, name: string) => cluster.get(Deployments, name, "shop") as Deployment;

test("an app becomes ready, its database and migrations before what uses them", async () => {
  const cluster = await start();
  cluster.invariant((at) => {
    const orders = at.list(Deployments).some(({ metadata }) => metadata.name === "orders");
    const migrated = at.list(Jobs).some(({ status }) => isTrue(status?.conditions, "Complete"));
    return orders && !migrated ? "orders is there before its migrations are complete" : undefined;
  });
  await apply(cluster, model);
  await ready(cluster);
  expect(states(cluster)).toEqual({
    "orders-postgres": "ready",
    "orders-migrate": "done",
    storefront: "ready",
    orders: "ready",
    payments: "ready",
  });
  expect(parts(cluster).storefront).toMatchObject({ ready: 1, desired: 1, updated: 1, version: "111111111111" });
});

test("generated secrets are made once", async () => {
  const cluster = await start();
  await apply(cluster, model);
  await ready(cluster);
  const values = () => cluster.list(Secrets, { namespace: "shop" }).map(({ data }) => data);
  const before = values();
  expect(Buffer.from(before.find((data) => data?.["api-key"])?.["api-key"] ?? "", "base64").toString()).toMatch(
    /^[a-z0-9]{32}$/,
  );
  await apply(cluster, { ...model, labels: { a: "b" } });
  await ready(cluster);
  expect(values()).toEqual(before);
});

test("once ready, nothing is written any more", async () => {
  const cluster = await start();
  await apply(cluster, model);
  await ready(cluster);
  const mine = () =>
    [Deployments, StatefulSets, Jobs, HTTPRoutes, Apps]
      .flatMap((resource) => cluster.list(resource as typeof Apps))
      .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
  await cluster.advance(5_000);
  const before = mine();
  await cluster.advance(60_000);
  expect(mine()).toEqual(before);
});

test("a new version is never said to be ready before it is", async () => {
  const cluster = await start();
  await apply(cluster, model);
  await ready(cluster);
  cluster.invariant((at) => {
    const { status, metadata, spec } = at.get(Apps, "shop", "shop") as App;
    if (spec.versions?.storefront?.image !== version("storefront", "2").image) return undefined;
    if (status?.observedGeneration !== metadata.generation || !isTrue(status?.conditions, "Ready")) return undefined;
    const { spec: asked, status: is } = at.get(Deployments, "storefront", "shop") as Deployment;
    const [container] = asked.template.spec?.containers ?? [];
    return container?.image === version("storefront", "2").image &&
      is?.updatedReplicas === 1 &&
      is.readyReplicas === 1 &&
      is.replicas === 1
      ? undefined
      : "ready too early";
  });
  await apply(cluster, model, { ...versions, storefront: version("storefront", "2") });
  await ready(cluster);
  expect(parts(cluster).storefront?.version).toBe("222222222222");
});

test("what has no image yet is being built, and the rest goes on", async () => {
  const cluster = await start();
  const { payments: __, ...some } = versions;
  await apply(cluster, model, some);
  await cluster.until("the others are ready", () => states(cluster).orders === "ready", 300_000);
  expect(states(cluster).payments).toBe("building");
  expect(deployment(cluster, "payments")).toBeUndefined();
  await apply(cluster, model);
  await ready(cluster);
});

test("what this machine can not run is left out, and the app is ready without it", async () => {
  const cluster = await start();
  const { payments: __, ...some } = versions;
  await apply(cluster, model, some);
  const status = { builds: { payments: { state: "left out", message: "needs python3" } } };
  await cluster.run(
    cluster.api.write({
      resource: Apps,
      verb: "patch",
      type: "merge",
      namespace: "shop",
      name: "shop",
      subresource: "status",
      patch: { status },
    }),
  );
  await ready(cluster);
  expect(states(cluster).payments).toBe("left out");
});

test("a service that crashes is named with the reason, and the rest goes on", async () => {
  const crashes: Behaviour = { exits: { after: 100, code: 3 } };
  const behaviours = ({ hostname }: ContainerSpec) =>
    hostname.startsWith("payments") ? crashes : isMigration(hostname) ? done : {};
  const cluster = await start({ behaviours });
  await apply(cluster, model);
  await cluster.until("payments fails", () => states(cluster).payments === "failing", 300_000);
  await cluster.until("orders is ready", () => states(cluster).orders === "ready", 300_000);
  await cluster.until(
    "it says why",
    () => parts(cluster).payments?.message?.includes("exited with code 3") ?? false,
    300_000,
  );
  expect(isReady(cluster)).toBe(false);
  const degraded = app(cluster).status?.conditions?.find(({ type }) => type === "Degraded");
  expect(degraded).toMatchObject({ status: "True", reason: "Failing", message: expect.stringContaining("payments: ") });
});

test("what the model no longer says is removed, data is not", async () => {
  const cluster = await start();
  await apply(cluster, model);
  await ready(cluster);
  const { orders, storefront, ...services } = model.services;
  await apply(cluster, {
    ...model,
    backing: {},
    services: { ...services, storefront: { ...storefront, calls: [] } as never },
  });
  await cluster.until(
    "orders is gone",
    () => !deployment(cluster, "orders") && cluster.list(StatefulSets).length === 0,
    300_000,
  );
  await ready(cluster);
  expect(Object.keys(parts(cluster)).sort()).toEqual(["payments", "storefront"]);
  expect(cluster.list(PersistentVolumeClaims).map(({ metadata }) => metadata.name)).toEqual(["data-orders-postgres-0"]);
  expect(cluster.list(Secrets).map(({ metadata }) => metadata.name)).toContain("orders-postgres");
});

test("on a laptop, what kubectl changed stays until the app changes that field", async () => {
  const cluster = await start();
  await apply(cluster, model);
  await ready(cluster);
  const scale = {
    resource: Deployments,
    verb: "patch",
    type: "merge",
    namespace: "shop",
    name: "payments",
    patch: { spec: { replicas: 3 } },
    fieldManager: "kubectl",
  } as const;
  await cluster.run(cluster.api.write(scale as never));
  await cluster.advance(10_000);
  expect(deployment(cluster, "payments").spec.replicas).toBe(3);
  // Another field of the same object changes: the user's stays.
  await apply(cluster, model, { ...versions, payments: version("payments", "2") });
  await ready(cluster);
  expect(deployment(cluster, "payments").spec.replicas).toBe(3);
  expect(deployment(cluster, "payments").spec.template.spec?.containers[0]?.image).toBe(version("payments", "2").image);
  // Now that very field.
  await apply(
    cluster,
    { ...model, environments: { local: { services: { catalog: { enabled: false }, payments: { replicas: 2 } } } } },
    { ...versions, payments: version("payments", "2") },
  );
  await ready(cluster);
  expect(deployment(cluster, "payments").spec.replicas).toBe(2);
  expect(deployment(cluster, "payments").metadata.annotations ?? {}).not.toHaveProperty("flotilla.dev/yielded");
});

test("mistakes in an App stop nothing that runs", async () => {
  const cluster = await start();
  await apply(cluster, model);
  await ready(cluster);
  await cluster.apply({
    ...toAppObject(model, { files, versions }),
    spec: { ...toAppObject(model, { files, versions }).spec, services: { web: { sorce: "." } } },
  } as KubeObject);
  await cluster.until("it says so", () => current(cluster) && !isReady(cluster), 60_000);
  const condition = app(cluster).status?.conditions?.find(({ type }) => type === "Ready");
  expect(condition).toMatchObject({
    reason: "Invalid",
    message: expect.stringContaining('services.web.sorce: no such field; did you mean "source"?'),
  });
  expect(deployment(cluster, "orders")).toBeDefined();
});

test.each([11, 12])("whatever goes wrong on the way, it gets ready: seed %i", async (seed) => {
  const cluster = await start({ seed, faults: badWeather });
  await apply(cluster, model);
  await cluster.advance(30_000);
  cluster.setFaults({});
  cluster.crash();
  await ready(cluster);
});
