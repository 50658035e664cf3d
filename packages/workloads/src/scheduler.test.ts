import {
  type Node,
  Nodes,
  newObject,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  type PodSpec,
} from "@flotilla/objects";
import { expect, test } from "vitest";
import { schedulerController } from "./scheduler.ts";
import { calm, meta, pending, pod, ready } from "./testing/objects.ts";
import { eventsOf, statusOf, writesOf } from "./testing/summary.ts";

const node = (
  name: string,
  more: { labels?: Record<string, string>; spec?: Node["spec"]; allocatable?: Record<string, string> } = {},
): Node =>
  newObject(Nodes, {
    metadata: { ...meta(name, { labels: { "kubernetes.io/hostname": name, ...more.labels } }), namespace: undefined },
    spec: more.spec ?? {},
    status: { allocatable: more.allocatable ?? { cpu: "4", memory: "8Gi", pods: "110" } },
  });
const wants = (name: string, requests: Record<string, string>, spec: Partial<PodSpec> = {}): Pod =>
  pending(name, { spec: { containers: [{ name: "main", image: "web", resources: { requests } }], ...spec } });
const holds = (name: string, nodeName: string, requests: Record<string, string>, spec: Partial<PodSpec> = {}): Pod =>
  ready(name, { spec: { containers: [{ name: "main", image: "web", resources: { requests } }], nodeName, ...spec } });

const decision = (nodes: Node[], pods: Pod[], claims: PersistentVolumeClaim[] = []) =>
  schedulerController.decide(
    { nodes, pods, claims: new Map(claims.map((claim) => [`shop/${claim.metadata.name}`, claim])) },
    calm,
  );
/** Pod to node. */
const placed = (nodes: Node[], ...pods: Pod[]) =>
  Object.fromEntries(
    writesOf(decision(nodes, pods)).flatMap((write) =>
      write.verb === "create"
        ? [[write.object.metadata.name, (write.object as unknown as { target: { name: string } }).target.name]]
        : [],
    ),
  );
const refusal = (nodes: Node[], ...pods: Pod[]) =>
  statusOf<NonNullable<Pod["status"]>>(decision(nodes, pods)).conditions?.find(({ type }) => type === "PodScheduled")
    ?.message;
const near = (kind: "podAffinity" | "podAntiAffinity", topologyKey = "kubernetes.io/hostname"): Partial<PodSpec> => ({
  affinity: {
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: { app: "web" } } }],
    },
  },
});
const taint = { key: "gpu", value: "yes", effect: "NoSchedule" } as const;

test("places a pod", () => expect(placed([node("a")], pending("p"))).toEqual({ p: "a" }));
test("places on the emptier node", () =>
  expect(placed([node("a"), node("b")], holds("x", "a", { cpu: "2" }), wants("p", { cpu: "1" }))).toEqual({ p: "b" }));
test("two pods are not placed into the same room", () =>
  expect(
    placed(
      [node("a", { allocatable: { cpu: "1", pods: "9" } }), node("b", { allocatable: { cpu: "1", pods: "9" } })],
      wants("p", { cpu: "1" }),
      wants("q", { cpu: "1" }),
    ),
  ).toEqual({ p: "a", q: "b" }));
test("says what there is not enough of", () =>
  expect(refusal([node("a")], wants("p", { memory: "9Gi" }))).toBe("0/1 nodes are available: 1 Insufficient memory."));
test("says each reason with its number", () =>
  expect(
    refusal(
      [node("a"), node("b"), node("c", { spec: { unschedulable: true } })],
      wants("p", { cpu: "5", memory: "9Gi" }),
    ),
  ).toBe("0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient memory."));
test("too many pods", () =>
  expect(refusal([node("a", { allocatable: { pods: "1" } })], holds("x", "a", {}), pending("p"))).toBe(
    "0/1 nodes are available: 1 Too many pods.",
  ));
test("no nodes", () => expect(refusal([], pending("p"))).toBe("no nodes available to schedule pods"));
test("a refusal is an event", () => expect(eventsOf(decision([], [pending("p")]))).toEqual(["FailedScheduling"]));
test("the same refusal is not said again", () => {
  const told = pending("p", {
    status: {
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", message: "no nodes available to schedule pods" }],
    },
  });
  expect(writesOf(decision([], [told]))).toEqual([]);
});
test("node selector", () => {
  expect(
    placed([node("a"), node("b", { labels: { disk: "ssd" } })], wants("p", {}, { nodeSelector: { disk: "ssd" } })),
  ).toEqual({ p: "b" });
  expect(refusal([node("a")], wants("p", {}, { nodeSelector: { disk: "ssd" } }))).toBe(
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  );
});
test("required node affinity, by label and by name", () => {
  const by = (term: object): Partial<PodSpec> => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  });
  const nodes = [node("a"), node("b", { labels: { zone: "2" } })];
  expect(
    placed(nodes, wants("p", {}, by({ matchExpressions: [{ key: "zone", operator: "In", values: ["2"] }] }))),
  ).toEqual({ p: "b" });
  expect(
    placed(nodes, wants("p", {}, by({ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }))),
  ).toEqual({ p: "b" });
});
test("preferred node affinity", () =>
  expect(
    placed(
      [node("a"), node("b", { labels: { zone: "2" } })],
      wants(
        "p",
        {},
        {
          affinity: {
            nodeAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, preference: { matchExpressions: [{ key: "zone", operator: "Exists" }] } },
              ],
            },
          },
        },
      ),
    ),
  ).toEqual({ p: "b" }));
test("a taint keeps pods off, a toleration lets them on", () => {
  const tainted = [node("a", { spec: { taints: [taint] } })];
  expect(refusal(tainted, pending("p"))).toBe("0/1 nodes are available: 1 node(s) had untolerated taint(s).");
  expect(placed(tainted, wants("p", {}, { tolerations: [{ key: "gpu", operator: "Exists" }] }))).toEqual({ p: "a" });
});
test("a taint that only prefers is avoided", () =>
  expect(
    placed([node("a", { spec: { taints: [{ key: "x", effect: "PreferNoSchedule" }] } }), node("b")], pending("p")),
  ).toEqual({ p: "b" }));
test("host ports do not clash", () => {
  const port: Partial<PodSpec> = {
    containers: [{ name: "main", image: "web", ports: [{ containerPort: 80, hostPort: 80 }] }],
  };
  expect(refusal([node("a")], ready("x", { spec: { ...port, nodeName: "a" } }), pending("p", { spec: port }))).toBe(
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  );
});
test("anti-affinity", () => {
  expect(placed([node("a"), node("b")], holds("x", "a", {}), wants("p", {}, near("podAntiAffinity")))).toEqual({
    p: "b",
  });
  expect(refusal([node("a")], holds("x", "a", {}), wants("p", {}, near("podAntiAffinity")))).toBe(
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
  );
});
test("anti-affinity of those who are there", () =>
  expect(refusal([node("a")], holds("x", "a", {}, near("podAntiAffinity")), pending("p"))).toBe(
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  ));
test("affinity", () =>
  expect(placed([node("a"), node("b")], holds("x", "b", { cpu: "3" }), wants("p", {}, near("podAffinity")))).toEqual({
    p: "b",
  }));
test("the first of a group that wants to be together is placed", () =>
  expect(placed([node("a")], wants("p", {}, near("podAffinity")))).toEqual({ p: "a" }));
test("spread that must hold", () => {
  const spread: Partial<PodSpec> = {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { app: "web" } },
      },
    ],
  };
  const nodes = [
    node("a", { labels: { zone: "1" } }),
    node("b", { labels: { zone: "2" }, allocatable: { cpu: "0", pods: "9" } }),
  ];
  expect(placed(nodes, holds("x", "a", {}), wants("p", {}, spread))).toEqual({ p: "b" });
  expect(refusal(nodes, holds("x", "a", {}), wants("p", { cpu: "1" }, spread))).toBe(
    "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints.",
  );
});
test("spread that is a wish", () => {
  const wish: Partial<PodSpec> = {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: { app: "web" } },
      },
    ],
  };
  expect(
    placed(
      [node("a"), node("b", { allocatable: { cpu: "1", memory: "1Gi", pods: "9" } })],
      holds("x", "a", {}),
      wants("p", { cpu: "500m" }, wish),
    ),
  ).toEqual({ p: "b" });
});
test("higher priority first", () =>
  expect(
    placed(
      [node("a", { allocatable: { cpu: "1", pods: "9" } })],
      wants("p", { cpu: "1" }),
      wants("q", { cpu: "1" }, { priority: 10 }),
    ),
  ).toEqual({ q: "a" }));
test("waits for its claims", () => {
  const user = pending("p", { spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] } });
  const claim = (phase: "Pending" | "Bound"): PersistentVolumeClaim =>
    newObject(PersistentVolumeClaims, { metadata: meta("data"), spec: {}, status: { phase } });
  const message = (...claims: PersistentVolumeClaim[]) =>
    statusOf<NonNullable<Pod["status"]>>(decision([node("a")], [user], claims)).conditions?.[0]?.message;
  expect(message()).toBe('persistentvolumeclaim "data" not found');
  expect(message(claim("Pending"))).toBe("pod has unbound immediate PersistentVolumeClaims");
  expect(writesOf(decision([node("a")], [user], [claim("Bound")]))).toMatchObject([{ subresource: "binding" }]);
});
test("leaves pods of other schedulers, gated and deleted ones alone", () =>
  expect(
    writesOf(
      decision(
        [node("a")],
        [
          pending("p", { spec: { schedulerName: "other" } }),
          pending("q", { spec: { schedulingGates: [{ name: "wait" }] } }),
          pending("r", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }),
          pod("s"),
        ],
      ),
    ),
  ).toEqual([]));
test("a binding is of exactly the pod that was seen", () =>
  expect(writesOf(decision([node("a")], [pending("p")]))[0]).toMatchObject({
    object: { metadata: { uid: "uid-p", resourceVersion: "1" } },
  }));
