import { ConfigMaps, type Namespace, Namespaces, newObject, Pods, ServiceAccounts } from "@flotilla/objects";
import { expect, test } from "vitest";
import { namespaceController } from "./namespace.ts";
import { namespaceDefaultsController } from "./service-account.ts";
import { meta, ready } from "./testing/objects.ts";
import { World } from "./testing/world.ts";

const key = { name: "shop" };
const namespace = (more: Partial<Namespace["metadata"]> = {}): Namespace =>
  newObject(Namespaces, {
    metadata: { ...meta("shop"), namespace: undefined, ...more },
    spec: { finalizers: ["kubernetes"] },
  });
const deleted = () => namespace({ deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["test"] });
const config = (name: string, space: string, finalizers?: string[]) =>
  newObject(ConfigMaps, { metadata: meta(name, { namespace: space, ...(finalizers && { finalizers }) }) });
const conditions = (world: World) =>
  Object.fromEntries(world.get(Namespaces, key)?.status?.conditions?.map(({ type, status }) => [type, status]) ?? []);
const finalizers = (world: World) => world.get(Namespaces, key)?.spec?.finalizers;

test("leaves a namespace alone that is not being deleted", () =>
  expect(new World(namespace(), ready("a")).look(namespaceController, key)).toBe(0));
test("deletes all its content, and nothing else", () => {
  const world = new World(deleted(), ready("a"), config("b", "shop"), config("c", "other"));
  world.look(namespaceController, key);
  expect(world.all().map(({ object }) => object.metadata.name)).toEqual(["shop", "c"]);
});
test("is finalized when it is empty", () => {
  const world = new World(deleted());
  world.look(namespaceController, key);
  expect(finalizers(world)).toEqual([]);
  expect(world.look(namespaceController, key)).toBe(0);
});
test("waits for what has finalizers, and says so", () => {
  const world = new World(deleted(), config("b", "shop", ["x/y"]));
  world.look(namespaceController, key);
  world.look(namespaceController, key);
  expect(finalizers(world)).toEqual(["kubernetes"]);
  expect(conditions(world)).toEqual({ NamespaceContentRemaining: "True", NamespaceFinalizersRemaining: "True" });
});
test("waits for pods that end gracefully", () => {
  const world = new World(deleted(), ready("a"));
  world.graceful = true;
  world.look(namespaceController, key);
  expect(world.list(Pods)).toHaveLength(1);
  expect(finalizers(world)).toEqual(["kubernetes"]);
  world.endPods();
  world.look(namespaceController, key);
  expect(finalizers(world)).toEqual([]);
});

const defaults = namespaceDefaultsController("CA");
test("gives a namespace its account and its certificate", () => {
  const world = new World(namespace());
  world.look(defaults, key);
  expect(world.get(ServiceAccounts, { namespace: "shop", name: "default" })).toBeDefined();
  expect(world.get(ConfigMaps, { namespace: "shop", name: "kube-root-ca.crt" })?.data).toEqual({ "ca.crt": "CA" });
  expect(world.look(defaults, key)).toBe(0);
});
test("puts back a certificate that was changed", () => {
  const world = new World(namespace());
  world.look(defaults, key);
  world.edit(ConfigMaps, { namespace: "shop", name: "kube-root-ca.crt" }, (each) => {
    each.data = {};
  });
  world.look(defaults, key);
  expect(world.get(ConfigMaps, { namespace: "shop", name: "kube-root-ca.crt" })?.data).toEqual({ "ca.crt": "CA" });
});
test("gives nothing to a namespace that is being deleted", () =>
  expect(new World(deleted()).look(defaults, key)).toBe(0));
