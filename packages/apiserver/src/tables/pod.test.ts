import type { ContainerStatus, Pod, PodStatus } from "@flotilla/objects";
import { expect, test } from "vitest";
import { printerOf, row } from "./index.ts";

const now = Date.parse("2026-01-01T01:00:00Z");
const printer = printerOf({ group: "", version: "v1", kind: "Pod" });

const pod = (status: PodStatus, spec: Partial<Pod["spec"]> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", creationTimestamp: "2026-01-01T00:00:00Z", ...metadata },
  spec: { containers: [{ name: "a" }, { name: "b" }], ...spec },
  status,
});

const container = (state: ContainerStatus["state"], more: Partial<ContainerStatus> = {}): ContainerStatus =>
  ({ name: "a", image: "", imageID: "", ready: false, restartCount: 0, state, ...more }) as ContainerStatus;
const running = container({ running: {} }, { ready: true });
const ended = (exitCode: number, reason?: string, signal?: number) =>
  container({ terminated: { exitCode, reason, signal } });
const ready = { type: "Ready", status: "True" };
const sidecar = { initContainers: [{ name: "a", restartPolicy: "Always" }] };

const cases: [what: string, pod: Pod, ready: string, status: string, restarts: string][] = [
  ["a pod that nobody has looked at", pod({ phase: "Pending" }), "0/2", "Pending", "0"],
  ["a running pod", pod({ phase: "Running", containerStatuses: [running, running] }), "2/2", "Running", "0"],
  [
    "one that is being made",
    pod({ phase: "Pending", containerStatuses: [container({ waiting: { reason: "ContainerCreating" } })] }),
    "0/2",
    "ContainerCreating",
    "0",
  ],
  [
    "a crash loop",
    pod({
      phase: "Running",
      containerStatuses: [
        container(
          { waiting: { reason: "CrashLoopBackOff" } },
          { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:55:00Z" } } },
        ),
        running,
      ],
    }),
    "1/2",
    "CrashLoopBackOff",
    "3 (5m ago)",
  ],
  ["a finished one", pod({ phase: "Succeeded", containerStatuses: [ended(0, "Completed")] }), "0/2", "Completed", "0"],
  [
    "one that failed without a reason",
    pod({ phase: "Failed", containerStatuses: [ended(3)] }),
    "0/2",
    "ExitCode:3",
    "0",
  ],
  [
    "one that was killed",
    pod({ phase: "Failed", containerStatuses: [ended(137, undefined, 9)] }),
    "0/2",
    "Signal:9",
    "0",
  ],
  [
    "out of memory",
    pod({ phase: "Running", containerStatuses: [ended(137, "OOMKilled"), running] }),
    "1/2",
    "OOMKilled",
    "0",
  ],
  [
    "one container done, one running, ready",
    pod({ phase: "Running", conditions: [ready], containerStatuses: [ended(0, "Completed"), running] }),
    "1/2",
    "Running",
    "0",
  ],
  [
    "one container done, one running, not ready",
    pod({ phase: "Running", containerStatuses: [ended(0, "Completed"), running] }),
    "1/2",
    "NotReady",
    "0",
  ],
  ["evicted", pod({ phase: "Failed", reason: "Evicted" }), "0/2", "Evicted", "0"],
  [
    "gated",
    pod({ phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] }),
    "0/2",
    "SchedulingGated",
    "0",
  ],
  [
    "going",
    pod({ phase: "Running", containerStatuses: [running] }, {}, { deletionTimestamp: "x" }),
    "1/2",
    "Terminating",
    "0",
  ],
  [
    "gone with its node",
    pod({ phase: "Running", reason: "NodeLost" }, {}, { deletionTimestamp: "x" }),
    "0/2",
    "Unknown",
    "0",
  ],
  [
    "at its second init container",
    pod(
      { phase: "Pending", initContainerStatuses: [ended(0), container({ running: {} })] },
      { initContainers: [{ name: "a" }, { name: "b" }] },
    ),
    "0/2",
    "Init:1/2",
    "0",
  ],
  [
    "an init container that fails",
    pod(
      {
        phase: "Pending",
        initContainerStatuses: [container({ waiting: { reason: "CrashLoopBackOff" } }, { restartCount: 2 })],
      },
      { initContainers: [{ name: "a" }] },
    ),
    "0/2",
    "Init:CrashLoopBackOff",
    "2",
  ],
  [
    "an init container that ended badly",
    pod({ phase: "Pending", initContainerStatuses: [ended(7)] }, { initContainers: [{ name: "a" }] }),
    "0/2",
    "Init:ExitCode:7",
    "0",
  ],
  [
    "a started sidecar counts as a container",
    pod(
      {
        phase: "Running",
        initContainerStatuses: [container({ running: {} }, { ready: true, started: true, restartCount: 1 })],
        containerStatuses: [running, running],
      },
      sidecar,
    ),
    "3/3",
    "Running",
    "1",
  ],
];

test.each(cases)("%s", (_what, object, readyCell, status, restarts) =>
  expect(row(printer, object, "None", now).cells.slice(0, 5)).toEqual(["p", readyCell, status, restarts, "60m"]),
);

test("wide columns", () => {
  const object = pod(
    { phase: "Running", podIPs: [{ ip: "127.96.0.5" }], conditions: [{ type: "example.org/gate", status: "True" }] },
    { nodeName: "n1", readinessGates: [{ conditionType: "example.org/gate" }, { conditionType: "example.org/other" }] },
  );
  expect(row(printer, object, "None", now).cells.slice(5)).toEqual(["127.96.0.5", "n1", "<none>", "1/2"]);
});

test("a finished pod is marked for clients that hide it", () =>
  expect(row(printer, pod({ phase: "Succeeded" }), "None", now).conditions).toMatchObject([
    { type: "Completed", status: "True", reason: "Succeeded" },
  ]));
