import { typeTable } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "./json.ts";
import { updateManagedFields } from "./update-managed-fields.ts";

const table = typeTable();
const early = new Date("2026-01-01T00:00:00Z");
const at = (seconds: number) => new Date(early.getTime() + seconds * 1000);
type Options = Partial<Parameters<typeof updateManagedFields>[2]>;

const update = (live: JsonObject | undefined, object: JsonObject, manager: string, more: Options = {}) =>
  updateManagedFields(live, object, {
    schema: { table, type: "apps/v1.Deployment" },
    apiVersion: "apps/v1",
    now: early,
    manager,
    ...more,
  });

const metadata = (object: JsonObject) => object.metadata as JsonObject;
const entries = (object: JsonObject) => (metadata(object).managedFields ?? []) as JsonObject[];
const withMetadata = (object: JsonObject, more: JsonObject) => ({
  ...object,
  metadata: { ...metadata(object), ...more },
});
const owners = (object: JsonObject) =>
  Object.fromEntries(
    entries(object).map((entry) => [`${entry.manager}${entry.subresource ? "/status" : ""}`, entry.fieldsV1]),
  );

const deployment: JsonObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop", uid: "u", resourceVersion: "1", generation: 1, labels: { app: "web" } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [{ name: "web", image: "a", resources: {}, ports: [{ containerPort: 80, protocol: "TCP" }] }],
      },
    },
  },
};
const created = update(undefined, deployment, "kubectl-create");

test("a create owns what it set, written as Kubernetes writes it", () => {
  expect(JSON.stringify(entries(created))).toBe(
    JSON.stringify([
      {
        manager: "kubectl-create",
        operation: "Update",
        apiVersion: "apps/v1",
        time: "2026-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
          "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {} }, "f:type": {} },
            "f:template": {
              "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
              "f:spec": {
                "f:containers": {
                  'k:{"name":"web"}': {
                    ".": {},
                    "f:image": {},
                    "f:name": {},
                    "f:ports": {
                      ".": {},
                      'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
                    },
                    "f:resources": {},
                  },
                },
              },
            },
          },
        },
      },
    ]),
  );
});

test("a change passes to its manager", () => {
  const scaled = update(created, { ...created, spec: { ...(created.spec as JsonObject), replicas: 2 } }, "scaler", {
    now: at(5),
  });
  expect(owners(scaled).scaler).toEqual({ "f:spec": { "f:replicas": {} } });
  expect(owners(scaled)["kubectl-create"]).not.toHaveProperty(["f:spec", "f:replicas"]);
  expect(entries(scaled).map((entry) => entry.time)).toEqual(["2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"]);
});

test("what is removed is nobody's, and its manager's time stays", () => {
  const { labels: _, ...rest } = metadata(created);
  const unlabelled = update(created, { ...created, metadata: rest }, "kubectl-create", { now: at(5) });
  expect(owners(unlabelled)["kubectl-create"]).not.toHaveProperty(["f:metadata"]);
  expect(entries(unlabelled)[0]?.time).toBe("2026-01-01T00:00:00Z");
});

test("a manager that owns nothing any more is gone", () => {
  const labelled = update(created, withMetadata(created, { labels: { app: "web", a: "1" } }), "labeller");
  expect(owners(labelled)).toHaveProperty("labeller");
  const gone = update(labelled, withMetadata(labelled, { labels: { app: "web" } }), "kubectl-create");
  expect(owners(gone)).not.toHaveProperty("labeller");
});

test("no change leaves managedFields as they are, without a copy", () => {
  const same = update(created, { ...created }, "somebody", { now: at(5) });
  expect(metadata(same).managedFields).toBe(metadata(created).managedFields);
});

test("a new resourceVersion is no change", () => {
  const same = update(created, withMetadata(created, { resourceVersion: "2", generation: 2 }), "somebody", {
    now: at(5),
  });
  expect(owners(same)).toEqual(owners(created));
});

test("a status update is an owner of its own", () => {
  const ready = update(created, { ...created, status: { replicas: 1 } }, "kube", { subresource: "status" });
  const entry = entries(ready).find((one) => one.subresource === "status");
  expect(entry).toMatchObject({ manager: "kube", operation: "Update", fieldsV1: { "f:status": { "f:replicas": {} } } });
});

test("fields that an endpoint resets are not owned through it", () => {
  const sent = update(undefined, { ...deployment, status: { replicas: 1 } }, "me", { resetFields: [["status"]] });
  expect(owners(sent).me).not.toHaveProperty(["f:status"]);
});

test("conditions are owned one by one", () => {
  const condition = { type: "Available", status: "True", reason: "x" };
  const one = update(created, { ...created, status: { conditions: [condition] } }, "kube", { subresource: "status" });
  expect(owners(one)["kube/status"]).toEqual({
    "f:status": {
      "f:conditions": { ".": {}, 'k:{"type":"Available"}': { ".": {}, "f:reason": {}, "f:status": {}, "f:type": {} } },
    },
  });
});

describe("managedFields in the request", () => {
  test.each([
    ["[]", []],
    ["[{}]", [{}]],
  ])("%s switches tracking off", (_, managedFields) => {
    const reset = update(created, withMetadata(created, { managedFields }), "me");
    expect(metadata(reset)).not.toHaveProperty("managedFields");
    const changed = update(reset, { ...reset, spec: { ...(reset.spec as JsonObject), replicas: 3 } }, "me");
    expect(metadata(changed)).not.toHaveProperty("managedFields");
  });

  test("left out or malformed ones change nothing", () => {
    const { managedFields: _, ...rest } = metadata(created);
    expect(owners(update(created, { ...created, metadata: rest }, "me"))).toEqual(owners(created));
    const bad = withMetadata(created, { managedFields: [{ manager: "x", operation: "Sing" }] });
    expect(owners(update(created, bad, "me"))).toEqual(owners(created));
  });

  test("edited ones count, in our spelling", () => {
    const fieldsV1 = { "f:spec": { 'k:{"b": 1, "a": 2}': {} } };
    const entry = { manager: "x", operation: "Update", apiVersion: "apps/v1", fieldsType: "FieldsV1", fieldsV1 };
    const edited = update(created, withMetadata(created, { managedFields: [entry] }), "me");
    expect(owners(edited)).toEqual({ x: { "f:spec": { 'k:{"a":2,"b":1}': {} } } });
  });

  test("not through a subresource", () => {
    const sent = update(created, withMetadata(created, { managedFields: [] }), "me", { subresource: "status" });
    expect(owners(sent)).toEqual(owners(created));
  });
});

test("ten updaters are remembered, older ones are merged into ancient-changes", () => {
  let object = created;
  for (let i = 1; i <= 14; i++) {
    const labels = { ...(metadata(object).labels as JsonObject), [`l${i}`]: "x" };
    object = update(object, withMetadata(object, { labels }), `m${String(i).padStart(2, "0")}`, { now: at(i) });
  }
  expect(entries(object).length).toBe(10);
  expect(owners(object)["ancient-changes"]).toMatchObject({
    "f:metadata": { "f:labels": { "f:app": {}, "f:l1": {}, "f:l2": {}, "f:l3": {}, "f:l4": {}, "f:l5": {} } },
    "f:spec": { "f:replicas": {} },
  });
  expect(owners(object)).not.toHaveProperty("m05");
  expect(owners(object)).toHaveProperty("m06");
});

test("an object whose list items cannot be told apart is not tracked, and left to validation", () => {
  const nameless = { ...deployment, spec: { template: { spec: { containers: [{ image: "a" }] } } } };
  const sent = update(undefined, nameless, "me");
  expect(metadata(sent)).not.toHaveProperty("managedFields");
  expect(sent.spec).toEqual(nameless.spec);
});
