import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, configMaps, type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const merge = { "content-type": "application/merge-patch+json" };
const apply = { "content-type": "application/apply-patch+yaml" };

test("create answers 201, and 409 the second time", async () => {
  const first = await server.ask("POST", `${configMaps}?fieldManager=me`, configMap("a", { key: "value" }));
  expect([first.code, first.body.metadata.managedFields[0].manager]).toEqual([201, "me"]);
  const second = await server.ask("POST", configMaps, configMap("a"));
  expect([second.code, second.body.reason, second.body.message]).toEqual([
    409,
    "AlreadyExists",
    'configmaps "a" already exists',
  ]);
});
test("the manager is the user agent where none is said", async () => {
  const { body } = await server.ask("POST", configMaps, configMap("agent", { key: "value" }), {
    "user-agent": "curious/1.0 (x)",
  });
  expect(body.metadata.managedFields[0].manager).toBe("curious");
});
test("generateName", async () => {
  const { body } = await server.ask("POST", configMaps, { metadata: { generateName: "gen-" } });
  expect(body.metadata.name).toMatch(/^gen-.{5}$/);
});
test("an object that is not there: 404", async () =>
  expect((await server.ask("GET", `${configMaps}/nobody`)).body.message).toBe('configmaps "nobody" not found'));
test("PUT replaces, by resourceVersion", async () => {
  const { body } = await server.ask("POST", configMaps, configMap("put", { a: "1" }));
  const put = await server.ask("PUT", `${configMaps}/put`, { ...body, data: { a: "2" } });
  expect([put.code, put.body.data]).toEqual([200, { a: "2" }]);
  const stale = await server.ask("PUT", `${configMaps}/put`, { ...body, data: { a: "3" } });
  expect([stale.code, stale.body.reason]).toEqual([409, "Conflict"]);
});
test("PUT of another name: 400", async () =>
  expect((await server.ask("PUT", `${configMaps}/put`, configMap("other"))).body.message).toBe(
    "the name of the object (other) does not match the name on the URL (put)",
  ));

describe("patch", () => {
  test.each([
    ["application/json-patch+json", [{ op: "add", path: "/data/b", value: "2" }]],
    ["application/merge-patch+json", { data: { b: "2" } }],
    ["application/strategic-merge-patch+json", { data: { b: "2" } }],
  ])("%s", async (contentType, patch) => {
    const name = contentType.replace(/\W/g, "-").slice(12);
    await server.ask("POST", configMaps, configMap(name, { a: "1" }));
    const { code, body } = await server.ask("PATCH", `${configMaps}/${name}`, patch, { "content-type": contentType });
    expect([code, body.data]).toEqual([200, { a: "1", b: "2" }]);
  });
  test("apply creates with 201, then changes with 200, and reports conflicts", async () => {
    const path = `${configMaps}/applied?fieldManager=one`;
    const config = configMap("applied", { a: "1" });
    expect((await server.ask("PATCH", path, config, apply)).code).toBe(201);
    expect((await server.ask("PATCH", path, configMap("applied", { a: "2" }), apply)).code).toBe(200);
    const other = await server.ask("PATCH", `${configMaps}/applied?fieldManager=two`, config, apply);
    expect([other.code, other.body.message]).toEqual([409, expect.stringContaining('conflict with "one"')]);
    expect(
      (await server.ask("PATCH", `${configMaps}/applied?fieldManager=two&force=true`, config, apply)).body.data,
    ).toEqual({ a: "1" });
  });
  test("apply takes YAML", async () => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml-applied\ndata: {a: b}\n";
    const { code, body } = await server.ask("PATCH", `${configMaps}/yaml-applied?fieldManager=me`, text, apply);
    expect([code, body.data]).toEqual([201, { a: "b" }]);
  });
});

describe("delete", () => {
  test("answers with the Status of what has gone", async () => {
    const { body } = await server.ask("POST", configMaps, configMap("gone"));
    const deleted = await server.ask("DELETE", `${configMaps}/gone`, {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: "Background",
    });
    expect([deleted.code, deleted.body.status, deleted.body.details]).toEqual([
      200,
      "Success",
      { name: "gone", kind: "configmaps", uid: body.metadata.uid },
    ]);
    expect((await server.ask("DELETE", `${configMaps}/gone`)).code).toBe(404);
  });
  test("answers with the object when it stays for a while", async () => {
    await server.ask("POST", configMaps, { metadata: { name: "held", finalizers: ["example.org/hold"] } });
    expect((await server.ask("DELETE", `${configMaps}/held`)).body.metadata.deletionTimestamp).toBeTruthy();
    await server.ask("PATCH", `${configMaps}/held`, { metadata: { finalizers: null } }, merge);
    expect((await server.ask("GET", `${configMaps}/held`)).code).toBe(404);
  });
  test("preconditions", async () => {
    await server.ask("POST", configMaps, configMap("guarded"));
    const body = { preconditions: { uid: "another" } };
    expect((await server.ask("DELETE", `${configMaps}/guarded`, body)).code).toBe(409);
  });
  test.each([
    "?propagationPolicy=Sideways",
    "?gracePeriodSeconds=soon",
    "?orphanDependents=true&propagationPolicy=Orphan",
    "?dryRun=Some",
  ])("%s: 400", async (query) => expect((await server.ask("DELETE", `${configMaps}/guarded${query}`)).code).toBe(400));
  test("a collection, by selector", async () => {
    const labelled = (name: string, app: string) => ({ metadata: { name, labels: { app } } });
    for (const [name, app] of [
      ["c1", "x"],
      ["c2", "x"],
      ["c3", "y"],
    ] as const)
      await server.ask("POST", configMaps, labelled(name, app));
    const { body } = await server.ask("DELETE", `${configMaps}?labelSelector=app=x`);
    expect(body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(["c1", "c2"]);
    expect((await server.ask("GET", `${configMaps}/c3`)).code).toBe(200);
  });
});

describe("dry run", () => {
  test("answers as if, and does nothing", async () => {
    expect((await server.ask("POST", `${configMaps}?dryRun=All`, configMap("dry"))).code).toBe(201);
    expect((await server.ask("GET", `${configMaps}/dry`)).code).toBe(404);
  });
  test("in the body of a delete, too", async () => {
    await server.ask("POST", configMaps, configMap("kept"));
    await server.ask("DELETE", `${configMaps}/kept`, { dryRun: ["All"] });
    expect((await server.ask("GET", `${configMaps}/kept`)).code).toBe(200);
  });
});

test("lists page by page", async () => {
  for (let i = 0; i < 5; i++) await server.ask("POST", "/api/v1/namespaces/kube-public/configmaps", configMap(`p${i}`));
  const names: string[] = [];
  let token = "";
  do {
    const { body } = await server.ask(
      "GET",
      `/api/v1/namespaces/kube-public/configmaps?limit=2&continue=${token}&labelSelector=!x`,
    );
    names.push(...body.items.map((item: { metadata: { name: string } }) => item.metadata.name));
    token = body.metadata.continue ?? "";
  } while (token);
  expect(names.filter((name) => name.startsWith("p"))).toEqual(["p0", "p1", "p2", "p3", "p4"]);
});

test("scale has its own kind", async () => {
  const template = { metadata: { labels: { app: "s" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { replicas: 2, selector: { matchLabels: { app: "s" } }, template };
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  expect((await server.ask("POST", deployments, { metadata: { name: "s" }, spec })).code).toBe(201);
  const { body } = await server.ask("GET", `${deployments}/s/scale`);
  expect([body.kind, body.spec.replicas]).toEqual(["Scale", 2]);
  const put = await server.ask("PUT", `${deployments}/s/scale`, { ...body, spec: { replicas: 3 } });
  expect([put.code, put.body.spec.replicas]).toEqual([200, 3]);
  expect(
    (await server.ask("PATCH", `${deployments}/s/scale`, { spec: { replicas: 4 } }, merge)).body.spec.replicas,
  ).toBe(4);
  expect((await server.ask("GET", `${deployments}/s`)).body.spec.replicas).toBe(4);
});

test("a Binding may be posted to the collection", async () => {
  const pods = "/api/v1/namespaces/default/pods";
  await server.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  expect(
    (await server.ask("POST", pods, { metadata: { name: "b" }, spec: { containers: [{ name: "c", image: "i" }] } }))
      .code,
  ).toBe(201);
  const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: "b" }, target: { kind: "Node", name: "n1" } };
  expect((await server.ask("POST", "/api/v1/namespaces/default/bindings", binding)).code).toBe(201);
  expect((await server.ask("GET", `${pods}/b`)).body.spec.nodeName).toBe("n1");
});

test("a debug container is refused so that kubectl debug knows why", async () => {
  const { code, body } = await server.ask("PATCH", "/api/v1/namespaces/default/pods/b/ephemeralcontainers", {}, merge);
  expect([code, body.reason, body.details]).toEqual([404, "NotFound", {}]);
});
