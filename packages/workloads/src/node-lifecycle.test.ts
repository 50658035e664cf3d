import { isReady, type Lease, Leases, type Node, Nodes, newObject, type Pod, type Toleration } from "@flotilla/objects";
import { expect, test } from "vitest";
import { nodeLifecycleController } from "./node-lifecycle.ts";
import { calm, meta, ready } from "./testing/objects.ts";
import { eventsOf, statusOf, summary, writesOf } from "./testing/summary.ts";

const node = (ready: "True" | "False" | "Unknown", spec: Node["spec"] = {}): Node =>
  newObject(Nodes, {
    metadata: { ...meta("node-1"), namespace: undefined },
    spec,
    status: {
      conditions: [
        {
          type: "Ready",
          status: ready,
          lastHeartbeatTime: "2026-01-01T00:00:00Z",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    },
  });
const lease = (renewTime: string): Lease => newObject(Leases, { metadata: meta("node-1"), spec: { renewTime } });
const fresh = lease("2026-01-01T00:59:50.000000Z");
const old = lease("2026-01-01T00:59:10.000000Z");
const bears = (more: Partial<Toleration>): Pod =>
  ready("p", {
    spec: {
      tolerations: [{ key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", ...more }],
    },
  });
const tainted = (timeAdded: string): Node =>
  node("Unknown", {
    taints: [
      { key: "node.kubernetes.io/unreachable", effect: "NoSchedule" },
      { key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded },
    ],
  });

const decision = (of: Node, heard: Lease | undefined, ...pods: Pod[]) =>
  nodeLifecycleController.decide({ node: of, lease: heard, pods }, calm);
const taints = (of: Node, heard: Lease) =>
  writesOf(decision(of, heard)).flatMap((write) =>
    write.verb === "update" && !write.subresource
      ? ((write.object as Node).spec?.taints?.map(({ key, effect }) => `${key} ${effect}`) ?? [])
      : [],
  );

test("a node that is heard of is left alone, until its time is over", () => {
  expect(summary(decision(node("True"), fresh, ready("p")))).toEqual({});
  expect(decision(node("True"), fresh).lookAgainIn).toBe(31_000);
});
test("a silent node is unknown", () => {
  const silent = decision(node("True"), old);
  expect(statusOf<NonNullable<Node["status"]>>(silent).conditions?.[0]).toMatchObject({
    type: "Ready",
    status: "Unknown",
    reason: "NodeStatusUnknown",
  });
  expect(eventsOf(silent)).toEqual(["NodeNotReady"]);
});
test("a silent node is tainted", () =>
  expect(taints(node("True"), old)).toEqual([
    "node.kubernetes.io/unreachable NoSchedule",
    "node.kubernetes.io/unreachable NoExecute",
  ]));
test("a node that says it is not ready is tainted otherwise", () =>
  expect(taints(node("False"), fresh)).toEqual([
    "node.kubernetes.io/not-ready NoSchedule",
    "node.kubernetes.io/not-ready NoExecute",
  ]));
test("a node that is back loses its taints", () => {
  const back = decision({ ...tainted("2026-01-01T00:00:00Z"), status: node("True").status }, fresh);
  expect(writesOf(back)).toMatchObject([{ verb: "update", object: { spec: { taints: [] } } }]);
});
test("a cordoned node is tainted, other taints stay", () =>
  expect(taints(node("True", { unschedulable: true, taints: [{ key: "mine", effect: "NoSchedule" }] }), fresh)).toEqual(
    ["mine NoSchedule", "node.kubernetes.io/unschedulable NoSchedule"],
  ));
test("the time of a taint stays", () =>
  expect(summary(decision(tainted("2026-01-01T00:00:00Z"), old)).updates).toBeUndefined());
test("pods of a silent node are not ready", () => {
  const write = writesOf(decision(node("True"), old, bears({}))).find(
    (each) => each.verb === "update" && each.object.kind === "Pod",
  );
  expect(write?.verb === "update" && isReady(write.object as Pod)).toBe(false);
});
test("pods that bear nothing go", () =>
  expect(summary(decision(tainted("2026-01-01T00:59:59Z"), old, ready("p"))).deletes).toEqual(["p"]));
test("pods go when their patience is over", () => {
  expect(
    summary(decision(tainted("2026-01-01T00:59:00Z"), old, bears({ tolerationSeconds: 300 }))).deletes,
  ).toBeUndefined();
  expect(decision(tainted("2026-01-01T00:59:00Z"), old, bears({ tolerationSeconds: 300 })).lookAgainIn).toBe(240_000);
  expect(summary(decision(tainted("2026-01-01T00:54:00Z"), old, bears({ tolerationSeconds: 300 }))).deletes).toEqual([
    "p",
  ]);
});
test("pods that bear it for ever stay", () =>
  expect(summary(decision(tainted("2026-01-01T00:00:00Z"), old, bears({}))).deletes).toBeUndefined());
