// The published client library, as an application would use it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Shop, sleep } from "./shop.ts";

let shop: Shop;
let config: KubeConfig;
let core: CoreV1Api;
const namespace = "shop";

beforeAll(async () => {
  shop = await Shop.copy();
  await shop.up();
  config = new KubeConfig();
  config.loadFromString(readFileSync(join(shop.dir, ".flotilla", "kubeconfig"), "utf8"));
  core = config.makeApiClient(CoreV1Api);
}, 180_000);
afterAll(() => shop?.close(), 60_000);

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !done(); i++) await sleep(50);
  expect(done()).toBe(true);
}

const configMap = (name: string): V1ConfigMap => ({ metadata: { name }, data: { key: "value" } });

test("lists and patches", async () => {
  const { items } = await core.listNamespacedPod({ namespace });
  expect(items.map((pod) => pod.status?.phase)).toContain("Running");
  const patched = await config
    .makeApiClient(AppsV1Api)
    .patchNamespacedDeployment(
      { namespace, name: "catalog", body: { metadata: { labels: { touched: "yes" } } } },
      setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
    );
  expect(patched.metadata?.labels?.touched).toBe("yes");
});

test("watches", async () => {
  const seen: string[] = [];
  const request = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { fieldSelector: "metadata.name=seen" },
    (type, object) => seen.push(`${type} ${object.metadata.name}`),
    () => {},
  );
  await core.createNamespacedConfigMap({ namespace, body: configMap("seen") });
  await core.deleteNamespacedConfigMap({ namespace, name: "seen" });
  await until(() => seen.length === 2);
  request.abort();
  expect(seen).toEqual(["ADDED seen", "DELETED seen"]);
});

test("runs an informer", async () => {
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  const seen: string[] = [];
  for (const event of ["add", "update", "delete"] as const)
    informer.on(event, (object) => object.metadata?.name === "informed" && seen.push(event));
  await informer.start();
  await core.createNamespacedConfigMap({ namespace, body: configMap("informed") });
  await until(() => seen.includes("add"));
  await core.replaceNamespacedConfigMap({
    namespace,
    name: "informed",
    body: { ...configMap("informed"), data: { key: "other" } },
  });
  await until(() => seen.includes("update"));
  await core.deleteNamespacedConfigMap({ namespace, name: "informed" });
  await until(() => seen.includes("delete"));
  await informer.stop();
});
