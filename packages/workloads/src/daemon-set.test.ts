import { type DaemonSet, DaemonSets, type Node, Nodes, newObject, type Pod, Pods } from "@flotilla/objects";
import { expect, test } from "vitest";
import { daemonSetController } from "./daemon-set.ts";
import { later, makeReady, meta, template } from "./testing/objects.ts";
import { World } from "./testing/world.ts";

const key = { namespace: "shop", name: "logs" };
const set = (more: Partial<DaemonSet["spec"]> = {}): DaemonSet =>
  newObject(DaemonSets, {
    metadata: meta("logs"),
    spec: { selector: { matchLabels: { app: "web" } }, template: template(), ...more },
  });
const node = (name: string, more: Partial<Node["spec"]> = {}, labels: Record<string, string> = {}): Node =>
  newObject(Nodes, { metadata: { ...meta(name, { labels }), namespace: undefined }, spec: more });

const pinnedTo = (pod: Pod) =>
  pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.[0]
    ?.matchFields?.[0]?.values?.[0];

const settle = (world: World, watchOver: () => void = () => undefined): World => {
  world.now = later;
  for (let i = 0; i < 30; i++) {
    const changed = world.look(daemonSetController, key);
    watchOver();
    for (const pod of world.list(Pods))
      world.edit(Pods, pod.metadata as { name: string }, (each: Pod) => {
        each.spec.nodeName = pinnedTo(each);
        makeReady(each, later);
      });
    if (changed === 0) return world;
  }
  throw new Error("it does not settle");
};
const nodesOf = (world: World) => world.list(Pods).map(pinnedTo).sort();
const template2 = (each: DaemonSet) => {
  each.spec.template = template("2");
};

test("one pod on each node", () => expect(nodesOf(settle(new World(set(), node("a"), node("b"))))).toEqual(["a", "b"]));
test("not on nodes that it does not select", () =>
  expect(
    nodesOf(
      settle(
        new World(
          set({ template: template("1", { nodeSelector: { disk: "ssd" } }) }),
          node("a"),
          node("b", {}, { disk: "ssd" }),
        ),
      ),
    ),
  ).toEqual(["b"]));
test("not on tainted nodes", () =>
  expect(
    nodesOf(settle(new World(set(), node("a", { taints: [{ key: "x", effect: "NoSchedule" }] }), node("b")))),
  ).toEqual(["b"]));
test("also on cordoned nodes", () =>
  expect(
    nodesOf(
      settle(
        new World(
          set(),
          node("a", {
            unschedulable: true,
            taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }],
          }),
        ),
      ),
    ),
  ).toEqual(["a"]));
test("a new node gets its pod", () => {
  const world = settle(new World(set(), node("a")));
  world.add(node("b"));
  expect(nodesOf(settle(world))).toEqual(["a", "b"]);
});
test("a node that is no longer meant loses its pod", () => {
  const world = settle(
    new World(set({ template: template("1", { nodeSelector: { disk: "ssd" } }) }), node("a", {}, { disk: "ssd" })),
  );
  world.edit(Nodes, { name: "a" }, (each) => {
    each.metadata.labels = {};
  });
  expect(nodesOf(settle(world))).toEqual([]);
});
test("a failed pod is replaced", () => {
  const world = settle(new World(set(), node("a")));
  const [first] = world.list(Pods);
  world.edit(Pods, { namespace: "shop", name: first?.metadata.name ?? "" }, (each) => {
    each.status = { phase: "Failed" };
  });
  world.look(daemonSetController, key);
  expect(nodesOf(settle(world))).toEqual(["a"]);
  expect(world.list(Pods)[0]?.metadata.uid).not.toBe(first?.metadata.uid);
});
test("updates one node at a time", () => {
  const world = settle(new World(set(), node("a"), node("b"), node("c")));
  world.edit(DaemonSets, key, template2);
  settle(world, () => expect(world.list(Pods).length).toBeGreaterThanOrEqual(2));
  expect(new Set(world.list(Pods).map((pod) => pod.spec.containers[0]?.image))).toEqual(new Set(["web:2"]));
});
test("OnDelete: an update waits for somebody to delete", () => {
  const world = settle(new World(set({ updateStrategy: { type: "OnDelete" } }), node("a")));
  world.edit(DaemonSets, key, template2);
  expect(settle(world).list(Pods)[0]?.spec.containers[0]?.image).toBe("web:1");
});
test("counts nodes", () =>
  expect(settle(new World(set(), node("a"), node("b"))).get(DaemonSets, key)?.status).toMatchObject({
    desiredNumberScheduled: 2,
    currentNumberScheduled: 2,
    numberReady: 2,
    numberAvailable: 2,
    updatedNumberScheduled: 2,
    numberMisscheduled: 0,
  }));
