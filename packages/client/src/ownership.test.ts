import { ConfigMaps, newObject, ownerReference, Pods, type ReplicaSet, ReplicaSets, Services } from "@flotilla/objects";
import { expect, test } from "vitest";
import type { Cache } from "./controller.ts";
import { ObjectStore } from "./object-store.ts";
import { byOwner, ownedOrMatchedBy, selects } from "./ownership.ts";
import { watchMatching, watchOwned, watchSelected } from "./watches.ts";
import { remove } from "./writes.ts";

const namespace = "default";
const set = (name: string, app = name): ReplicaSet =>
  newObject(ReplicaSets, {
    metadata: { name, namespace, uid: `uid-${name}` },
    spec: { selector: { matchLabels: { app } }, template: {} },
  });
const pod = (name: string, app: string, owner?: ReplicaSet) =>
  newObject(Pods, {
    metadata: {
      name,
      namespace,
      labels: { app },
      ...(owner && { ownerReferences: [ownerReference(owner, ReplicaSets)] }),
    },
    spec: { containers: [] },
  });
const service = newObject(Services, { metadata: { name: "web", namespace }, spec: { selector: { app: "one" } } });
const headless = newObject(Services, { metadata: { name: "none", namespace }, spec: { selector: {} } });

const cache = { list: () => [set("one"), set("two", "two"), service, headless] } as unknown as Cache;
const keys = (watch: ReturnType<typeof watchOwned>, before?: object, after?: object) =>
  watch.keys(before as never, after as never, cache, Pods).map(({ name }) => name);

test("owned: the parent before and after", () =>
  expect(keys(watchOwned(Pods, ReplicaSets), pod("a", "x", set("one")), pod("a", "x", set("two")))).toEqual([
    "one",
    "two",
  ]));
test("owned: parents of another kind are not meant", () =>
  expect(keys(watchOwned(Pods, ConfigMaps), undefined, pod("a", "x", set("one")))).toEqual([]));
test("matching: an orphan wakes whoever selects it", () =>
  expect(keys(watchMatching(Pods, ReplicaSets), undefined, pod("a", "two"))).toEqual(["two"]));
test("matching: what has a controller wakes only that", () =>
  expect(keys(watchMatching(Pods, ReplicaSets), undefined, pod("a", "two", set("one")))).toEqual(["one"]));
test("matching: a relabelled orphan wakes both", () =>
  expect(keys(watchMatching(Pods, ReplicaSets), pod("a", "two"), pod("a", "one"))).toEqual(["two", "one", "web"]));
test("selected: whoever controls it", () =>
  expect(keys(watchSelected(Pods, Services), undefined, pod("a", "one", set("two")))).toEqual(["one", "web"]));
test("a Service without selector selects nothing", () => expect(selects(headless, pod("a", "one"))).toBe(false));
test("another namespace is never selected", () =>
  expect(
    selects(set("one"), { ...pod("a", "one"), metadata: { name: "a", namespace: "b", labels: { app: "one" } } }),
  ).toBe(false));

test("owned or matched: children, released or not, and matching orphans; nobody else's", () => {
  const store = new ObjectStore([byOwner]);
  const one = set("one");
  const two = set("two");
  for (const each of [
    pod("child", "one", one),
    pod("relabelled", "other", one),
    pod("orphan", "one"),
    pod("stranger", "two"),
    pod("others", "one", two),
  ])
    store.set(each);
  expect(store.list(ownedOrMatchedBy(one)).map(({ metadata }) => metadata.name)).toEqual([
    "child",
    "orphan",
    "relabelled",
  ]);
});

test("remove may be handed to map", () => {
  const [write] = [pod("a", "one")].map(remove);
  expect(write).toMatchObject({ verb: "delete", name: "a", namespace });
});
