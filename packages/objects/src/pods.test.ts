import { expect, test } from "vitest";
import { getCondition, isTrue, microTimeOf, setCondition, timeOf } from "./conditions.ts";
import { Pods, ReplicaSets } from "./generated/resources.ts";
import type { Container, Pod, PodCondition } from "./generated/types.ts";
import { newObject } from "./lookup.ts";
import { controllerOf, isControlledBy, isDeleted, isOwnedBy, ownerReference } from "./owners.ts";
import { isActive, isAvailable, isReady, isTerminal, podRequests } from "./pods.ts";

const pod = (
  spec: Partial<Pod["spec"]> = {},
  status: Pod["status"] = {},
  metadata: Partial<Pod["metadata"]> = {},
): Pod => newObject(Pods, { metadata: { name: "p", ...metadata }, spec: { containers: [], ...spec }, status });

const asks = (cpu: string, restartPolicy?: string): Container => ({
  name: "c",
  restartPolicy,
  resources: { requests: { cpu } },
});
const cpu = (spec: Partial<Pod["spec"]>) => podRequests(pod(spec)).cpu;

test("containers add up", () => expect(cpu({ containers: [asks("100m"), asks("200m")] })).toBe("300m"));
test("a large init container counts alone", () =>
  expect(cpu({ containers: [asks("100m")], initContainers: [asks("1"), asks("500m")] })).toBe("1"));
test("sidecars add to containers", () =>
  expect(cpu({ containers: [asks("100m")], initContainers: [asks("200m", "Always")] })).toBe("300m"));
test("a later init container runs beside the sidecars", () =>
  expect(cpu({ containers: [asks("100m")], initContainers: [asks("200m", "Always"), asks("1")] })).toBe("1200m"));
test("overhead comes on top", () => expect(cpu({ containers: [asks("100m")], overhead: { cpu: "50m" } })).toBe("150m"));
test("requests of the whole pod come first", () =>
  expect(cpu({ containers: [asks("100m")], resources: { requests: { cpu: "2" } } })).toBe("2"));
test("nothing asked, nothing needed", () => expect(podRequests(pod({ containers: [{ name: "c" }] }))).toEqual({}));

const ready = (lastTransitionTime?: string): PodCondition => ({ type: "Ready", status: "True", lastTransitionTime });

test("active is neither ended nor being deleted", () => {
  expect(isActive(pod())).toBe(true);
  expect(isActive(pod({}, { phase: "Failed" }))).toBe(false);
  expect(isTerminal(pod({}, { phase: "Succeeded" }))).toBe(true);
  expect(isActive(pod({}, {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }))).toBe(false);
  expect(isDeleted(pod({}, {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }))).toBe(true);
});

test("available is ready for long enough", () => {
  const now = new Date("2026-01-01T00:00:10Z");
  const since = pod({}, { conditions: [ready("2026-01-01T00:00:05Z")] });
  expect(isReady(since)).toBe(true);
  expect([0, 5, 6].map((seconds) => isAvailable(since, seconds, now))).toEqual([true, true, false]);
  expect(isAvailable(pod(), 0, now)).toBe(false);
});

test("a condition keeps its time while its status stays", () => {
  const early = new Date("2026-01-01T00:00:00.500Z");
  const late = new Date("2026-01-01T00:01:00Z");
  const first = setCondition<PodCondition>(undefined, { type: "Ready", status: "False" }, early);
  const same = setCondition<PodCondition>(first, { type: "Ready", status: "False", reason: "Still" }, late);
  const other = setCondition<PodCondition>(same, { type: "Ready", status: "True" }, late);
  const more = setCondition<PodCondition>(other, { type: "Initialized", status: "True" }, late);
  expect(same).toEqual([
    { type: "Ready", status: "False", reason: "Still", lastTransitionTime: "2026-01-01T00:00:00Z" },
  ]);
  expect(getCondition(other, "Ready")?.lastTransitionTime).toBe("2026-01-01T00:01:00Z");
  expect(more.map(({ type }) => type)).toEqual(["Ready", "Initialized"]);
  expect(isTrue(more, "Ready")).toBe(true);
  expect(isTrue(more, "Other")).toBe(false);
  expect(first).toHaveLength(1);
});

test("times are written as Kubernetes writes them", () => {
  const date = new Date("2026-01-02T03:04:05.678Z");
  expect(timeOf(date)).toBe("2026-01-02T03:04:05Z");
  expect(microTimeOf(date)).toBe("2026-01-02T03:04:05.678000Z");
});

test("owners are known by uid", () => {
  const owner = newObject(ReplicaSets, {
    metadata: { name: "r", uid: "1" },
    spec: { selector: {}, template: {} },
  });
  const mine = pod({}, {}, { ownerReferences: [ownerReference(owner, ReplicaSets)] });
  expect(controllerOf(mine)).toEqual({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: "r",
    uid: "1",
    controller: true,
    blockOwnerDeletion: true,
  });
  const namesake = { ...owner, metadata: { name: "r", uid: "2" } };
  expect([isOwnedBy(mine, owner), isControlledBy(mine, owner), isOwnedBy(mine, namesake)]).toEqual([true, true, false]);
  expect(isOwnedBy(pod(), { ...owner, metadata: { name: "r" } })).toBe(false);
});
