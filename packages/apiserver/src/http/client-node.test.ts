/** The JavaScript client of Kubernetes, as published, against the served control plane. */
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubeconfig } from "../tls.ts";
import { type TestServer, testServer } from "./test-server.ts";

const namespace = "default";
let server: TestServer;
let config: KubeConfig;
let core: CoreV1Api;

beforeAll(async () => {
  server = await testServer({ secure: true });
  config = new KubeConfig();
  config.loadFromString(kubeconfig({ server: server.url, ca: server.ca, token: "admin", name: "test" }));
  core = config.makeApiClient(CoreV1Api);
});
afterAll(() => server.close());

const create = (name: string, data = {}) =>
  core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { made: "here" } }, data } });

test("creates, reads, lists, replaces, deletes", async () => {
  const created = await create("one", { a: "1" });
  expect((await core.readNamespacedConfigMap({ namespace, name: "one" })).data).toEqual({ a: "1" });
  const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: "made=here" });
  expect(items.map(({ metadata }) => metadata?.name)).toEqual(["one"]);
  const replaced = await core.replaceNamespacedConfigMap({
    namespace,
    name: "one",
    body: { ...created, data: { a: "2" } },
  });
  expect(replaced.data).toEqual({ a: "2" });
  expect((await core.deleteNamespacedConfigMap({ namespace, name: "one" })).status).toBe("Success");
});

test("patches", async () => {
  await create("patched", { a: "1" });
  const options = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
  const body = { data: { b: "2" } };
  const patched = await core.patchNamespacedConfigMap({ namespace, name: "patched", body }, options);
  expect(patched.data).toEqual({ a: "1", b: "2" });
});

test("reports errors as the API tells them", async () => {
  const error = await core.readNamespacedConfigMap({ namespace, name: "nobody" }).then(
    () => undefined,
    (reason: { code: number; body: string }) => reason,
  );
  expect([error?.code, JSON.parse(error?.body ?? "{}").message]).toEqual([404, 'configmaps "nobody" not found']);
});

test("watches", async () => {
  const seen: string[] = [];
  const watch = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { fieldSelector: "metadata.name=watched" },
    (type, object: V1ConfigMap) => void seen.push(`${type} ${object.metadata?.name}`),
    () => undefined,
  );
  await create("watched");
  await core.deleteNamespacedConfigMap({ namespace, name: "watched" });
  await expect.poll(() => seen).toEqual(["ADDED watched", "DELETED watched"]);
  watch.abort();
});

test("runs an informer", async () => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace }));
  const seen: string[] = [];
  informer.on("add", ({ metadata }) => void seen.push(`add ${metadata?.name}`));
  informer.on("update", ({ data }) => void seen.push(`update ${data?.x}`));
  informer.on("delete", ({ metadata }) => void seen.push(`delete ${metadata?.name}`));
  await create("before");
  await informer.start();
  await expect.poll(() => seen).toContain("add before");
  const options = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
  await core.patchNamespacedConfigMap({ namespace, name: "before", body: { data: { x: "1" } } }, options);
  await expect.poll(() => seen).toContain("update 1");
  await core.deleteNamespacedConfigMap({ namespace, name: "before" });
  await expect.poll(() => seen).toContain("delete before");
  await informer.stop();
});
