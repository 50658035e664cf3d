import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const authorization = "/apis/authorization.k8s.io/v1";
const authentication = "/apis/authentication.k8s.io/v1";
const guest = { authorization: "Bearer guest" };
const getPods = { resourceAttributes: { verb: "get", resource: "pods", namespace: "default" } };

test("who am I", async () => {
  const { code, body } = await server.ask("POST", `${authentication}/selfsubjectreviews`, {}, guest);
  expect([code, body.status.userInfo]).toEqual([201, { username: "guest", groups: ["system:authenticated"] }]);
});

test.each([
  ["admin", true],
  ["guest", false],
])("may %s get pods: %s", async (who, allowed) => {
  const headers = { authorization: `Bearer ${who}` };
  const { body } = await server.ask("POST", `${authorization}/selfsubjectaccessreviews`, { spec: getPods }, headers);
  expect(body.status.allowed).toBe(allowed);
});

test.each([
  [{ user: "x", groups: ["system:masters"] }, true],
  [{ user: "x", groups: ["others"] }, false],
])("what others may: %o", async (who, allowed) => {
  const spec = { ...getPods, ...who };
  const { body } = await server.ask("POST", `${authorization}/subjectaccessreviews`, { spec });
  expect(body.status.allowed).toBe(allowed);
});

test("only masters may ask what others may", async () =>
  expect((await server.ask("POST", `${authorization}/subjectaccessreviews`, { spec: getPods }, guest)).code).toBe(403));

test("a local review stays in its namespace", async () => {
  const path = `${authorization}/namespaces/kube-system/localsubjectaccessreviews`;
  expect((await server.ask("POST", path, { spec: { ...getPods, user: "x" } })).code).toBe(400);
});

test("a review that asks nothing: 400", async () =>
  expect((await server.ask("POST", `${authorization}/selfsubjectaccessreviews`, { spec: {} })).body.message).toBe(
    "spec: exactly one of nonResourceAttributes or resourceAttributes must be specified",
  ));

test("rules", async () => {
  const path = `${authorization}/selfsubjectrulesreviews`;
  const { body } = await server.ask("POST", path, { spec: { namespace: "default" } });
  expect(body.status.resourceRules).toEqual([{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }]);
});

test.each([
  ["admin", { authenticated: true, user: { username: "kubernetes-admin", groups: ["system:masters"] } }],
  ["nobody", { authenticated: false, error: "invalid bearer token" }],
])("whose token is %s", async (token, status) => {
  const { body } = await server.ask("POST", `${authentication}/tokenreviews`, { spec: { token } });
  expect(body.status).toEqual(status);
});

test("reviews cannot be read", async () =>
  expect((await server.ask("GET", `${authentication}/tokenreviews`)).code).toBe(405));
