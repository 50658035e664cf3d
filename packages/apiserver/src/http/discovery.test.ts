import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareVersions } from "./discovery.ts";
import { type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const aggregated = (version: string) => ({
  accept: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`,
});
interface Named {
  readonly name: string;
}

describe("plain", () => {
  test("/api", async () =>
    expect((await server.ask("GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] }));
  test("/apis lists groups in order of preference", async () => {
    const { body } = await server.ask("GET", "/apis");
    expect(body.groups.slice(0, 3).map(({ name }: Named) => name)).toEqual([
      "apiregistration.k8s.io",
      "apps",
      "events.k8s.io",
    ]);
    const autoscaling = body.groups.find(({ name }: Named) => name === "autoscaling");
    expect(autoscaling.preferredVersion.version).toBe("v2");
  });
  test("/apis/apps", async () =>
    expect((await server.ask("GET", "/apis/apps")).body).toMatchObject({ kind: "APIGroup", name: "apps" }));
  test("/api/v1 has resources and their parts", async () => {
    const { body } = await server.ask("GET", "/api/v1");
    const find = (wanted: string) => body.resources.find(({ name }: Named) => name === wanted);
    expect(find("pods")).toEqual({
      name: "pods",
      singularName: "pod",
      namespaced: true,
      kind: "Pod",
      verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      shortNames: ["po"],
      categories: ["all"],
    });
    expect(find("pods/log")).toMatchObject({ kind: "Pod", verbs: ["get"] });
    expect(find("pods/exec")).toMatchObject({ kind: "PodExecOptions", verbs: ["create", "get"] });
    expect(find("pods/eviction")).toMatchObject({ group: "policy", version: "v1", kind: "Eviction" });
  });
  test("/apis/apps/v1 has scale with its own group", async () => {
    const { body } = await server.ask("GET", "/apis/apps/v1");
    const scale = body.resources.find(({ name }: Named) => name === "deployments/scale");
    expect(scale).toMatchObject({
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
      verbs: ["get", "patch", "update"],
    });
  });
  test.each(["/apis/nothing", "/apis/apps/v7", "/api/v2", "/apis/apps/v1/x/y/z/q"])("%s: 404", async (path) =>
    expect((await server.ask("GET", path)).code).toBe(404),
  );
});

describe("aggregated", () => {
  test.each(["v2", "v2beta1"])("%s", async (version) => {
    const { body, headers } = await server.ask("GET", "/apis", undefined, aggregated(version));
    expect(headers.get("content-type")).toBe(
      `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    );
    expect([body.kind, body.apiVersion]).toEqual(["APIGroupDiscoveryList", `apidiscovery.k8s.io/${version}`]);
    const apps = body.items.find(({ metadata }: { metadata: Named }) => metadata.name === "apps");
    const deployments = apps.versions[0].resources.find(
      ({ resource }: { resource: string }) => resource === "deployments",
    );
    expect(deployments).toMatchObject({ scope: "Namespaced", singularResource: "deployment", shortNames: ["deploy"] });
    expect(deployments.subresources).toContainEqual({
      subresource: "scale",
      responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
      verbs: ["get", "patch", "update"],
    });
  });
  test("/api is the core group", async () => {
    const { body } = await server.ask("GET", "/api", undefined, aggregated("v2"));
    expect(body.items).toHaveLength(1);
    expect(body.items[0].versions[0].version).toBe("v1");
  });
  test("304 while nothing has changed", async () => {
    const { headers } = await server.ask("GET", "/apis", undefined, aggregated("v2"));
    const again = await server.ask("GET", "/apis", undefined, {
      ...aggregated("v2"),
      "if-none-match": headers.get("etag") ?? "",
    });
    expect([again.code, again.text]).toEqual([304, ""]);
  });
});

describe("OpenAPI", () => {
  test("v3: an index with addresses that change with their documents", async () => {
    const { body } = await server.ask("GET", "/openapi/v3");
    const url = body.paths["apis/apps/v1"].serverRelativeURL;
    expect(url).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{32}$/);
    const document = await server.ask("GET", url);
    expect(document.body.components.schemas).toHaveProperty(["io.k8s.api.apps.v1.Deployment"]);
    expect(document.headers.get("cache-control")).toBe("public, immutable");
    const again = await server.ask("GET", url, undefined, { "if-none-match": document.headers.get("etag") ?? "" });
    expect(again.code).toBe(304);
  });
  test("v3: an unknown version: 404", async () =>
    expect((await server.ask("GET", "/openapi/v3/apis/apps/v9")).code).toBe(404));
  test("v2", async () => {
    const { body } = await server.ask("GET", "/openapi/v2");
    expect(body.swagger).toBe("2.0");
    expect(body.definitions).toHaveProperty(["io.k8s.api.core.v1.Pod"]);
    expect(JSON.stringify(body)).not.toContain("#/components");
  });
});

test("versions by maturity, then by number", () => {
  const sorted = ["v1", "foo10", "v2beta1", "v11alpha2", "v10", "v2", "v12alpha1", "v3beta1", "foo1"].sort(
    compareVersions,
  );
  expect(sorted).toEqual(["v10", "v2", "v1", "v3beta1", "v2beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"]);
});
