import type { Source } from "@flotilla/client";
import { ConfigMaps, type KubeObject, newObject, type OwnerReference, Pods, ReplicaSets } from "@flotilla/objects";
import { expect, test } from "vitest";
import { garbageController } from "./garbage.ts";
import { ownerReads } from "./owner-reads.ts";
import { referenceKey } from "./reference-key.ts";
import { meta, pod, wants } from "./testing/objects.ts";
import { World } from "./testing/world.ts";

const owner = (name: string, more: Partial<KubeObject["metadata"]> = {}) =>
  newObject(ConfigMaps, { metadata: meta(name, more) });
const refersTo = (name: string, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  name,
  uid: `uid-${name}`,
  ...more,
});
const child = (...ownerReferences: OwnerReference[]) => pod("child", { metadata: { ownerReferences } });
const key = (object: KubeObject) =>
  referenceKey(object.kind === "Pod" ? Pods : object.kind === "ReplicaSet" ? ReplicaSets : ConfigMaps, object);

/** Collects until nothing changes; the names of what is left. */
const collect = (world: World): string[] => {
  for (let changed = 1; changed > 0; ) {
    changed = 0;
    for (const { object } of [...world.all()]) changed += world.look(garbageController(), key(object));
  }
  return world.all().map(({ object }) => object.metadata.name);
};
const deletes = (world: World, name: string, policy: "Background" | "Foreground" | "Orphan") =>
  world.delete(ConfigMaps, { namespace: "shop", name }, policy);

test("keeps what nobody owns", () =>
  expect(collect(new World(pod("child", { metadata: { ownerReferences: [] } })))).toEqual(["child"]));
test("keeps what has its owner", () =>
  expect(collect(new World(owner("a"), child(refersTo("a"))))).toEqual(["a", "child"]));
test("collects what has lost its owner", () => expect(collect(new World(child(refersTo("a"))))).toEqual([]));
test("another object of the owner's name is not the owner", () =>
  expect(collect(new World(owner("a", { uid: "new" }), child(refersTo("a"))))).toEqual(["a"]));
test("keeps what has one owner left, and forgets the other", () => {
  const world = new World(owner("a"), child(refersTo("a"), refersTo("b")));
  expect(collect(world)).toEqual(["a", "child"]);
  expect(world.list(Pods)[0]?.metadata.ownerReferences).toEqual([refersTo("a")]);
});
test("collects through generations", () => {
  const set = wants(0);
  set.metadata.ownerReferences = [refersTo("a")];
  const grandchild = pod("grandchild", {
    metadata: { ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "uid-web" }] },
  });
  expect(collect(new World(set, grandchild))).toEqual([]);
});
test("background: the owner goes at once, then its dependents", () => {
  const world = new World(owner("a"), child(refersTo("a")));
  deletes(world, "a", "Background");
  expect(world.all()).toHaveLength(1);
  expect(collect(world)).toEqual([]);
});
test("foreground: the owner waits for those that block it", () => {
  const world = new World(owner("a"), child(refersTo("a", { blockOwnerDeletion: true })));
  world.graceful = true;
  deletes(world, "a", "Foreground");
  expect(collect(world)).toEqual(["a", "child"]);
  expect(world.list(Pods)[0]?.metadata.deletionTimestamp).toBeDefined();
  world.endPods();
  expect(collect(world)).toEqual([]);
});
test("foreground: the owner does not wait for those that do not block it", () => {
  const world = new World(owner("a"), child(refersTo("a")));
  deletes(world, "a", "Foreground");
  world.look(garbageController(), key(owner("a")));
  expect(world.list(ConfigMaps)).toEqual([]);
});
test("orphan: dependents are let go of, then the owner goes", () => {
  const world = new World(owner("a"), child(refersTo("a")));
  deletes(world, "a", "Orphan");
  expect(collect(world)).toEqual(["child"]);
  expect(world.list(Pods)[0]?.metadata.ownerReferences).toEqual([]);
});
test("an owner in another namespace is no owner to go by, and is said", () => {
  const world = new World(owner("a", { namespace: "other" }), child(refersTo("a")));
  expect(collect(world)).toEqual(["a", "child"]);
  expect(world.events[0]).toContain("OwnerRefInvalidNamespace");
});
test("an owner of a kind that is not served keeps its dependents", () =>
  expect(collect(new World(child(refersTo("a", { kind: "Thing", apiVersion: "x/v1" }))))).toEqual(["child"]));

/** A controller with an API that answers `uid`; what it asks for before it decides. */
function asking(world: World, uid: string | undefined) {
  const answers = new Map<string, string>();
  const reads = ownerReads({
    get: async (resource, { name }) => {
      if (uid === undefined) throw (await import("@flotilla/objects")).notFound(resource, name);
      return owner("a", { uid }) as never;
    },
  });
  const woken: unknown[] = [];
  void reads.source.start((id, value) => {
    woken.push(...reads.source.keys(id));
    if (value === undefined) answers.delete(id);
    else answers.set(id, value);
  }, AbortSignal.timeout(60_000));
  const cache = Object.assign(Object.create(world) as World, {
    source: <V>(_: Source<V>, id: string) => (answers.has(id) ? { value: answers.get(id) as V, age: 0 } : undefined),
    get: world.get.bind(world),
    list: world.list.bind(world),
    resources: () => [ConfigMaps, Pods],
  });
  const controller = garbageController(reads.source);
  const look = () => {
    const observed = controller.observe(key(child()), cache);
    return observed ? controller.decide(observed, { now: world.now, failures: [] }) : {};
  };
  return { reads, look, woken };
}
test("asks the API before it deletes, and believes it", async () => {
  const { reads, look, woken } = asking(new World(child(refersTo("a"))), undefined);
  const first = look();
  expect(first.writes).toEqual([]);
  for (const effect of first.effects ?? []) await reads.read(effect.do);
  expect(woken).toEqual([key(child())]);
  expect(look().writes).toMatchObject([{ verb: "delete", name: "child", preconditions: { uid: "uid-child" } }]);
});
test("keeps what the API says has an owner, though the cache does not know it", async () => {
  const { reads, look } = asking(new World(child(refersTo("a"))), "uid-a");
  for (const effect of look().effects ?? []) await reads.read(effect.do);
  expect(look()).toMatchObject({ writes: [], effects: [] });
});

const woken = (before: KubeObject | undefined, after: KubeObject | undefined) =>
  garbageController()
    .watches.flatMap((watch) => watch.keys(before, after, new World(owner("a"), child(refersTo("a"))), ConfigMaps))
    .map(({ name }) => name);
test("an owner that goes wakes its dependents", () =>
  expect(woken(owner("a"), undefined)).toEqual(["configmaps/a", "pods/child"]));
test("an owner that begins to wait for its dependents wakes them", () =>
  expect(woken(owner("a"), owner("a", { finalizers: ["foregroundDeletion"] }))).toContain("pods/child"));
test("what neither owners nor dependents are told of wakes nobody", () =>
  expect(woken(owner("a"), owner("a", { resourceVersion: "2", labels: { x: "y" } }))).toEqual([]));
