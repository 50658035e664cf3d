import {
  alreadyExists,
  forbidden,
  isActive,
  type Pod,
  Pods,
  type ReplicaSet,
  type ReplicaSetStatus,
  ReplicaSets,
} from "@flotilla/objects";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { replicaSetController } from "./replica-set.ts";
import { calm, ended, later, makeReady, pending, pod, ready, terminating, unready, wants } from "./testing/objects.ts";
import { createdBy, eventsOf, statusOf, summary } from "./testing/summary.ts";
import { World } from "./testing/world.ts";

const decision = (set: ReplicaSet, ...pods: Pod[]) => replicaSetController.decide({ set, pods }, calm);
const decide = (set: ReplicaSet, ...pods: Pod[]) => summary(decision(set, ...pods));
const status = (set: ReplicaSet, ...pods: Pod[]) => statusOf<ReplicaSetStatus>(decision(set, ...pods));
const orphan = { metadata: { ownerReferences: [] } };
const deleted = (set: ReplicaSet): ReplicaSet => ({
  ...set,
  metadata: { ...set.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
});
const named = (reason: string) => [
  { type: "ReplicaFailure", status: "True", reason, message: "no room", lastTransitionTime: "2026-01-01T00:00:00Z" },
];
const refused = (verb: "create" | "delete") => ({
  now: later,
  failures: [
    {
      write:
        verb === "create"
          ? ({ verb, resource: Pods, object: pod("x") } as const)
          : ({ verb, resource: Pods, name: "x", namespace: "shop" } as const),
      error: forbidden(Pods, "x", "no room"),
      count: 1,
    },
  ],
});

test("creates what is missing", () => expect(decide(wants(3), ready("a"))).toEqual({ creates: 2 }));
test("one replica is meant where none is said", () =>
  expect(decide(wants(1, { replicas: undefined }))).toEqual({ creates: 1 }));
test("does nothing when all are there", () => expect(decide(wants(2), ready("a"), pending("b"))).toEqual({}));
test("deletes the unready first", () => expect(decide(wants(1), ready("a"), pending("b"))).toEqual({ deletes: ["b"] }));
test("deletes the unassigned before the unready", () =>
  expect(decide(wants(1), unready("a"), pending("b"))).toEqual({ deletes: ["b"] }));
test("deletes by cost before age", () => {
  const cheap = ready("a", { metadata: { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-5" } } });
  expect(decide(wants(1), cheap, ready("b"))).toEqual({ deletes: ["a"] });
});
test("deletes from the crowded node first", () => {
  const alone = ready("a", { spec: { nodeName: "node-2" } });
  expect(decide(wants(2), alone, ready("b"), ready("c")).deletes).not.toContain("a");
});
test("deletes the one with more restarts first", () => {
  const shaky = ready("a");
  shaky.status = {
    ...shaky.status,
    containerStatuses: [{ name: "main", restartCount: 3, ready: true, image: "", imageID: "" }],
  };
  expect(decide(wants(1), shaky, ready("b"))).toEqual({ deletes: ["a"] });
});
test("replaces what ended", () => expect(decide(wants(1), ended("a"))).toEqual({ creates: 1 }));
test("replaces what is being deleted, without waiting", () =>
  expect(decide(wants(1), terminating("a"))).toEqual({ creates: 1 }));
test("deletes all for zero replicas", () => expect(decide(wants(0), ready("a"), ready("b")).deletes).toHaveLength(2));
test("adopts an orphan that matches, and counts it", () =>
  expect(decide(wants(1), ready("a", orphan))).toEqual({ patches: ["a"] }));
test("releases what no longer matches, and replaces it", () =>
  expect(decide(wants(1), ready("a", { metadata: { labels: { app: "other" } } }))).toEqual({
    patches: ["a"],
    creates: 1,
  }));
test("leaves pods of others alone", () => {
  const foreign = ready("a", {
    metadata: { ownerReferences: [{ apiVersion: "v1", kind: "X", name: "x", uid: "x", controller: true }] },
  });
  expect(decide(wants(1), foreign)).toEqual({ creates: 1 });
});
test("creates nothing while being deleted", () => expect(decide(deleted(wants(3)))).toEqual({}));
test("adopts nothing while being deleted", () => expect(decide(deleted(wants(1)), ready("a", orphan))).toEqual({}));
test("names are pure", () => {
  const names = () => createdBy(decision(wants(3))).map(({ metadata }) => metadata.name);
  expect(names()).toEqual(names());
  expect(new Set(names()).size).toBe(3);
  for (const name of names()) expect(name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});
test("a new pod has the template's labels and its owner", () =>
  expect(createdBy(decision(wants(1)))[0]?.metadata).toMatchObject({
    labels: { app: "web" },
    ownerReferences: [{ kind: "ReplicaSet", name: "web", controller: true, blockOwnerDeletion: true }],
  }));
test("counts replicas that are ready and available", () =>
  expect(status(wants(3), ready("a"), unready("b"), pending("c"))).toEqual({
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 1,
    availableReplicas: 1,
    observedGeneration: 1,
  }));
test("zero replicas are said", () => expect(status(wants(0))).toEqual({ replicas: 0, observedGeneration: 1 }));
test("ready is available only after minReadySeconds, and it looks again then", () => {
  const fresh = ready("a", {
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:59:55Z" }],
    },
  });
  const { lookAgainIn } = decision(wants(1, { minReadySeconds: 10 }), fresh);
  expect(status(wants(1, { minReadySeconds: 10 }), fresh)).not.toHaveProperty("availableReplicas");
  expect(lookAgainIn).toBe(5000);
});
test("says why a pod was refused", () => {
  const refusal = replicaSetController.decide({ set: wants(1), pods: [] }, refused("create"));
  expect(statusOf<ReplicaSetStatus>(refusal).conditions).toMatchObject([
    { type: "ReplicaFailure", reason: "FailedCreate" },
  ]);
  expect(eventsOf(refusal)).toContain("FailedCreate");
});
test("takes the failure back when it is over", () =>
  expect(
    status({ ...wants(0), status: { replicas: 0, conditions: named("FailedCreate") } }).conditions,
  ).toBeUndefined());
test("a lost answer makes no second pod", () => {
  const world = new World(wants(2));
  const set = world.get(ReplicaSets, { namespace: "shop", name: "web" }) as ReplicaSet;
  const once = replicaSetController.decide({ set, pods: [] }, calm);
  world.apply(once);
  world.apply(once);
  expect(world.list(Pods)).toHaveLength(2);
});
test("a name that somebody else has is not used", () => {
  const [first] = createdBy<Pod>(decision(wants(1)));
  const world = new World(wants(1), {
    ...(first as Pod),
    metadata: { name: first?.metadata.name ?? "", namespace: "shop" },
  });
  world.look(replicaSetController, { namespace: "shop", name: "web" });
  expect(world.failures[0]?.error).toEqual(alreadyExists(Pods, first?.metadata.name ?? ""));
});
test("a decision that was applied leads to no further one", () =>
  fc.assert(
    fc.property(
      fc.nat(8),
      fc.array(fc.constantFrom("ready", "pending", "ended", "orphan", "foreign"), { maxLength: 10 }),
      (replicas, kinds) => {
        const pods = kinds.map((kind, i) => {
          if (kind === "pending") return pending(`p${i}`);
          if (kind === "ended") return ended(`p${i}`);
          if (kind === "orphan") return ready(`p${i}`, orphan);
          return ready(`p${i}`, kind === "foreign" ? { metadata: { labels: {} } } : {});
        });
        const world = new World(wants(replicas), ...pods);
        const key = { namespace: "shop", name: "web" };
        world.look(replicaSetController, key);
        for (const each of world.list(Pods).filter(isActive))
          world.edit(Pods, { namespace: "shop", name: each.metadata.name }, (p) => makeReady(p, later));
        world.now = later;
        // Adopt, delete, report: each follows from what the one before has changed.
        for (let i = 0; i < 3; i++) world.look(replicaSetController, key);
        expect(world.look(replicaSetController, key)).toBe(0);
        expect(world.failures).toEqual([]);
        expect(world.get(ReplicaSets, key)?.status?.replicas).toBe(replicas);
      },
    ),
  ));
