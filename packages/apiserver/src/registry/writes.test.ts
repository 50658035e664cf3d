import {
  type ConfigMap,
  ConfigMaps,
  type Deployment,
  Deployments,
  Events,
  HorizontalPodAutoscalers,
  Nodes,
  type Pod,
  type PodDisruptionBudget,
  PodDisruptionBudgets,
  Pods,
  resourceOf,
  ServiceAccounts,
} from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { pod, type World, world } from "./verbs.fixture.ts";

const namespace = "default";

const deployment = (more: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "d" },
  spec: {
    selector: { matchLabels: { app: "d" } },
    template: { metadata: { labels: { app: "d" } }, spec: { containers: [{ name: "main", image: "i" }] } },
    ...more,
  },
});

const config = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...more },
  data: { k: "v" },
});

describe("unknown fields", () => {
  const typo = { ...deployment({ replicsa: 2 }) };
  test("are refused when the client is strict", async () => {
    const { create, refusal } = await world();
    const error = await refusal(create(typo, { fieldValidation: "Strict" }));
    expect(error.code).toBe(400);
    expect(error.message).toContain('strict decoding error: unknown field "spec.replicsa"');
  });
  test("are dropped with a warning, or silently", async () => {
    const { create, warnings } = await world();
    const made = await create<Deployment>(typo, { fieldValidation: "Warn", dryRun: true });
    expect(made.spec).not.toHaveProperty("replicsa");
    expect(warnings).toContain('unknown field "spec.replicsa"');
    warnings.length = 0;
    await create<Deployment>(typo, { fieldValidation: "Ignore" });
    expect(warnings).not.toContain('unknown field "spec.replicsa"');
  });
  test("values of a wrong type are refused in any case", async () => {
    const { create, refusal } = await world();
    const error = await refusal(create(deployment({ replicas: "two" }), { fieldValidation: "Ignore" }));
    expect(error.code).toBe(400);
    expect(error.message).toContain("cannot unmarshal string into Go struct field");
  });
});

describe("metadata", () => {
  const cases: [string, object, string][] = [
    ["a label's value", { labels: { a: "not good" } }, "metadata.labels: Invalid value"],
    ["an annotation's key", { annotations: { "a b": "" } }, "metadata.annotations: Invalid value"],
    ["a finalizer", { finalizers: ["plain"] }, "metadata.finalizers[0]: Invalid value"],
    ["an owner without a uid", { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "" }] }, "uid"],
    [
      "two controllers",
      {
        ownerReferences: ["1", "2"].map((uid) => ({ apiVersion: "v1", kind: "Pod", name: uid, uid, controller: true })),
      },
      "Only one reference can have Controller set to true",
    ],
  ];
  for (const [name, metadata, message] of cases)
    test(`${name} is checked`, async () => {
      const { create, refusal } = await world();
      const error = await refusal(create(config("a", metadata)));
      expect(error.code).toBe(422);
      expect(error.message).toContain(message);
    });
  test("what the server sets cannot be set by clients", async () => {
    const { create } = await world();
    const wrong = {
      uid: "mine",
      creationTimestamp: "2001-01-01T00:00:00Z",
      generation: 7,
      deletionTimestamp: "2001-01-01T00:00:00Z",
    };
    const { metadata } = await create<ConfigMap>(config("a", wrong));
    expect(metadata.uid).not.toBe("mine");
    expect(metadata.creationTimestamp).toBe("2026-01-01T00:00:00Z");
    expect(metadata.deletionTimestamp).toBeUndefined();
  });
  test("no finalizer comes once the end has begun", async () => {
    const { create, registry, done, context, refusal, patch } = await world();
    await create<ConfigMap>(config("a", { finalizers: ["example.com/a"] }));
    await done(registry.delete({ resource: ConfigMaps, namespace, name: "a" }, {}, context));
    const error = await refusal(
      patch(ConfigMaps, "a", { metadata: { finalizers: ["example.com/a", "example.com/b"] } }),
    );
    expect(error.message).toContain(
      'no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
    );
  });
});

describe("dry runs", () => {
  test("of an update show what would be, under the version that is", async () => {
    const { create, registry, done, context } = await world();
    const made = await create<Deployment>(deployment());
    const target = { resource: Deployments, namespace, name: "d" };
    const patch = { type: "merge" as const, body: { spec: { replicas: 5 } } };
    const { object } = await done(registry.patch(target, patch, { ...context, dryRun: true }));
    expect((object as Deployment).spec.replicas).toBe(5);
    expect(object.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect(registry.get(Deployments, target)).toEqual(made);
  });
  test("of a deletion leave it there", async () => {
    const { create, registry, done, context } = await world();
    await create<ConfigMap>(config("a"));
    const target = { resource: ConfigMaps, namespace, name: "a" };
    await done(registry.delete(target, {}, { ...context, dryRun: true }));
    expect(registry.get(ConfigMaps, target).metadata.deletionTimestamp).toBeUndefined();
  });
});

describe("managed fields", () => {
  test("name who wrote what, through which subresource", async () => {
    const { create, patch, registry } = await world();
    await create<Deployment>(deployment());
    await patch(Deployments, "d", { status: { observedGeneration: 1 } }, "status");
    const { metadata } = registry.get(Deployments, { namespace, name: "d" });
    expect(
      metadata.managedFields?.map(({ manager, operation, subresource }) => ({ manager, operation, subresource })),
    ).toEqual([
      { manager: "test", operation: "Update", subresource: undefined },
      { manager: "test", operation: "Update", subresource: "status" },
    ]);
  });
  test("that would change in time alone are no change", async () => {
    const { create, patch, advance } = await world();
    const made = await create<ConfigMap>(config("a"));
    await advance(60_000);
    expect(await patch(ConfigMaps, "a", { data: { k: "v" } })).toEqual(made);
  });
});

describe("deleteCollection", () => {
  test("removes what is selected", async () => {
    const { create, registry, done, context } = await world();
    for (const name of ["a", "b", "c"])
      await create<ConfigMap>(config(name, { labels: { keep: String(name === "c") } }));
    const selection = { namespace, labelSelector: "keep=false" };
    const { items } = await done(registry.deleteCollection(ConfigMaps, selection, {}, context));
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
    const left = registry.list(ConfigMaps, { namespace }).items.map(({ metadata }) => metadata.name);
    expect(left).toEqual(["c", "kube-root-ca.crt"]);
  });
});

describe("scale", () => {
  test("is read from the workload and refuses less than none", async () => {
    const { create, registry, refusal, patch } = await world();
    await create<Deployment>(deployment({ replicas: 3 }));
    expect(registry.get(Deployments, { namespace, name: "d" }, { subresource: "scale" })).toMatchObject({
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      spec: { replicas: 3 },
      status: { replicas: 0, selector: "app=d" },
    });
    const error = await refusal(patch(Deployments, "d", { spec: { replicas: -1 } }, "scale"));
    expect(error.message).toBe(
      'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
  });
});

describe("eviction", () => {
  async function running(each: World, budget: object): Promise<() => Promise<unknown>> {
    await each.create<Pod>(pod("p", { nodeName: "n" }, { labels: { app: "a" } }));
    const ready = { type: "Ready", status: "True", lastProbeTime: null, lastTransitionTime: "2026-01-01T00:00:00Z" };
    await each.patch(Pods, "p", { status: { phase: "Running", conditions: [ready] } }, "status");
    await each.create<PodDisruptionBudget>({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "b" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } },
    });
    await each.patch(PodDisruptionBudgets, "b", { status: budget }, "status");
    const object = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p", namespace } } as never;
    const target = { resource: Pods, namespace, name: "p", subresource: "eviction" };
    return () => each.done(each.registry.create(target, object, each.context));
  }
  const status = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration: 1 };

  test("is refused where the budget is used up", async () => {
    const each = await world();
    const evict = await running(each, { ...status, disruptionsAllowed: 0 });
    const error = await each.refusal(evict());
    expect(error.status).toMatchObject({
      code: 429,
      reason: "TooManyRequests",
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          { reason: "DisruptionBudget", message: "The disruption budget b needs 1 healthy pods and has 1 currently" },
        ],
      },
    });
    expect(each.registry.get(Pods, { namespace, name: "p" }).metadata.deletionTimestamp).toBeUndefined();
  });
  test("takes from the budget and ends the pod", async () => {
    const each = await world();
    await (await running(each, { ...status, disruptionsAllowed: 1 }))();
    const evicted = each.registry.get(Pods, { namespace, name: "p" }) as Pod;
    expect(evicted.metadata.deletionTimestamp).toBeDefined();
    expect(evicted.status?.conditions?.at(-1)).toMatchObject({
      type: "DisruptionTarget",
      reason: "EvictionByEvictionAPI",
    });
    const budget = each.registry.get(PodDisruptionBudgets, { namespace, name: "b" }) as PodDisruptionBudget;
    expect(budget.status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { p: "2026-01-01T00:00:00Z" } });
  });
});

describe("tokens", () => {
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: { name: "default" } };
  const target = { resource: ServiceAccounts, namespace, name: "default", subresource: "token" };
  test("come from the issuer", async () => {
    const { registry, done, context } = await world({
      tokens: {
        issue: ({ serviceAccount, audiences }) => ({
          token: `${serviceAccount.namespace}/${serviceAccount.name} for ${audiences.join()}`,
          expirationTimestamp: "2026-01-01T01:00:00Z",
        }),
      },
    });
    const answer = await done(
      registry.create(target, { ...request, spec: { audiences: ["vault"] } } as never, context),
    );
    expect(answer).toMatchObject({ kind: "TokenRequest", status: { token: "default/default for vault" } });
  });
  test("are not too short lived, and not to be had without an issuer", async () => {
    const { registry, context, refusal } = await world();
    const short = { ...request, spec: { audiences: [], expirationSeconds: 60 } } as never;
    expect((await refusal(registry.create(target, short, context))).message).toContain(
      "may not specify a duration less than 10 minutes",
    );
    const plain = { ...request, spec: { audiences: [] } } as never;
    expect((await refusal(registry.create(target, plain, context))).code).toBe(503);
  });
});

describe("other versions of what is stored in one", () => {
  const v1 = resourceOf("autoscaling", "v1", "horizontalpodautoscalers");
  test("autoscaling/v1 shows and changes the autoscalers of v2", async () => {
    if (!v1) throw new Error("autoscaling/v1 is not in the table");
    const { create, registry, patch } = await world();
    const spec = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 5 };
    await create({
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "h" },
      spec: { ...spec, targetCPUUtilizationPercentage: 70 },
    });
    const key = { namespace, name: "h" };
    expect(registry.get(HorizontalPodAutoscalers, key)).toMatchObject({
      apiVersion: "autoscaling/v2",
      spec: {
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
        ],
      },
    });
    await patch(v1, "h", { spec: { targetCPUUtilizationPercentage: 50 } });
    expect(registry.get(v1, key)).toMatchObject({
      apiVersion: "autoscaling/v1",
      spec: { maxReplicas: 5, targetCPUUtilizationPercentage: 50 },
    });
  });
  test("events of both groups are the same ones", async () => {
    const { create, registry } = await world();
    const about = { kind: "Pod", namespace, name: "p" };
    await create({
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "e" },
      regarding: about,
      note: "hello",
      reason: "Greeting",
      type: "Normal",
      action: "Greet",
      eventTime: "2026-01-01T00:00:00.000000Z",
      reportingController: "example.com/greeter",
      reportingInstance: "greeter-1",
    });
    const [event] = registry.list(Events, { namespace }).items;
    expect(event).toMatchObject({ apiVersion: "v1", message: "hello", involvedObject: about });
  });
});

describe("nodes", () => {
  test("say how they are when they register", async () => {
    const { create, registry } = await world();
    const status = { capacity: { cpu: "2" } };
    await create({ apiVersion: "v1", kind: "Node", metadata: { name: "n" }, status });
    expect(registry.get(Nodes, { name: "n" })).toMatchObject({ status });
  });
});
