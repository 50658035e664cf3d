import { typeTable } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { apply } from "./apply.ts";
import { ApplyConflictError } from "./apply-conflict.ts";
import type { JsonObject } from "./json.ts";
import { ApplyError } from "./patch-error.ts";
import { updateManagedFields } from "./update-managed-fields.ts";

const table = typeTable();
const early = new Date("2026-01-01T00:00:00.5Z");
const late = new Date("2026-01-01T00:01:00Z");

type Options = Partial<Parameters<typeof apply>[2]>;
const deployments = { schema: { table, type: "apps/v1.Deployment" }, apiVersion: "apps/v1" };
const applied = (live: JsonObject | undefined, config: JsonObject, manager: string, more: Options = {}) =>
  apply(live, config, { ...deployments, now: early, manager, ...more });
const updated = (live: JsonObject | undefined, object: JsonObject, manager: string, more: Options = {}) =>
  updateManagedFields(live, object, { ...deployments, now: early, manager, ...more });

/** Who owns what, as in managedFields but without the rest. */
function owners(object: JsonObject): Record<string, unknown> {
  const list = (object.metadata as JsonObject).managedFields as JsonObject[] | undefined;
  return Object.fromEntries((list ?? []).map((entry) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1]));
}

const deployment = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop", ...metadata },
  spec,
});
const web = (container: JsonObject) => ({ template: { spec: { containers: [{ name: "web", ...container }] } } });
const containers = (object: JsonObject) => {
  const { template } = object.spec as { template: { spec: { containers: JsonObject[] } } };
  return template.spec.containers;
};

describe("apply", () => {
  test("creates the object and owns exactly its leaves", () => {
    const config = deployment(
      { replicas: 2, ...web({ image: "a", ports: [{ containerPort: 80 }] }) },
      { labels: { a: "b" } },
    );
    const { object, changed } = applied(undefined, config, "me");
    expect(changed).toBe(true);
    expect(object).toEqual({
      ...config,
      metadata: { ...(config.metadata as JsonObject), managedFields: expect.anything() },
    });
    expect((object.metadata as JsonObject).managedFields).toEqual([
      {
        manager: "me",
        operation: "Apply",
        apiVersion: "apps/v1",
        time: "2026-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": { "f:labels": { "f:a": {} } },
          "f:spec": {
            "f:replicas": {},
            "f:template": {
              "f:spec": {
                "f:containers": {
                  'k:{"name":"web"}': {
                    ".": {},
                    "f:image": {},
                    "f:name": {},
                    "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  test("again changes nothing, time stamps included", () => {
    const config = deployment({ replicas: 2, ...web({ image: "a" }) });
    const { object } = applied(undefined, config, "me");
    const again = applied(object, config, "me", { now: late });
    expect(again.changed).toBe(false);
    expect(again.object).toBe(object);
  });

  test("removes what it no longer states and nobody else owns", () => {
    const first = applied(
      undefined,
      deployment({ replicas: 2, paused: true, ...web({ image: "a", tty: true }) }),
      "me",
    ).object;
    const second = applied(first, deployment({ replicas: 2, ...web({ image: "a" }) }), "me").object;
    expect(second.spec).toEqual({ replicas: 2, ...web({ image: "a" }) });
  });

  test("keeps what others own, too", () => {
    const mine = applied(undefined, deployment({ replicas: 2, paused: true }), "me").object;
    const shared = applied(mine, deployment({ paused: true }), "you").object;
    const without = applied(shared, deployment({ replicas: 2 }), "me").object;
    expect(without.spec).toEqual({ replicas: 2, paused: true });
    expect(owners(without)).toEqual({
      "me Apply": { "f:spec": { "f:replicas": {} } },
      "you Apply": { "f:spec": { "f:paused": {} } },
    });
  });

  test("merges ports by containerPort and the defaulted protocol", () => {
    const live = updated(
      undefined,
      deployment(web({ ports: [{ containerPort: 80, protocol: "TCP", name: "http" }] })),
      "kube",
    );
    const { object } = applied(
      live,
      deployment(web({ ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }] })),
      "me",
    );
    expect(containers(object)[0]?.ports).toEqual([
      { containerPort: 80, protocol: "TCP", name: "http" },
      { containerPort: 80, protocol: "UDP" },
    ]);
  });

  test("replaces an atomic selector as a whole", () => {
    const services = { schema: { table, type: "core/v1.Service" }, apiVersion: "v1" };
    const service = (selector: JsonObject) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "a" },
      spec: { selector },
    });
    const first = apply(undefined, service({ a: "1", b: "2" }), { ...services, now: early, manager: "me" }).object;
    const second = apply(first, service({ c: "3" }), { ...services, now: early, manager: "me" }).object;
    expect(second).toMatchObject({ spec: { selector: { c: "3" } } });
    expect((second as { spec: JsonObject }).spec.selector).toEqual({ c: "3" });
  });

  test("an emptied map disappears", () => {
    const first = applied(undefined, deployment({ replicas: 1 }, { labels: { a: "b" } }), "me").object;
    const second = applied(first, deployment({ replicas: 1 }), "me").object;
    expect(second.metadata).not.toHaveProperty("labels");
  });

  test("an object that nobody tracked has been there before the first apply", () => {
    const live = deployment({ replicas: 3, minReadySeconds: 1 }, { uid: "u" });
    const { object } = applied(live, deployment({ paused: true }), "me");
    expect(owners(object)).toEqual({
      "before-first-apply Update": { "f:spec": { "f:minReadySeconds": {}, "f:replicas": {} } },
      "me Apply": { "f:spec": { "f:paused": {} } },
    });
    expect(JSON.stringify(owners(object))).toContain('"f:spec":{"f:minReadySeconds":{},"f:replicas":{}}');
  });

  test("a null creationTimestamp states nothing", () => {
    const live = applied(undefined, deployment({ replicas: 1 }), "me").object;
    const stored = {
      ...live,
      metadata: { ...(live.metadata as JsonObject), creationTimestamp: "2026-01-01T00:00:00Z" },
    };
    expect(applied(stored, deployment({ replicas: 1 }, { creationTimestamp: null }), "me").changed).toBe(false);
  });
});

describe("conflicts", () => {
  const live = updated(undefined, deployment({ replicas: 1, paused: true }), "kubectl-client-side-apply");

  const conflictOf = (config: JsonObject, object = live): ApplyConflictError => {
    try {
      applied(object, config, "me");
    } catch (error) {
      if (error instanceof ApplyConflictError) return error;
      throw error;
    }
    throw new Error("no conflict");
  };

  test("one is named as Kubernetes does", () => {
    const error = conflictOf(deployment({ replicas: 2 }));
    const message = 'conflict with "kubectl-client-side-apply" using apps/v1';
    expect(error.message).toBe(`Apply failed with 1 conflict: ${message}: .spec.replicas`);
    expect(error.status).toMatchObject({
      code: 409,
      reason: "Conflict",
      details: { causes: [{ reason: "FieldManagerConflict", message, field: ".spec.replicas" }] },
    });
  });

  test("several are grouped by manager", () => {
    const status = { subresource: "status" } as const;
    const both = updated(live, { ...live, status: { replicas: 1 } }, "kube", status);
    const error = conflictOf({ ...deployment({ replicas: 2, paused: false }), status: { replicas: 2 } }, both);
    expect(error.message).toBe(
      [
        'Apply failed with 3 conflicts: conflicts with "kube" with subresource "status" using apps/v1:',
        "- .status.replicas",
        'conflicts with "kubectl-client-side-apply" using apps/v1:',
        "- .spec.paused",
        "- .spec.replicas",
      ].join("\n"),
    );
  });

  test("an item of a list is named by its keys", () => {
    const taken = applied(undefined, deployment(web({ image: "a" })), "you").object;
    const { conflicts } = conflictOf(deployment(web({ image: "b" })), taken);
    expect(conflicts).toEqual([
      {
        manager: "you",
        operation: "Apply",
        apiVersion: "apps/v1",
        field: '.spec.template.spec.containers[name="web"].image',
      },
    ]);
  });

  test("equal values are shared", () => {
    const { object } = applied(live, deployment({ replicas: 1 }), "me");
    expect(owners(object)).toEqual({
      "me Apply": { "f:spec": { "f:replicas": {} } },
      "kubectl-client-side-apply Update": { "f:spec": { "f:paused": {}, "f:replicas": {} } },
    });
  });

  test("force takes the fields from others", () => {
    const { object } = applied(live, deployment({ replicas: 2 }), "me", { force: true });
    expect(object.spec).toEqual({ replicas: 2, paused: true });
    expect(owners(object)).toEqual({
      "me Apply": { "f:spec": { "f:replicas": {} } },
      "kubectl-client-side-apply Update": { "f:spec": { "f:paused": {} } },
    });
  });

  test("kubectl takes over what its own annotation says it applied", () => {
    const config = deployment({ replicas: 1 });
    const annotation = "kubectl.kubernetes.io/last-applied-configuration";
    const annotations = { [annotation]: JSON.stringify(config) };
    const clientSide = updated(undefined, deployment({ replicas: 1 }, { annotations }), "kubectl-client-side-apply");
    const { object } = applied(clientSide, deployment({ replicas: 5 }), "kubectl");
    expect(object.spec).toEqual({ replicas: 5 });
    const said = (object.metadata as { annotations: Record<string, string> }).annotations[annotation] ?? "";
    expect(JSON.parse(said)).toEqual(deployment({ replicas: 5 }));
  });

  test("kubectl does not take over what somebody changed since", () => {
    const annotations = {
      "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(deployment({ replicas: 1 })),
    };
    const clientSide = updated(undefined, deployment({ replicas: 1 }, { annotations }), "kubectl-client-side-apply");
    const scaled = updated(clientSide, { ...clientSide, spec: { replicas: 3 } }, "hpa");
    expect(() => applied(scaled, deployment({ replicas: 5 }), "kubectl")).toThrow('conflict with "hpa" using apps/v1');
  });
});

describe("refuses", () => {
  const refused: [string, JsonObject, string][] = [
    ["an unknown field", deployment({ replica: 1 }), ".spec.replica: field not declared in schema"],
    ["a wrong type", deployment({ replicas: "1" }), '.spec.replicas: expected numeric (int or float), got "1"'],
    [
      "a map for a list",
      deployment({ template: { spec: { containers: {} } } }),
      ".containers: expected list, got object",
    ],
    [
      "a duplicate",
      deployment({ template: { spec: { containers: [{ name: "a" }, { name: "a" }] } } }),
      'duplicate entries for key [name="a"]',
    ],
    [
      "an item without its key",
      deployment({ template: { spec: { containers: [{ image: "a" }] } } }),
      'omits all key fields ["name"]',
    ],
    ["managedFields", deployment({}, { managedFields: [] }), "metadata.managedFields must be nil"],
    ["another version", { ...deployment({}), apiVersion: "v1" }, "Specified patch version: v1, expected: apps/v1"],
  ];
  test.each(refused)("%s", (_, config, message) => {
    expect(() => applied(undefined, config, "me")).toThrow(ApplyError);
    expect(() => applied(undefined, config, "me")).toThrow(message);
  });
});

test("a live object whose list items cannot be told apart is refused", () => {
  const live = deployment({ template: { spec: { containers: [{ image: "a" }] } } });
  const tracked = applied(undefined, deployment({ paused: true }), "me").object;
  const broken = { ...tracked, spec: live.spec as JsonObject };
  for (const object of [live, broken]) {
    expect(() => applied(object, deployment(web({ image: "b" })), "me")).toThrow(ApplyError);
  }
});

describe("kinds without a schema", () => {
  const custom = { schema: { table, type: undefined }, apiVersion: "example.com/v1" };
  const thing = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
    apiVersion: "example.com/v1",
    kind: "Thing",
    metadata: { name: "a", ...metadata },
    spec,
  });
  const applyThing = (live: JsonObject | undefined, config: JsonObject, manager: string) =>
    apply(live, config, { ...custom, now: early, manager });

  test("objects are granular, lists atomic, metadata known", () => {
    const first = applyThing(
      undefined,
      thing({ a: { b: 1 }, list: [{ name: "x" }] }, { finalizers: ["one"] }),
      "me",
    ).object;
    const second = applyThing(first, thing({ a: { c: 2 } }, { finalizers: ["two"] }), "you").object;
    expect(second).toMatchObject({
      spec: { a: { b: 1, c: 2 }, list: [{ name: "x" }] },
      metadata: { finalizers: ["one", "two"] },
    });
    expect(owners(second)).toEqual({
      "me Apply": {
        "f:metadata": { "f:finalizers": { 'v:"one"': {} } },
        "f:spec": { ".": {}, "f:a": { ".": {}, "f:b": {} }, "f:list": {} },
      },
      "you Apply": {
        "f:metadata": { "f:finalizers": { 'v:"two"': {} } },
        "f:spec": { ".": {}, "f:a": { ".": {}, "f:c": {} } },
      },
    });
  });
});
