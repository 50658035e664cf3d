import {
  type Deployment,
  type DeploymentStatus,
  Deployments,
  isReady,
  ownerReference,
  type Pod,
  Pods,
  type ReplicaSet,
  ReplicaSets,
} from "@flotilla/objects";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { deploymentController } from "./deployment.ts";
import { replicaSetController } from "./replica-set.ts";
import { revisionOf } from "./revision.ts";
import { maxSurge, maxUnavailable } from "./rollout.ts";
import { calm, deployment, later, makeReady, meta, ready, start, template } from "./testing/objects.ts";
import { createdBy, eventsOf, statusOf, summary, writesOf } from "./testing/summary.ts";
import { World } from "./testing/world.ts";

const key = { namespace: "shop", name: "web" };

interface Size {
  replicas: number;
  available?: number;
  revision?: number;
  desired?: number;
  max?: number;
  version?: string;
  created?: string;
}

/** A ReplicaSet of the Deployment `web`; all its pods available unless said. */
function set(
  name: string,
  {
    replicas,
    available = replicas,
    revision = 1,
    desired = 10,
    max = 13,
    version = "1",
    created = "2026-01-01T00:00:00Z",
  }: Size,
): ReplicaSet {
  const labels = { app: "web", "pod-template-hash": name };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: meta(name, {
      labels,
      creationTimestamp: created,
      ownerReferences: [ownerReference(deployment(1), Deployments)],
      annotations: {
        "deployment.kubernetes.io/revision": String(revision),
        "deployment.kubernetes.io/desired-replicas": String(desired),
        "deployment.kubernetes.io/max-replicas": String(max),
      },
    }),
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { ...template(version), metadata: { ...template(version).metadata, labels } as ReplicaSet["metadata"] },
    },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

const decision = (web: Deployment, ...sets: ReplicaSet[]) =>
  deploymentController.decide({ deployment: web, sets, pods: [] }, calm);
const status = (web: Deployment, ...sets: ReplicaSet[]) => statusOf<DeploymentStatus>(decision(web, ...sets));
const condition = (of: DeploymentStatus, type: string) => of.conditions?.find((each) => each.type === type);
/** The sizes that it writes, by set. */
const sizes = (web: Deployment, ...sets: ReplicaSet[]) =>
  Object.fromEntries(
    writesOf(decision(web, ...sets)).flatMap((write) =>
      write.verb === "update" && write.resource === ReplicaSets
        ? [[write.object.metadata.name, (write.object as ReplicaSet).spec.replicas]]
        : [],
    ),
  );
const web = (replicas = 10, more: Partial<Deployment["spec"]> = {}) =>
  deployment(replicas, { template: template("2"), ...more });
const strategy = (surge: number | string, unavailable: number | string): Partial<Deployment["spec"]> => ({
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
});
const recreate: Partial<Deployment["spec"]> = { strategy: { type: "Recreate" } };
const with_ = (of: Deployment, more: Partial<DeploymentStatus>): Deployment => ({ ...of, status: more });

// The new set
test("makes a set for the template", () =>
  expect(summary(decision(deployment(3)))).toEqual({ creates: 1, patches: ["web"] }));
test("the first set starts at full size", () =>
  expect((createdBy(decision(deployment(3)))[0] as ReplicaSet).spec.replicas).toBe(3));
test("the set is named for the hash of its template", () => {
  const [made] = createdBy<ReplicaSet>(decision(deployment(3)));
  const hash = made?.metadata.labels?.["pod-template-hash"];
  expect(made?.metadata.name).toBe(`web-${hash}`);
  expect(made?.spec.selector.matchLabels).toEqual({ app: "web", "pod-template-hash": hash });
  expect(made?.spec.template?.metadata?.labels).toEqual({ app: "web", "pod-template-hash": hash });
});
test("another template gives another name", () => {
  const name = (version: string) =>
    createdBy(decision(deployment(1, { template: template(version) })))[0]?.metadata.name;
  expect(name("1")).not.toBe(name("2"));
});
test("the first revision is 1, the next one more than the highest", () => {
  expect(revisionOf(createdBy(decision(deployment(3)))[0] as ReplicaSet)).toBe(1);
  expect(revisionOf(createdBy(decision(web(), set("a", { replicas: 10, revision: 4 })))[0] as ReplicaSet)).toBe(5);
});
test("annotations of the Deployment are copied, except its own notes", () => {
  const noted = deployment(1);
  noted.metadata.annotations = { team: "shop", "kubectl.kubernetes.io/last-applied-configuration": "{}" };
  const annotations = createdBy(decision(noted))[0]?.metadata.annotations;
  expect(annotations).toMatchObject({ team: "shop", "deployment.kubernetes.io/desired-replicas": "1" });
  expect(annotations).not.toHaveProperty("kubectl.kubernetes.io/last-applied-configuration");
});
test("a new set starts with what the surge allows", () =>
  expect((createdBy(decision(web(), set("a", { replicas: 10 })))[0] as ReplicaSet).spec.replicas).toBe(3));
test("a set of the same template is found, whatever its name", () =>
  expect(summary(decision(web(10), set("x", { replicas: 10, version: "2" }))).creates).toBeUndefined());
test("a set that is adopted counts", () => {
  const orphan = set("x", { replicas: 10, version: "2" });
  orphan.metadata.ownerReferences = [];
  expect(summary(decision(web(10), orphan)).patches).toContain("x");
});
test("a taken name is counted as a collision, and nothing is made", () => {
  const [made] = createdBy<ReplicaSet>(decision(deployment(1)));
  const stranger = {
    ...set("x", { replicas: 0, version: "9" }),
    metadata: { ...set("x", { replicas: 0 }).metadata, name: made?.metadata.name ?? "" },
  };
  const collided = decision(deployment(1), stranger);
  expect(createdBy(collided)).toEqual([]);
  expect(statusOf<DeploymentStatus>(collided).collisionCount).toBe(1);
});
test("after a collision another name is used", () => {
  const name = (of: Deployment) => createdBy(decision(of))[0]?.metadata.name;
  expect(name(with_(deployment(1), { collisionCount: 1 }))).not.toBe(name(deployment(1)));
});

// Rolling
test("the new set grows into the surge", () =>
  expect(
    sizes(web(10, strategy(3, 2)), set("a", { replicas: 10 }), set("b", { replicas: 0, version: "2", revision: 2 })),
  ).toEqual({ b: 3 }));
test("the old set shrinks to what may be unavailable", () =>
  expect(
    sizes(
      web(10, strategy(3, 2)),
      set("a", { replicas: 10 }),
      set("b", { replicas: 3, available: 0, version: "2", revision: 2 }),
    ),
  ).toEqual({ a: 8 }));
test("it shrinks no further while the new pods are not available", () =>
  expect(
    sizes(
      web(10, strategy(3, 2)),
      set("a", { replicas: 8 }),
      set("b", { replicas: 5, available: 0, version: "2", revision: 2 }),
    ),
  ).toEqual({}));
test("pods of an old set that do not work go first", () =>
  expect(
    sizes(
      web(10, strategy(3, 2)),
      set("a", { replicas: 8, available: 8 }),
      set("c", { replicas: 5, available: 1, revision: 2, version: "3", created: "2026-01-01T00:01:00Z" }),
      set("b", { replicas: 0, version: "2", revision: 3 }),
    ),
  ).toMatchObject({ c: 1 }));
test("no surge: first one goes, then one comes", () =>
  expect(
    sizes(
      web(4, strategy(0, 1)),
      set("a", { replicas: 4, desired: 4 }),
      set("b", { replicas: 0, version: "2", revision: 2 }),
    ),
  ).toEqual({ a: 3 }));
test("nothing may be unavailable: first one comes", () =>
  expect(
    sizes(
      web(4, strategy(1, 0)),
      set("a", { replicas: 4, desired: 4 }),
      set("b", { replicas: 0, version: "2", revision: 2 }),
    ),
  ).toEqual({ b: 1 }));
test("percentages: surge rounds up, unavailable down", () => {
  const of = deployment(5, strategy("25%", "25%"));
  expect([maxSurge(of), maxUnavailable(of)]).toEqual([2, 1]);
});
test("both rounding to nothing leaves one that may be unavailable", () =>
  expect(maxUnavailable(deployment(2, strategy("0%", "10%")))).toBe(1));
test("old sets go in order of age", () =>
  expect(
    sizes(
      web(10, strategy(3, 2)),
      set("new-old", { replicas: 5, created: "2026-01-01T00:05:00Z", version: "3" }),
      set("old-old", { replicas: 5 }),
      set("b", { replicas: 3, version: "2", revision: 2 }),
    ),
  ).toEqual({ "old-old": 0 }));

// Scaling
test("scaling one set is at once", () =>
  expect(sizes(web(20), set("b", { replicas: 10, version: "2" }))).toEqual({ b: 20 }));
test("scaling amid a rollout is in proportion", () =>
  expect(
    sizes(
      web(20, strategy(6, 2)),
      set("a", { replicas: 8, max: 13 }),
      set("b", { replicas: 5, available: 2, version: "2", revision: 2, max: 13 }),
    ),
  ).toEqual({ a: 16, b: 10 }));
test("scaling down amid a rollout is in proportion", () =>
  expect(
    sizes(
      web(5, strategy(2, 1)),
      set("a", { replicas: 8, max: 13 }),
      set("b", { replicas: 5, available: 2, version: "2", revision: 2, max: 13 }),
    ),
  ).toEqual({ a: 4, b: 3 }));
test("scaling to zero empties every set", () =>
  expect(sizes(web(0), set("a", { replicas: 8 }), set("b", { replicas: 5, version: "2", revision: 2 }))).toEqual({
    a: 0,
    b: 0,
  }));
test("paused: a new template makes no set", () =>
  expect(summary(decision(web(10, { paused: true }), set("a", { replicas: 10 })))).toEqual({}));
test("paused: scaling goes on", () =>
  expect(sizes(web(12, { paused: true }), set("a", { replicas: 10 }))).toEqual({ a: 12 }));

// Recreate
test("recreate: old sets go to zero before anything new", () =>
  expect(summary(decision(web(10, recreate), set("a", { replicas: 10 })))).toEqual({ updates: ["a"] }));
test("recreate: waits for the last old pod, also one that is terminating", () => {
  const old = set("a", { replicas: 0 });
  const lingering = ready("p", {
    metadata: { ownerReferences: [ownerReference(old, ReplicaSets)], deletionTimestamp: "2026-01-01T00:00:00Z" },
  });
  const waits = deploymentController.decide({ deployment: web(10, recreate), sets: [old], pods: [lingering] }, calm);
  expect(createdBy(waits)).toEqual([]);
});
test("recreate: then the new set starts at full size", () =>
  expect((createdBy(decision(web(10, recreate), set("a", { replicas: 0 })))[0] as ReplicaSet).spec.replicas).toBe(10));

// Rollback and history
test("undo: an old set becomes the latest revision and remembers its old one", () => {
  const back = decision(
    deployment(10),
    set("a", { replicas: 0, revision: 1 }),
    set("b", { replicas: 10, version: "2", revision: 2 }),
  );
  const write = writesOf(back).find((each) => each.verb === "update" && each.object.metadata.name === "a");
  expect(write?.verb === "update" && write.object.metadata.annotations).toMatchObject({
    "deployment.kubernetes.io/revision": "3",
    "deployment.kubernetes.io/revision-history": "1",
  });
});
test("the Deployment notes the revision of its current set", () => {
  const note = writesOf(decision(deployment(10), set("a", { replicas: 10, revision: 7 }))).find(
    (each) => each.verb === "patch",
  );
  expect(note).toMatchObject({ patch: { metadata: { annotations: { "deployment.kubernetes.io/revision": "7" } } } });
});
test("old sets beyond the limit go once the rollout is complete", () => {
  const done = with_(web(10, { revisionHistoryLimit: 1 }), {
    observedGeneration: 1,
    replicas: 10,
    updatedReplicas: 10,
    availableReplicas: 10,
  });
  const old = (name: string, revision: number) => set(name, { replicas: 0, revision, version: name });
  expect(
    summary(decision(done, old("a", 1), old("c", 2), set("b", { replicas: 10, version: "2", revision: 3 }))).deletes,
  ).toEqual(["a"]);
});
test("old sets stay while the rollout goes on", () => {
  const going = with_(web(10, { revisionHistoryLimit: 0 }), {
    observedGeneration: 1,
    replicas: 10,
    updatedReplicas: 4,
  });
  expect(
    summary(
      decision(going, set("a", { replicas: 0, version: "1" }), set("b", { replicas: 10, version: "2", revision: 3 })),
    ).deletes,
  ).toBeUndefined();
});

// Status
test("not complete while the size of an old set is on its way to it", () => {
  // It was made and given up within a moment; whether it has made a pod is not known yet.
  const flipped = { ...set("b", { replicas: 0, version: "2", revision: 2 }), status: { replicas: 0 } };
  const before = with_(deployment(10), {
    observedGeneration: 0,
    replicas: 10,
    updatedReplicas: 10,
    availableReplicas: 10,
  });
  const after = status(before, set("a", { replicas: 10 }), flipped);
  expect(after.observedGeneration).toBeUndefined();
  expect(condition(after, "Progressing")?.reason).toBe("ReplicaSetUpdated");
  expect(status(before, set("a", { replicas: 10 }), set("b", { replicas: 0, version: "2" })).observedGeneration).toBe(
    1,
  );
});
test("counts over all sets", () =>
  expect(
    status(
      web(10),
      set("a", { replicas: 8, available: 7 }),
      set("b", { replicas: 5, available: 2, version: "2", revision: 2 }),
    ),
  ).toMatchObject({
    replicas: 13,
    updatedReplicas: 5,
    availableReplicas: 9,
    // Two of the old set go at this look.
    unavailableReplicas: 2,
    observedGeneration: 1,
  }));
test("available as long as enough are", () => {
  expect(
    condition(status(web(10, strategy(3, 2)), set("b", { replicas: 10, available: 8, version: "2" })), "Available")
      ?.status,
  ).toBe("True");
  expect(
    condition(status(web(10, strategy(3, 2)), set("b", { replicas: 10, available: 7, version: "2" })), "Available")
      ?.status,
  ).toBe("False");
});
test("making a set is progress", () =>
  expect(condition(status(web(3)), "Progressing")).toMatchObject({ status: "True", reason: "NewReplicaSetCreated" }));
test("complete: the new set is available", () =>
  expect(condition(status(web(10), set("b", { replicas: 10, version: "2" })), "Progressing")).toMatchObject({
    reason: "NewReplicaSetAvailable",
  }));
test("stuck beyond the deadline", () => {
  const stuck = with_(web(10), {
    conditions: [
      { type: "Progressing", status: "True", reason: "ReplicaSetUpdated", lastUpdateTime: "2026-01-01T00:00:00Z" },
    ],
    replicas: 10,
    updatedReplicas: 10,
    readyReplicas: 4,
    availableReplicas: 4,
  });
  expect(condition(status(stuck, set("b", { replicas: 10, available: 4, version: "2" })), "Progressing")).toMatchObject(
    { status: "False", reason: "ProgressDeadlineExceeded" },
  );
});
test("looks again when the deadline is near", () => {
  const recent = with_(web(10), {
    conditions: [
      { type: "Progressing", status: "True", reason: "ReplicaSetUpdated", lastUpdateTime: "2026-01-01T00:58:00Z" },
    ],
    replicas: 10,
    updatedReplicas: 10,
    readyReplicas: 4,
    availableReplicas: 4,
  });
  expect(decision(recent, set("b", { replicas: 10, available: 4, version: "2" })).lookAgainIn).toBe(481_000);
});
test("paused and resumed are said", () => {
  const paused = status(web(1, { paused: true }), set("b", { replicas: 1, version: "2", desired: 1 }));
  expect(condition(paused, "Progressing")?.reason).toBe("DeploymentPaused");
  expect(
    condition(
      status(
        with_(web(1), { conditions: paused.conditions, replicas: 1 }),
        set("b", { replicas: 1, available: 0, version: "2", desired: 1 }),
      ),
      "Progressing",
    )?.reason,
  ).not.toBe("DeploymentPaused");
});
test("a failure of the set is the Deployment's", () => {
  const failing = set("b", { replicas: 10, version: "2" });
  failing.status = {
    ...failing.status,
    replicas: 0,
    conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota" }],
  };
  expect(condition(status(web(10), failing), "ReplicaFailure")).toMatchObject({
    reason: "FailedCreate",
    message: "quota",
  });
});
test("scaling is an event", () =>
  expect(eventsOf(decision(web(10), set("a", { replicas: 10 })))).toEqual(["ScalingReplicaSet"]));
test("nothing but status while being deleted", () => {
  const gone = { ...web(10), metadata: { ...web().metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  expect(summary(decision(gone, set("a", { replicas: 10 })))).toEqual({});
});

// Whole rollouts
const settle = (world: World, watchOver: () => void = () => undefined): void => {
  for (let round = 0; round < 200; round++) {
    let changed = world.look(deploymentController, key);
    watchOver();
    for (const each of world.list(ReplicaSets)) {
      changed += world.look(replicaSetController, { namespace: "shop", name: each.metadata.name });
      watchOver();
    }
    if (changed > 0) continue;
    const waiting = world.list(Pods).find((pod) => !isReady(pod));
    if (!waiting) return;
    world.pass(1);
    world.edit(Pods, { namespace: "shop", name: waiting.metadata.name }, (pod: Pod) => makeReady(pod, world.now));
    watchOver();
  }
  throw new Error("it does not settle");
};
const bare = (replicas: number, more: Partial<Deployment["spec"]>): Deployment => ({
  ...deployment(replicas, more),
  metadata: { name: "web", namespace: "shop" },
});

test("a whole rollout keeps to surge and unavailable, ends, and leads to no further decision", () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(3), fc.nat(3), (replicas, surge, unavailable) => {
      if (surge + unavailable === 0) return;
      const world = new World(bare(replicas, strategy(surge, unavailable)));
      settle(world);
      world.edit<Deployment>(Deployments, key, (each) => {
        each.spec.template = template("2");
      });
      settle(world, () => {
        const pods = world.list(Pods);
        expect(pods.length).toBeLessThanOrEqual(replicas + surge);
        expect(pods.filter(isReady).length).toBeGreaterThanOrEqual(replicas - Math.max(unavailable, 0));
      });
      expect(world.list(Pods).map((pod) => pod.spec.containers[0]?.image)).toEqual(
        Array.from({ length: replicas }, () => "web:2"),
      );
      expect(world.get(Deployments, key)?.status).toMatchObject({
        replicas,
        updatedReplicas: replicas,
        availableReplicas: replicas,
      });
      expect(world.failures).toEqual([]);
    }),
    { numRuns: 40 },
  ));
test("undo brings the old set back, with a new revision", () => {
  const world = new World(bare(3, {}));
  settle(world);
  for (const version of ["2", "1"]) {
    world.edit<Deployment>(Deployments, key, (each) => {
      each.spec.template = template(version);
    });
    settle(world);
  }
  expect(world.list(ReplicaSets)).toHaveLength(2);
  expect(world.get(Deployments, key)?.metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "3" });
  expect(start.getTime()).toBeLessThan(later.getTime());
});
