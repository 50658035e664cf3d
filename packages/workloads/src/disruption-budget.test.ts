import {
  Deployments,
  newObject,
  ownerReference,
  type Pod,
  type PodDisruptionBudget,
  PodDisruptionBudgets,
  ReplicaSets,
} from "@flotilla/objects";
import { expect, test } from "vitest";
import { disruptionBudgetController } from "./disruption-budget.ts";
import { deployment, later, meta, ready, terminating, unready, wants } from "./testing/objects.ts";
import { World } from "./testing/world.ts";

const key = { namespace: "shop", name: "web" };
type Spec = NonNullable<PodDisruptionBudget["spec"]>;

/** Over three replicas of a Deployment. */
function status(spec: Partial<Spec>, before: PodDisruptionBudget["status"], ...pods: Pod[]) {
  const set = wants(3);
  set.metadata.ownerReferences = [ownerReference(deployment(3), Deployments)];
  const budget = newObject(PodDisruptionBudgets, {
    metadata: meta("web"),
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    ...(before && { status: before }),
  });
  const world = new World(budget, deployment(3), set, ...pods);
  world.now = later;
  world.look(disruptionBudgetController, key);
  expect(world.failures).toEqual([]);
  expect(world.list(ReplicaSets)).toHaveLength(1);
  return world.get(PodDisruptionBudgets, key)?.status;
}
const three = [ready("a"), ready("b"), ready("c")];

test("maxUnavailable", () =>
  expect(status({ maxUnavailable: 1 }, undefined, ...three)).toMatchObject({
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
  }));
test("minAvailable as a part rounds up", () =>
  expect(status({ minAvailable: "50%" }, undefined, ...three)).toMatchObject({
    disruptionsAllowed: 1,
    desiredHealthy: 2,
  }));
test("an unready pod uses the budget up", () =>
  expect(status({ maxUnavailable: 1 }, undefined, ready("a"), ready("b"), unready("c"))).toMatchObject({
    disruptionsAllowed: 0,
    currentHealthy: 2,
  }));
test("a terminating pod does, too", () =>
  expect(status({ maxUnavailable: 1 }, undefined, ready("a"), ready("b"), terminating("c"))).toMatchObject({
    disruptionsAllowed: 0,
  }));
test("a missing pod does, too", () =>
  expect(status({ maxUnavailable: 1 }, undefined, ready("a"), ready("b"))).toMatchObject({
    disruptionsAllowed: 0,
    expectedPods: 3,
  }));
test("minAvailable as a number counts pods", () =>
  expect(status({ minAvailable: 1 }, undefined, ready("a"), ready("b"))).toMatchObject({
    disruptionsAllowed: 1,
    expectedPods: 2,
  }));
test("an eviction that was granted counts until it is forgotten", () => {
  const granted = (time: string) => ({ disruptedPods: { a: time } }) as unknown as PodDisruptionBudget["status"];
  expect(status({ maxUnavailable: 1 }, granted("2026-01-01T00:59:00Z"), ...three)).toMatchObject({
    disruptionsAllowed: 0,
    disruptedPods: { a: "2026-01-01T00:59:00Z" },
  });
  expect(status({ maxUnavailable: 1 }, granted("2026-01-01T00:57:00Z"), ...three)).toMatchObject({
    disruptionsAllowed: 1,
  });
});
test("says whether disruption is allowed", () =>
  expect(status({ maxUnavailable: 0 }, undefined, ...three)?.conditions).toMatchObject([
    { type: "DisruptionAllowed", status: "False", reason: "InsufficientPods" },
  ]));
