import {
  ControllerRevisions,
  newObject,
  ownerReference,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  Pods,
  type StatefulSet,
  type StatefulSetStatus,
  StatefulSets,
} from "@flotilla/objects";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { statefulSetController } from "./stateful-set.ts";
import { calm, later, makeReady, meta, readiness, template } from "./testing/objects.ts";
import { createdBy, statusOf, summary, writesOf } from "./testing/summary.ts";
import { World } from "./testing/world.ts";

const key = { namespace: "shop", name: "db" };
type Spec = Partial<StatefulSet["spec"]>;

const db = (replicas: number, more: Spec = {}): StatefulSet =>
  newObject(StatefulSets, {
    metadata: meta("db"),
    spec: { replicas, serviceName: "db", selector: { matchLabels: { app: "web" } }, template: template(), ...more },
  });
const parallel: Spec = { podManagementPolicy: "Parallel" };
const data: PersistentVolumeClaim = newObject(PersistentVolumeClaims, {
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"] },
});
const withData: Spec = { volumeClaimTemplates: [data] };

/** The name of the revision of a set's template. */
const revisionOf = (set: StatefulSet) =>
  createdBy(statefulSetController.decide({ set, pods: [], revisions: [], claims: [] }, calm)).find(
    ({ kind }) => kind === "ControllerRevision",
  )?.metadata.name ?? "";

const pod = (ordinal: number, status: Pod["status"] = readiness(true), revision = revisionOf(db(1))): Pod =>
  newObject(Pods, {
    metadata: meta(`db-${ordinal}`, {
      labels: {
        app: "web",
        "statefulset.kubernetes.io/pod-name": `db-${ordinal}`,
        "controller-revision-hash": revision,
      },
      ownerReferences: [ownerReference(db(1), StatefulSets)],
    }),
    spec: { containers: [{ name: "main", image: "web:1" }], nodeName: "node-1" },
    status,
  });
const unready = (ordinal: number) => pod(ordinal, readiness(false));
const failed = (ordinal: number) => pod(ordinal, { phase: "Failed" });
const going = (ordinal: number): Pod => ({
  ...pod(ordinal),
  metadata: { ...pod(ordinal).metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
});
const claimOf = (ordinal: number): PersistentVolumeClaim => ({ ...data, metadata: meta(`data-db-${ordinal}`) });

const decision = (set: StatefulSet, pods: Pod[] = [], claims: PersistentVolumeClaim[] = []) => {
  const revisions = createdBy(statefulSetController.decide({ set, pods: [], revisions: [], claims: [] }, calm)).filter(
    ({ kind }) => kind === "ControllerRevision",
  );
  return statefulSetController.decide({ set, pods, claims, revisions: revisions as never[] }, calm);
};
const decide = (set: StatefulSet, ...pods: Pod[]) => summary(decision(set, pods));
const made = (set: StatefulSet, ...pods: Pod[]) => createdBy(decision(set, pods)).map(({ metadata }) => metadata.name);
const status = (set: StatefulSet, ...pods: Pod[]) => statusOf<StatefulSetStatus>(decision(set, pods));

test("makes the first pod, and the revision of the template before it", () =>
  expect(
    createdBy(statefulSetController.decide({ set: db(3), pods: [], revisions: [], claims: [] }, calm)).map(
      ({ kind }) => kind,
    ),
  ).toEqual(["ControllerRevision", "Pod"]));
test("ordered: one at a time", () => expect(made(db(3))).toEqual(["db-0"]));
test("ordered: the next only when the one before is ready", () => expect(made(db(3), unready(0))).toEqual([]));
test("ordered: then the next", () => expect(made(db(3), pod(0))).toEqual(["db-1"]));
test("parallel: all at once", () => expect(made(db(3, parallel))).toEqual(["db-0", "db-1", "db-2"]));
test("fills a gap first", () => expect(made(db(3), pod(0), pod(2))).toEqual(["db-1"]));
test("a failed pod is deleted before its replacement", () =>
  expect(decide(db(1), failed(0))).toEqual({ deletes: ["db-0"] }));
test("waits for a terminating pod", () => expect(decide(db(2), going(0))).toEqual({}));
test("scales down from the last", () => expect(decide(db(1), pod(0), pod(1), pod(2))).toEqual({ deletes: ["db-2"] }));
test("ordered: scales down one at a time", () => expect(decide(db(1), pod(0), pod(1), going(2))).toEqual({}));
test("ordered: does not scale down while an earlier one is unready", () =>
  expect(decide(db(1), unready(0), pod(1))).toEqual({}));
test("parallel: scales down at once", () =>
  expect(decide(db(1, parallel), pod(0), pod(1), pod(2))).toEqual({ deletes: ["db-2", "db-1"] }));
test("ordinals may start elsewhere", () => expect(made(db(2, { ordinals: { start: 5 } }))).toEqual(["db-5"]));
test("pods before the start go", () =>
  expect(decide(db(1, { ordinals: { start: 1 } }), pod(0), pod(1))).toEqual({ deletes: ["db-0"] }));
test("a pod has its name as host name and label", () => {
  const first = createdBy<Pod>(decision(db(1)))[0];
  expect(first?.spec).toMatchObject({ hostname: "db-0", subdomain: "db" });
  expect(first?.metadata.labels).toMatchObject({
    "statefulset.kubernetes.io/pod-name": "db-0",
    "apps.kubernetes.io/pod-index": "0",
    app: "web",
  });
});
test("its claim comes before it, and is its volume", () => {
  const [claim, first] = createdBy(decision(db(1, withData)));
  expect(claim).toMatchObject({
    kind: "PersistentVolumeClaim",
    metadata: { name: "data-db-0", labels: { app: "web" } },
  });
  expect((first as Pod).spec.volumes).toEqual([{ name: "data", persistentVolumeClaim: { claimName: "data-db-0" } }]);
});
test("a claim that exists is used again", () =>
  expect(createdBy(decision(db(1, withData), [], [claimOf(0)])).map(({ kind }) => kind)).toEqual(["Pod"]));
test("waits for a claim that is being deleted", () => {
  const ending = { ...claimOf(0), metadata: { ...claimOf(0).metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  expect(createdBy(decision(db(1, withData), [], [ending]))).toEqual([]);
});
test("a lost claim of a pending pod is made again", () =>
  expect(
    createdBy(decision(db(1, withData), [pod(0, { phase: "Pending" })])).map(({ metadata }) => metadata.name),
  ).toEqual(["data-db-0"]));
test("claims are kept when scaling down", () =>
  expect(summary(decision(db(0, withData), [pod(0)], [claimOf(0)]))).toEqual({ deletes: ["db-0"] }));
test("whenScaled Delete: the claim becomes the pod's before it goes", () => {
  const scaledAway = decision(
    db(0, { ...withData, persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Retain" } }),
    [pod(0)],
    [claimOf(0)],
  );
  expect(summary(scaledAway)).toEqual({ patches: ["data-db-0"], deletes: ["db-0"] });
});
test("whenDeleted Delete: the claim is the set's", () => {
  const kept = decision(
    db(1, { ...withData, persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" } }),
    [pod(0)],
    [claimOf(0)],
  );
  expect(writesOf(kept)[0]).toMatchObject({
    name: "data-db-0",
    patch: { metadata: { ownerReferences: [{ kind: "StatefulSet", name: "db" }] } },
  });
});
test("an update deletes the last pod first", () =>
  expect(decide(db(3, { template: template("2") }), pod(0), pod(1), pod(2))).toEqual({ deletes: ["db-2"] }));
test("an update waits for the last one to be ready", () => {
  const next = db(3, { template: template("2") });
  expect(decide(next, pod(0), pod(1), pod(2, readiness(false), revisionOf(next)))).toEqual({});
  expect(decide(next, pod(0), pod(1), pod(2, readiness(true), revisionOf(next)))).toEqual({ deletes: ["db-1"] });
});
test("parallel: an update waits, too", () => {
  const next = db(3, { ...parallel, template: template("2") });
  expect(decide(next, pod(0), pod(1), pod(2, readiness(false), revisionOf(next)))).toEqual({});
});
test("an update stops at the partition", () => {
  const next = db(3, {
    template: template("2"),
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } },
  });
  expect(decide(next, pod(0), pod(1), pod(2, readiness(true), revisionOf(next)))).toEqual({});
});
test("OnDelete: an update deletes nothing", () =>
  expect(decide(db(1, { template: template("2"), updateStrategy: { type: "OnDelete" } }), pod(0))).toEqual({}));
test("counts pods by revision", () => {
  const next = db(2, { template: template("2") });
  expect(status(next, pod(0), pod(1, readiness(true), revisionOf(next)))).toMatchObject({
    replicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
    updatedReplicas: 1,
    updateRevision: revisionOf(next),
  });
});
test("adopts an orphan with a name of its own, and leaves another alone", () => {
  const orphan = (name: string): Pod => ({
    ...pod(0),
    metadata: { ...pod(0).metadata, name, uid: name, ownerReferences: [] },
  });
  expect(decide(db(1), orphan("db-0"), orphan("db-x"))).toEqual({ patches: ["db-0"] });
});
test("does nothing while being deleted", () =>
  expect(decide({ ...db(3), metadata: { ...db(3).metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } })).toEqual({}));

const settle = (world: World, watchOver: () => void = () => undefined): void => {
  for (let round = 0; round < 100; round++) {
    const changed = world.look(statefulSetController, key);
    watchOver();
    for (const each of world.list(Pods))
      world.edit(Pods, { namespace: "shop", name: each.metadata.name }, (one) => makeReady(one, later));
    if (changed === 0) return;
  }
  throw new Error("it does not settle");
};
const bare = (set: StatefulSet): StatefulSet => ({ ...set, metadata: { name: "db", namespace: "shop" } });

test("a whole update leaves at most one pod missing, keeps the history, and ends", () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.boolean(), (replicas, atOnce) => {
      const world = new World(bare(db(replicas, { ...(atOnce ? parallel : {}), ...withData })));
      world.now = later;
      settle(world);
      expect(world.list(PersistentVolumeClaims)).toHaveLength(replicas);
      world.edit<StatefulSet>(StatefulSets, key, (set) => {
        set.spec.template = template("2");
      });
      settle(world, () => expect(world.list(Pods).length).toBeGreaterThanOrEqual(replicas - 1));
      expect(new Set(world.list(Pods).map((each) => each.spec.containers[0]?.image))).toEqual(new Set(["web:2"]));
      expect(
        world
          .list(ControllerRevisions)
          .map(({ revision }) => revision)
          .sort(),
      ).toEqual([1, 2]);
      const after = world.get(StatefulSets, key)?.status;
      expect(after?.currentRevision).toBe(after?.updateRevision);
      expect(world.failures).toEqual([]);
    }),
    { numRuns: 20 },
  ));
test("undo makes the old revision the latest", () => {
  const world = new World(bare(db(1)));
  for (const version of ["1", "2", "1"]) {
    world.edit<StatefulSet>(StatefulSets, key, (set) => {
      set.spec.template = template(version);
    });
    settle(world);
  }
  expect(
    world
      .list(ControllerRevisions)
      .map(({ revision }) => revision)
      .sort(),
  ).toEqual([2, 3]);
});
