import { seededRandom } from "@flotilla/ambient";
import type { KubeObject, Pod } from "@flotilla/objects";
import { expect, test } from "vitest";
import { placeOf, withoutPlaces } from "./field-path.ts";
import { randomValue } from "./generate-secret.ts";
import { failsIn, partStatus } from "./part-status.ts";
import { podProblem } from "./pod-problem.ts";

const pod = (status: object, metadata: object = {}): Pod =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", ...metadata },
    spec: { containers: [] },
    status,
  }) as unknown as Pod;
const container = (state: object, more: object = {}) =>
  pod({ phase: "Running", containerStatuses: [{ name: "web", ready: false, state, ...more }] });

test.each([
  ["starting", container({ waiting: { reason: "ContainerCreating" } }), undefined],
  ["running, not ready yet", container({ running: {} }), undefined],
  [
    "started again after a failure, not ready yet",
    container({ running: {} }, { restartCount: 1, lastState: { terminated: { exitCode: 1 } } }),
    "it exited with code 1 and is started again",
  ],
  [
    "started again with the node",
    container({ running: {} }, { lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } } }),
    undefined,
  ],
  [
    "an image that is not there",
    container({ waiting: { reason: "ErrImagePull", message: "no such image" } }),
    "ErrImagePull: no such image",
  ],
  [
    "ends again and again",
    container(
      { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
      { lastState: { terminated: { exitCode: 1 } } },
    ),
    "it exited with code 1 and is started again",
  ],
  [
    "out of memory",
    container(
      { waiting: { reason: "CrashLoopBackOff" } },
      { lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } },
    ),
    "it was killed because it used more memory than its limit; raise resources.memory",
  ],
  [
    "has just ended",
    container({ terminated: { exitCode: 2, message: "Error: no config" } }),
    "it exited with code 2 and is started again: Error: no config",
  ],
  [
    "a job's container that has ended well",
    { ...container({ terminated: { exitCode: 0 } }), spec: { restartPolicy: "Never", containers: [] } } as Pod,
    undefined,
  ],
  [
    "an init container",
    pod({ phase: "Pending", initContainerStatuses: [{ name: "init", state: { terminated: { exitCode: 1 } } }] }),
    "init: it exited with code 1",
  ],
  [
    "no room",
    pod({
      phase: "Pending",
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/1 nodes are available: 1 Insufficient cpu.",
        },
      ],
    }),
    "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
  ],
  [
    "listens elsewhere",
    pod({
      phase: "Running",
      conditions: [
        { type: "flotilla.dev/Reachable", status: "False", message: "listens on 0.0.0.0:8000; bind to $HOST" },
      ],
    }),
    "listens on 0.0.0.0:8000; bind to $HOST",
  ],
  ["evicted", pod({ phase: "Failed", reason: "Evicted" }), "Evicted"],
  [
    "is being deleted",
    pod({ phase: "Failed", reason: "Evicted" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    undefined,
  ],
])("why a pod does not work: %s", (_, each, expected) => expect(podProblem(each)?.message).toBe(expected));

const deployment = (spec: object, status: object): KubeObject =>
  ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "a", generation: 2 },
    spec,
    status,
  }) as unknown as KubeObject;
const at = (seconds: number) => new Date(Date.parse("2026-01-01T00:00:00Z") + seconds * 1000);
const startedAt = "2026-01-01T00:00:00Z";
const unready = pod({
  phase: "Running",
  conditions: [{ type: "Ready", status: "False", lastTransitionTime: startedAt }],
  containerStatuses: [{ name: "web", ready: false, started: false, state: { running: { startedAt } } }],
});
const homeless = pod({
  phase: "Pending",
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", lastTransitionTime: startedAt }],
});
const slow = { ...unready, spec: { containers: [{ name: "web", startupProbe: {} }] } } as unknown as Pod;
test.each([
  ["not ready for a moment", unready, 14, "starting", 1000],
  ["not ready for long", unready, 15, "failing", undefined],
  ["still starting, says its startup probe", slow, 60, "starting", undefined],
  ["without a place for a moment", homeless, 4, "starting", 1000],
  ["without a place for long", homeless, 6, "failing", undefined],
] as const)("patience with a pod: %s", (_, each, seconds, state, lookAgainIn) => {
  expect(partStatus(deployment({ replicas: 1 }, {}), [each], at(seconds)).state).toBe(state);
  expect(failsIn([each], at(seconds))).toBe(lookAgainIn);
});

const good = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2 };
const job = (conditions: object[]) =>
  ({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "a" }, status: { conditions } }) as unknown as KubeObject;
test.each([
  ["nothing there", undefined, "starting"],
  ["all ready", deployment({ replicas: 2 }, good), "ready"],
  ["not seen yet", deployment({ replicas: 2 }, { ...good, observedGeneration: 1 }), "starting"],
  ["one is missing", deployment({ replicas: 2 }, { ...good, readyReplicas: 1 }), "starting"],
  ["an old one is left", deployment({ replicas: 2 }, { ...good, replicas: 3 }), "starting"],
  ["scaled to nothing", deployment({ replicas: 0 }, { observedGeneration: 2 }), "ready"],
  [
    "too late",
    deployment(
      { replicas: 2 },
      {
        ...good,
        readyReplicas: 1,
        conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }],
      },
    ),
    "failing",
  ],
  ["a job under way", job([]), "starting"],
  ["a job that is complete", job([{ type: "Complete", status: "True" }]), "done"],
  ["a job that failed", job([{ type: "Failed", status: "True", message: "too often" }]), "failing"],
])("how far a part is: %s", (_, live, state) => expect(partStatus(live, [], at(0)).state).toBe(state));

const config = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a", labels: { app: "x", "app.kubernetes.io/name": "web" } },
  spec: {
    replicas: 1,
    list: ["a", "b"],
    template: { spec: { containers: [{ name: "log" }, { name: "web", image: "x", ports: [{ containerPort: 80 }] }] } },
  },
} as unknown as KubeObject;
test.each([
  [".spec.replicas", ["spec", "replicas"]],
  [".metadata.labels.app.kubernetes.io/name", ["metadata", "labels", "app.kubernetes.io/name"]],
  [".metadata.labels.app", ["metadata", "labels", "app"]],
  ['.spec.template.spec.containers[name="web"].image', ["spec", "template", "spec", "containers", 1, "image"]],
  [
    '.spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]',
    ["spec", "template", "spec", "containers", 1, "ports", 0],
  ],
  ['.spec.list[="b"]', ["spec", "list", 1]],
  [".spec.list[1]", ["spec", "list", 1]],
  ['.spec.template.spec.containers[name="gone"].image', undefined],
  [".spec.paused", undefined],
])("where a field is: %s", (path, place) => expect(placeOf(config, path)).toEqual(place));
test("fields are left out of a copy, items from the end", () => {
  const left = withoutPlaces(config, [
    ["spec", "list", 0],
    ["spec", "list", 1],
    ["spec", "replicas"],
  ]);
  expect([left, config]).toMatchObject([{ spec: { list: [] } }, { spec: { replicas: 1, list: ["a", "b"] } }]);
  expect(left).not.toHaveProperty("spec.replicas");
});

test("generated values are long and need no escape", () => {
  const random = seededRandom(1);
  const values = Array.from({ length: 100 }, () => randomValue(random));
  for (const value of values) expect(value).toMatch(/^[a-z0-9]{32}$/);
  expect(new Set(values).size).toBe(100);
});
