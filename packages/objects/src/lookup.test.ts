import { expect, test } from "vitest";
import { Deployments, Endpoints, Pods } from "./generated/resources.ts";
import * as all from "./index.ts";
import { fieldAt, kindOf, newObject, parseApiVersion, resourceOf, resources, typeNamed, typeTable } from "./lookup.ts";
import type { TypeRef } from "./schema.ts";

test("finds resources by kind and by place", () => {
  expect(kindOf("v1", "Pod")).toBe(Pods);
  expect(kindOf("apps/v1", "Deployment")).toBe(Deployments);
  expect(resourceOf("apps", "v1", "deployments")).toBe(Deployments);
  expect(resourceOf("flotilla.dev", "v1alpha1", "apps")?.kind).toBe("App");
  expect(kindOf("v1", "Deployment")).toBeUndefined();
  expect(Endpoints.plural).toBe("endpoints");
});

test("every resource has its type, and every type that is referred to is there", () => {
  const table = typeTable();
  const missing: string[] = [];
  const visit = (type: TypeRef): void => {
    if (typeof type === "string") return;
    if ("list" in type) visit(type.list);
    else if ("map" in type) visit(type.map);
    else if (!table[type.ref]) missing.push(type.ref);
  };
  for (const resource of resources) if (!table[resource.type ?? ""]) missing.push(resource.kind);
  for (const type of Object.values(table)) for (const field of Object.values(type.fields)) visit(field.type);
  expect(missing).toEqual([]);
  expect(Object.keys(table).length).toBeGreaterThan(600);
});

test("every resource is exported", () => {
  const exported = new Set<unknown>(Object.values(all));
  expect(resources.filter((resource) => !exported.has(resource)).map(({ kind }) => kind)).toEqual([]);
});

test("a missing type is a bug", () => expect(() => typeNamed("x/v1.Y")).toThrow("no type x/v1.Y"));

test("knows merge keys, defaults and numbers", () => {
  const ports = fieldAt(Pods, ["spec", "containers", "ports"]);
  expect(ports).toMatchObject({
    listType: "map",
    listMapKeys: ["containerPort", "protocol"],
    patchStrategy: "merge",
    patchMergeKey: "containerPort",
    proto: 6,
  });
  expect(fieldAt(Pods, ["spec", "containers", "ports", "protocol"])?.default).toBe("TCP");
  expect(fieldAt(Deployments, ["spec", "strategy"])?.patchStrategy).toBe("retainKeys");
  expect(fieldAt(Deployments, ["spec", "selector"])?.required).toBe(true);
  expect(typeNamed("meta/v1.LabelSelector").atomic).toBe(true);
  expect(fieldAt(Pods, ["spec", "volumes", "configMap", "name"])).toMatchObject({ proto: 1, protoWithin: [1] });
  expect(fieldAt(Pods, ["spec", "restartPolicy"])?.enum).toEqual(["Always", "Never", "OnFailure"]);
});

test("enters maps by key", () => {
  expect(fieldAt(Pods, ["metadata", "labels", "app"])?.type).toBe("string");
  expect(fieldAt(Pods, ["metadata", "labels", "app", "x"])).toBeUndefined();
  expect(fieldAt(Pods, ["spec", "toString"])).toBeUndefined();
});

test("takes apiVersion apart", () => {
  expect(parseApiVersion("v1")).toEqual({ group: "", version: "v1" });
  expect(parseApiVersion("apps/v1")).toEqual({ group: "apps", version: "v1" });
});

test("fills in apiVersion and kind", () => {
  expect(newObject(Pods, { metadata: { name: "a" }, spec: { containers: [] } })).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a" },
    spec: { containers: [] },
  });
});
