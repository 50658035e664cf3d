import type { Pod } from "@flotilla/objects";
import { expect, test } from "vitest";
import { now, podOf } from "./pods.fixtures.ts";
import { unready } from "./readiness-claims.ts";

const main = { name: "main", image: "i", imageID: "", restartCount: 2, ready: true, started: true, state: {} };
const claims = (more: Partial<Pod["status"]> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  ...podOf({}, metadata),
  status: {
    phase: "Running",
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Initialized", status: "True" },
    ],
    containerStatuses: [main],
    ...more,
  },
});

test("Ready becomes False, with its reason and time; what stays true stays", () =>
  expect(unready(claims(), now)).toEqual({
    phase: "Running",
    conditions: [
      {
        type: "Ready",
        status: "False",
        reason: "ContainersNotReady",
        message: "containers with unready status: [main]",
        lastTransitionTime: "2026-01-01T12:00:00Z",
      },
      { type: "Initialized", status: "True" },
    ],
    containerStatuses: [{ ...main, ready: false, started: false }],
  }));
test.each<[string, Pod]>([
  ["is not ready", claims({ conditions: [{ type: "Ready", status: "False" }] })],
  ["has ended", claims({ phase: "Succeeded" })],
  ["has no status", podOf()],
  ["mirrors a static pod", claims({}, { annotations: { "kubernetes.io/config.mirror": "x" } })],
])("a pod that %s is left alone", (_, pod) => expect(unready(pod, now)).toBeUndefined());
