import { ConfigMaps, newObject, type Pod } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import type { LocalPod } from "./local-pod.ts";
import { decidePod, type PodEffect } from "./pod-controller.ts";
import { decidePodStatus } from "./pod-status-controller.ts";
import { exited, facts, localOf, nothing, now, podOf, running, withContainer } from "./pods.fixtures.ts";

const deleted = { deletionTimestamp: "2026-01-01T11:59:59Z", deletionGracePeriodSeconds: 30 };
const effects = (pod: Pod | undefined, locals: readonly LocalPod[] = [], inputs = nothing) =>
  (decidePod({ pod, locals, inputs }, facts, now).effects ?? []).map(({ do: effect }) => {
    const { do: verb, ...rest } = effect as PodEffect & { name?: string };
    return rest.name ? `${verb} ${rest.name}` : verb;
  });
/** Once its volumes are made. */
const mounted = (pod: Pod, containers: LocalPod["containers"] = {}, more: Partial<LocalPod> = {}) => {
  const first = decidePod(
    { pod, locals: [localOf(pod, {}, { volumes: { busy: false } })], inputs: nothing },
    facts,
    now,
  );
  const mount = first.effects?.map(({ do: effect }) => effect as PodEffect).find((effect) => effect.do === "mount");
  return localOf(pod, containers, { volumes: { busy: false, hash: mount?.hash }, ...more });
};
const writes = (pod: Pod, locals: readonly LocalPod[]) =>
  (decidePodStatus({ pod, locals, inputs: nothing }, facts, now).writes ?? []).map((write) =>
    write && "verb" in write
      ? `${write.verb}${"subresource" in write && write.subresource ? ` ${write.subresource}` : ""}`
      : "",
  );
const statusOf = (pod: Pod, local: LocalPod) => {
  const write = decidePodStatus({ pod, locals: [local], inputs: nothing }, facts, now).writes?.[0];
  return write && "object" in write ? (write.object as Pod).status : undefined;
};
const condition = (pod: Pod, local: LocalPod, type: string) =>
  statusOf(pod, local)?.conditions?.find((each) => each.type === type);

test("a pod that is new here is admitted", () => expect(effects(podOf())).toEqual(["admit"]));
test("its volumes come first", () =>
  expect(effects(podOf(), [localOf(podOf(), {}, { volumes: { busy: false } })])).toEqual(["mount"]));
test("then its container", () => expect(effects(podOf(), [mounted(podOf())])).toEqual(["start main"]));
test("volumes that are being made are waited for", () =>
  expect(effects(podOf(), [localOf(podOf(), {}, { volumes: { busy: true } })])).toEqual([]));
test("a change of the object is seen", () =>
  expect(effects(podOf({}, { resourceVersion: "2" }), [mounted(podOf(), { main: running() })])).toEqual(["see"]));
test("what is deleted here before it ran is let go of", () => {
  expect(effects(podOf({}, deleted))).toEqual([]);
  expect(writes(podOf({}, deleted), [])).toEqual(["delete"]);
});
test("what is deleted is ended", () => {
  const pod = podOf({}, deleted);
  expect(effects(pod, [mounted(pod, { main: running() })])).toEqual(["stop main"]);
  expect(writes(pod, [mounted(pod, { main: running() })])).toEqual(["update status"]);
});
test("once", () => {
  const stopping = running({ state: { is: "running", id: "r", startedAt: 0, stopping: { graceMs: 30_000 } } });
  const pod = podOf({}, deleted);
  expect(effects(pod, [mounted(pod, { main: stopping })])).toEqual([]);
  const sooner = podOf({}, { ...deleted, deletionGracePeriodSeconds: 2 });
  expect(effects(sooner, [mounted(sooner, { main: stopping })])).toEqual(["stop main"]);
});
test("when all has ended it is deleted from the API, shown as ended", () => {
  const pod = podOf({}, deleted);
  const local = mounted(pod, { main: exited(143) });
  expect(writes(pod, [local])).toEqual(["update status", "delete"]);
  expect(statusOf(pod, local)?.phase).toBe("Failed");
});
test("then it is forgotten", () =>
  expect(effects(undefined, [localOf(podOf(), { main: exited(0) })])).toEqual(["forget"]));
test("another pod of the same name waits for nothing, the earlier one is ended", () =>
  expect(effects(podOf({}, { uid: "new" }), [mounted(podOf(), { main: running() })])).toEqual(["stop main", "admit"]));
test("a deadline ends the pod", () => {
  const pod = podOf({ activeDeadlineSeconds: 3600 });
  expect(effects(pod, [mounted(pod, { main: running() })])).toEqual(["stop main"]);
  expect(statusOf(pod, mounted(pod, { main: exited(143) }))).toMatchObject({
    phase: "Failed",
    reason: "DeadlineExceeded",
  });
});
test("what happened is told once", () => {
  const local = mounted(
    podOf(),
    { main: running() },
    { notes: [{ number: 4, type: "Normal", reason: "Started", message: "m" }] },
  );
  const decision = decidePod({ pod: podOf(), locals: [local], inputs: nothing }, facts, now);
  expect(decision.events).toMatchObject([{ reason: "Started" }]);
  expect(effects(podOf(), [local])).toEqual(["told"]);
});
test("a missing ConfigMap is said once and mended by the ConfigMap", () => {
  const pod = withContainer({ env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }] });
  const failure = {
    reason: "CreateContainerConfigError",
    message: 'configmap "c" not found',
    at: now,
    count: 1,
    awaitsObjects: true,
  };
  const waiting = mounted(pod, { main: { ...running(), state: { is: "idle" }, failure } });
  expect(effects(pod, [mounted(pod)])).toEqual(["start main"]);
  expect(effects(pod, [waiting])).toEqual([]);
  const found = newObject(ConfigMaps, { metadata: { name: "c" }, data: { k: "v" } });
  expect(effects(pod, [waiting], { ...nothing, configMaps: new Map([["c", found]]) })).toEqual(["start main"]);
});
test("an address of what has ended is given back", () => {
  const pod: Pod = { ...podOf({ restartPolicy: "Never" }), status: { phase: "Succeeded" } };
  expect(effects(pod, [mounted(pod, { main: exited(0) })])).toEqual(["release"]);
});

describe("status", () => {
  test("pending until it runs", () => expect(statusOf(podOf(), localOf(podOf()))?.phase).toBe("Pending"));
  test("running", () => {
    const local = localOf(podOf(), { main: running() });
    expect(statusOf(podOf(), local)).toMatchObject({ phase: "Running", podIP: "127.96.1.7", qosClass: "BestEffort" });
    expect(condition(podOf(), local, "Ready")?.status).toBe("True");
  });
  test("not ready, by name", () =>
    expect(condition(podOf(), localOf(podOf(), { main: running({ ready: false }) }), "Ready")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [main]",
    }));
  test("not initialized, by name", () => {
    const pod = podOf({ initContainers: [{ name: "one", image: "i" }] });
    const local = localOf(pod, { one: running() });
    expect(condition(pod, local, "Initialized")).toMatchObject({
      status: "False",
      message: "containers with incomplete status: [one]",
    });
    expect(statusOf(pod, local)?.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: "PodInitializing" } });
  });
  test("one that listens where nobody reaches it is not ready", () => {
    const local = localOf(podOf(), {
      main: running({ fault: { reason: "WrongListener", message: "listens on 0.0.0.0:80; bind to $HOST" } }),
    });
    expect(condition(podOf(), local, "Ready")?.status).toBe("False");
    expect(condition(podOf(), local, "flotilla.dev/Reachable")?.message).toContain("bind to $HOST");
  });
  test("readiness gates hold it back", () => {
    const pod = podOf({ readinessGates: [{ conditionType: "x/y" }] });
    expect(condition(pod, localOf(pod, { main: running() }), "Ready")?.reason).toBe("ReadinessGatesNotReady");
  });
  test("a condition keeps its time while its status stays", () => {
    const old = { type: "Ready", status: "True" as const, lastTransitionTime: "2025-01-01T00:00:00Z" };
    const pod: Pod = { ...podOf(), status: { conditions: [old] } };
    expect(condition(pod, localOf(pod, { main: running() }), "Ready")?.lastTransitionTime).toBe("2025-01-01T00:00:00Z");
  });
  test("conditions of others stay", () => {
    const other = { type: "x/y", status: "True" as const };
    const pod: Pod = { ...podOf(), status: { conditions: [other] } };
    expect(condition(pod, localOf(pod, { main: running() }), "x/y")).toEqual(other);
  });
  test("a decision applied leads to no other", () => {
    const local = localOf(podOf(), { main: running() });
    const status = statusOf(podOf(), local);
    expect(statusOf({ ...podOf(), status }, local)).toEqual(status);
  });
});
