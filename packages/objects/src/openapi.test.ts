import { expect, test } from "vitest";
import { Deployments } from "./generated/resources.ts";
import { resources } from "./lookup.ts";
import { openApiV3 } from "./openapi.ts";
import { schemaName } from "./openapi-schemas.ts";
import { apiVersionOf, type Resource } from "./resource.ts";

type Schema = Record<string, unknown>;
interface Document {
  paths: Record<string, Record<string, Schema & { parameters?: { name: string }[] }>>;
  components: { schemas: Record<string, Schema & { properties?: Record<string, Schema> }> };
}

const documentOf = (apiVersion: string) => openApiV3(apiVersion, resources) as unknown as Document;
const apps = documentOf("apps/v1");
const core = documentOf("v1");
const schema = (name: string) => apps.components.schemas[name];

test("names schemas as Kubernetes does", () => {
  expect(schemaName("core/v1.Pod")).toBe("io.k8s.api.core.v1.Pod");
  expect(schemaName("rbac.authorization.k8s.io/v1.Role")).toBe("io.k8s.api.rbac.v1.Role");
  expect(schemaName("meta/v1.ObjectMeta")).toBe("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  expect(schemaName("gateway.networking.k8s.io/v1.Gateway")).toBe("io.k8s.networking.gateway.v1.Gateway");
  expect(schemaName("flotilla.dev/v1alpha1.App")).toBe("dev.flotilla.v1alpha1.App");
});

test("a kind says its group, version and kind", () => {
  expect(schema("io.k8s.api.apps.v1.Deployment")?.["x-kubernetes-group-version-kind"]).toEqual([
    { group: "apps", version: "v1", kind: "Deployment" },
  ]);
});

// The published document of Kubernetes 1.34, without descriptions.
test("a spec is described as by Kubernetes", () => {
  expect(schema("io.k8s.api.apps.v1.DeploymentSpec")).toEqual({
    type: "object",
    required: ["selector", "template"],
    properties: {
      minReadySeconds: { format: "int32", type: "integer" },
      paused: { type: "boolean" },
      progressDeadlineSeconds: { format: "int32", type: "integer" },
      replicas: { format: "int32", type: "integer" },
      revisionHistoryLimit: { format: "int32", type: "integer" },
      selector: { allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector" }] },
      strategy: {
        allOf: [{ $ref: "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy" }],
        default: {},
        "x-kubernetes-patch-strategy": "retainKeys",
      },
      template: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec" }], default: {} },
    },
  });
});

test("lists say how they merge", () => {
  expect(schema("io.k8s.api.core.v1.PodSpec")?.properties?.containers).toEqual({
    type: "array",
    items: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Container" }], default: {} },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-patch-merge-key": "name",
    "x-kubernetes-patch-strategy": "merge",
  });
});

test("words that are allowed are said", () => {
  expect(schema("io.k8s.api.core.v1.ContainerPort")?.properties?.protocol).toEqual({
    type: "string",
    enum: ["SCTP", "TCP", "UDP"],
    default: "TCP",
  });
});

test("kubectl finds a patch with fieldValidation and dryRun for every kind that can be patched", () => {
  const patchable = resources.filter(({ verbs }) => verbs?.includes("patch") ?? true);
  expect(patchable.length).toBeGreaterThan(50);
  for (const resource of patchable) {
    const { paths } = documentOf(apiVersionOf(resource));
    const found = Object.entries(paths).filter(([path, { patch }]) => {
      const kind = patch?.["x-kubernetes-group-version-kind"] as Schema | undefined;
      return kind?.kind === resource.kind && path.endsWith(`/${resource.plural}/{name}`);
    });
    const names = found.flatMap(([, { patch }]) => patch?.parameters?.map(({ name }) => name) ?? []);
    expect([resource.kind, names]).toEqual([resource.kind, ["dryRun", "fieldManager", "fieldValidation", "force"]]);
  }
});

test("paths say what they do, and with which kind", () => {
  const item = apps.paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
  expect(Object.entries(item ?? {}).map(([verb, { "x-kubernetes-action": action }]) => [verb, action])).toEqual([
    ["get", "get"],
    ["put", "put"],
    ["patch", "patch"],
    ["delete", "delete"],
    ["parameters", undefined],
  ]);
  expect(apps.paths["/apis/apps/v1/deployments"]?.get?.["x-kubernetes-action"]).toBe("list");
  const scale = apps.paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"];
  expect(scale?.patch?.["x-kubernetes-group-version-kind"]).toEqual({
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
  });
  expect(core.paths["/api/v1/nodes/{name}"]?.get?.["x-kubernetes-action"]).toBe("get");
  expect(core.paths["/api/v1/namespaces/{namespace}/pods/{name}/exec"]?.get?.["x-kubernetes-action"]).toBe("connect");
  expect(Object.keys(documentOf("authorization.k8s.io/v1").paths)).toContain(
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
  );
});

test("every reference leads somewhere, in every document", () => {
  const versions = [...new Set(resources.map(apiVersionOf))];
  expect(versions.length).toBeGreaterThan(20);
  for (const apiVersion of versions) {
    const document = documentOf(apiVersion);
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    const missing = names.filter((name) => !document.components.schemas[name ?? ""]);
    expect([apiVersion, [...new Set(missing)]]).toEqual([apiVersion, []]);
  }
});

test("only what is asked for", () => {
  const document = openApiV3("apps/v1", [Deployments]) as unknown as Document;
  expect(document.components.schemas["io.k8s.api.apps.v1.ReplicaSet"]).toBeUndefined();
  expect(Object.keys(document.paths).every((path) => path.includes("/deployments"))).toBe(true);
});

test("a kind that is not in the table has the schema it is given", () => {
  const boats: Resource = {
    group: "example.org",
    version: "v1",
    kind: "Boat",
    plural: "boats",
    singular: "boat",
    shortNames: [],
    categories: [],
    namespaced: true,
    subresources: [],
  };
  const schema = {
    type: "object",
    properties: { spec: { type: "object", properties: { sails: { type: "integer" } } } },
  };
  const document = openApiV3("example.org/v1", [boats], () => schema) as unknown as Document;
  const boat = document.components.schemas["org.example.v1.Boat"];
  expect(boat?.properties).toMatchObject({ ...schema.properties, kind: { type: "string" }, metadata: { default: {} } });
  expect(boat?.["x-kubernetes-group-version-kind"]).toEqual([{ group: "example.org", version: "v1", kind: "Boat" }]);
  expect(Object.keys(document.paths)).toContain("/apis/example.org/v1/namespaces/{namespace}/boats/{name}");
  expect(openApiV3("example.org/v1", [boats])).toMatchObject({ paths: {} });
});
