import {
  type CustomResourceDefinition,
  CustomResourceDefinitions,
  type KubeObject,
  type Resource,
} from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { type World, world } from "../registry/verbs.fixture.ts";

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "integer", minimum: 1, maximum: 10 },
        mode: { type: "string", enum: ["fast", "slow"], default: "slow" },
        code: { type: "string", pattern: "^[a-z]+$", maxLength: 4 },
        port: { "x-kubernetes-int-or-string": true },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        parts: {
          type: "array",
          maxItems: 3,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, weight: { type: "number", default: 1 } },
          },
        },
        labels: { type: "object", additionalProperties: { type: "string" } },
      },
    },
    status: { type: "object", properties: { size: { type: "integer" } } },
  },
};

const definition = (more: object = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList", shortNames: ["wd"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" } },
      },
      { name: "v1beta1", served: true, storage: false, schema: { openAPIV3Schema: schema } },
    ],
    ...more,
  },
});

interface Widget extends KubeObject {
  spec: { size?: number; [field: string]: unknown };
  status?: { size?: number };
}

const widget = (spec: object, name = "w") => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name },
  spec,
});

async function withWidgets(): Promise<World & { widgets: Resource<Widget> }> {
  const each = await world();
  await each.create<CustomResourceDefinition>(definition());
  const widgets = each.registry.resource("example.com", "v1", "widgets");
  if (!widgets) throw new Error("not served");
  return { ...each, widgets: widgets as Resource<Widget> };
}

describe("a definition", () => {
  test("is established at once and served", async () => {
    const { registry, widgets } = await withWidgets();
    const made = registry.get(CustomResourceDefinitions, { name: "widgets.example.com" }) as CustomResourceDefinition;
    expect(made.status?.conditions).toMatchObject([
      { type: "NamesAccepted", status: "True" },
      { type: "Established", status: "True" },
    ]);
    expect(made.status?.storedVersions).toEqual(["v1"]);
    expect(widgets).toMatchObject({
      kind: "Widget",
      namespaced: true,
      shortNames: ["wd"],
      subresources: ["status", "scale"],
    });
  });
  test("tells who listens that the resources have changed", async () => {
    const { registry, create } = await world();
    let changes = 0;
    registry.onResourcesChange(() => changes++);
    await create<CustomResourceDefinition>(definition());
    expect(changes).toBe(1);
  });
  test("takes its objects with it, and is no longer served", async () => {
    const { registry, create, done, context, widgets, refusal } = await withWidgets();
    await create<Widget>(widget({ size: 1 }));
    await done(registry.delete({ resource: CustomResourceDefinitions, name: "widgets.example.com" }, {}, context));
    expect(registry.resource("example.com", "v1", "widgets")).toBeUndefined();
    const error = await refusal(Promise.resolve().then(() => registry.list(widgets)));
    expect(error.message).toBe("the server could not find the requested resource");
    await create<CustomResourceDefinition>(definition());
    expect(registry.list(widgets).items).toEqual([]);
  });
});

describe("its objects", () => {
  test("get defaults, a generation and managed fields", async () => {
    const { create } = await withWidgets();
    const made = await create<Widget>(widget({ size: 2, parts: [{ name: "a" }] }));
    expect(made.spec).toEqual({ size: 2, mode: "slow", parts: [{ name: "a", weight: 1 }] });
    expect(made.metadata.generation).toBe(1);
    expect(made.metadata.managedFields).toHaveLength(1);
  });
  test("lose unknown fields, but not where they are kept", async () => {
    const { create, warnings } = await withWidgets();
    const odd = widget({ size: 2, colour: "red", free: { any: { thing: 1 } } });
    const made = await create<Widget>(odd, { fieldValidation: "Warn" });
    expect(made.spec).not.toHaveProperty("colour");
    expect(made.spec.free).toEqual({ any: { thing: 1 } });
    expect(warnings).toEqual(['unknown field "spec.colour"']);
  });
  test("are refused for unknown fields when the client is strict", async () => {
    const { create, refusal } = await withWidgets();
    expect((await refusal(create(widget({ size: 2, colour: "red" })))).message).toBe(
      'strict decoding error: unknown field "spec.colour"',
    );
  });

  const mistakes: [string, object, string][] = [
    ["a missing field", {}, "spec.size: Required value"],
    [
      "a wrong type",
      { size: "2" },
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    ],
    ["too little", { size: 0 }, "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"],
    ["too much", { size: 11 }, "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"],
    [
      "none of the values",
      { size: 1, mode: "x" },
      'spec.mode: Unsupported value: "x": supported values: "fast", "slow"',
    ],
    [
      "another pattern",
      { size: 1, code: "A" },
      "spec.code: Invalid value: \"A\": spec.code in body should match '^[a-z]+$'",
    ],
    ["too long a text", { size: 1, code: "abcde" }, "spec.code: Too long: may not be more than 4 bytes"],
    [
      "an item twice",
      { size: 1, parts: [{ name: "a" }, { name: "a" }] },
      'spec.parts[1]: Duplicate value: {"name":"a"}',
    ],
    ["a wrong value in a map", { size: 1, labels: { a: 1 } }, "spec.labels.a in body must be of type string"],
    ["neither number nor text", { size: 1, port: true }, "spec.port in body must be of type integer,string"],
  ];
  for (const [name, spec, message] of mistakes)
    test(`are refused for ${name}`, async () => {
      const { create, refusal } = await withWidgets();
      const error = await refusal(create(widget(spec)));
      expect(error.code).toBe(422);
      expect(error.message).toContain(message);
    });

  test("have a status and a scale of their own", async () => {
    const { create, registry, patch, widgets } = await withWidgets();
    await create<Widget>({ ...widget({ size: 2 }), status: { size: 9 } });
    const key = { namespace: "default", name: "w" };
    expect((registry.get(widgets, key) as Widget).status).toBeUndefined();
    await patch(widgets, "w", { spec: { size: 9 }, status: { size: 2 } }, "status");
    await patch(widgets, "w", { spec: { replicas: 4 } }, "scale");
    expect(registry.get(widgets, key)).toMatchObject({ spec: { size: 4 }, status: { size: 2 } });
    expect(registry.get(widgets, key, { subresource: "scale" })).toMatchObject({
      kind: "Scale",
      spec: { replicas: 4 },
      status: { replicas: 2 },
    });
  });
  test("must say of which version an update is", async () => {
    const { create, registry, context, refusal, widgets } = await withWidgets();
    await create<Widget>(widget({ size: 2 }));
    const target = { resource: widgets, namespace: "default", name: "w" };
    const error = await refusal(registry.update(target, widget({ size: 3 }), context));
    expect(error.message).toContain("metadata.resourceVersion: Invalid value: 0: must be specified for an update");
  });
  test("take no strategic merge patch", async () => {
    const { create, registry, context, refusal, widgets } = await withWidgets();
    await create<Widget>(widget({ size: 2 }));
    const target = { resource: widgets, namespace: "default", name: "w" };
    expect((await refusal(registry.patch(target, { type: "strategic", body: {} }, context))).code).toBe(415);
  });
  test("are applied by their schema: lists merge by key", async () => {
    const { registry, done, context, widgets } = await withWidgets();
    const target = { resource: widgets, namespace: "default", name: "w" };
    const apply = (fieldManager: string, spec: object) =>
      done(registry.patch(target, { type: "apply", body: widget(spec) }, { ...context, fieldManager }));
    await apply("one", { size: 2, parts: [{ name: "a" }] });
    const { object } = await apply("two", { size: 2, parts: [{ name: "b", weight: 3 }] });
    expect((object as Widget).spec.parts).toEqual([
      { name: "a", weight: 1 },
      { name: "b", weight: 3 },
    ]);
  });
  test("show in each served version", async () => {
    const { create, registry } = await withWidgets();
    await create<Widget>({ ...widget({ size: 2 }), apiVersion: "example.com/v1beta1" });
    for (const version of ["v1", "v1beta1"]) {
      const resource = registry.resource("example.com", version, "widgets") as Resource;
      expect(registry.get(resource, { namespace: "default", name: "w" }).apiVersion).toBe(`example.com/${version}`);
    }
  });
});
