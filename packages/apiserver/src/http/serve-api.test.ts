import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, configMaps, type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

describe("who asks", () => {
  const bearer = (token: string) => ({ authorization: token });

  test("no token: 401", async () => {
    const { code, body } = await server.ask("GET", configMaps, undefined, bearer(""));
    expect([code, body.kind, body.reason, body.message]).toEqual([401, "Status", "Unauthorized", "Unauthorized"]);
  });
  test("an unknown token: 401", async () =>
    expect((await server.ask("GET", configMaps, undefined, bearer("Bearer nobody"))).code).toBe(401));
  test("others than masters get nothing", async () => {
    const { code, body } = await server.ask("GET", `${configMaps}/x`, undefined, bearer("Bearer guest"));
    expect([code, body.message]).toEqual([
      403,
      'configmaps "x" is forbidden: User "guest" cannot get resource "configmaps" in API group "" in the namespace "default"',
    ]);
  });
  const as = (user: string, more = {}) => ({ "impersonate-user": user, ...more });
  const whoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  test("masters may act as others", async () => {
    const { body } = await server.ask("POST", whoAmI, {}, as("ann", { "impersonate-group": "team" }));
    expect(body.status.userInfo).toEqual({ username: "ann", groups: ["team", "system:authenticated"] });
    expect((await server.ask("GET", configMaps, undefined, as("ann"))).code).toBe(403);
  });
  test("as a service account", async () => {
    const { body } = await server.ask("POST", whoAmI, {}, as("system:serviceaccount:ns:sa"));
    expect(body.status.userInfo.groups).toEqual([
      "system:serviceaccounts",
      "system:serviceaccounts:ns",
      "system:authenticated",
    ]);
  });
  test("others may not", async () => {
    const { body } = await server.ask("POST", whoAmI, {}, as("ann", bearer("Bearer guest")));
    expect(body.message).toContain(
      'User "guest" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
  });
  test("a group without a user: 400", async () =>
    expect((await server.ask("GET", configMaps, undefined, { "impersonate-group": "system:masters" })).code).toBe(400));
  test("others than masters see no other path", async () =>
    expect((await server.ask("GET", "/apis", undefined, bearer("Bearer guest"))).body.message).toBe(
      'forbidden: User "guest" cannot get path "/apis"',
    ));
  test.each(["/healthz", "/readyz", "/livez", "/version"])("%s is open", async (path) =>
    expect((await server.ask("GET", path, undefined, bearer(""))).code).toBe(200),
  );
});

describe("what is not served", () => {
  test.each([
    ["/apis/nothing.example/v1/things", 404],
    ["/api/v1/namespaces/default/nothings", 404],
    ["/somewhere", 404],
    ["/api/v1/namespaces/default/pods/x/nothing", 404],
    ["/api/v1/nodes/x/y/z", 404],
    ["/api/v1/namespaces/%zz/pods", 400],
    ["/api/v1/namespaces/default/pods?limit=ten", 400],
    ["/api/v1/namespaces/default/pods?labelSelector=a%20b%20c", 400],
    [`/api/v1/pods?labelSelector=${"a".repeat(40_000)}`, 414],
  ])("%s: %i", async (path, code) => {
    const answer = await server.ask("GET", path);
    expect([answer.code, answer.body.kind, answer.body.code]).toEqual([code, "Status", code]);
  });
  test("a verb that a resource does not have: 405", async () =>
    expect((await server.ask("POST", `${configMaps}/x`, configMap("x"))).code).toBe(405));
  test("an odd method: 405", async () => expect((await server.ask("OPTIONS", configMaps)).code).toBe(405));
});

describe("the wire", () => {
  /** Sends raw bytes; resolves with all that comes back. */
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(text));
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk;
      });
      socket.on("close", () => resolve(received));
      socket.on("error", reject);
    });

  test("what is not HTTP gets a Status", async () =>
    expect(await raw("hello\r\n\r\n")).toMatch(/^HTTP\/1.1 400 [\s\S]*"reason":"BadRequest"/));
  test("headers have a limit", async () =>
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /));
  test("an upgrade that is not for streams is answered as without it", async () =>
    expect(await raw("GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n")).toMatch(
      /^HTTP\/1.1 200 /,
    ));
  test("HEAD has headers only", async () => {
    const { code, text, headers } = await server.ask("HEAD", configMaps);
    expect([code, text, Number(headers.get("content-length")) > 0]).toEqual([200, "", true]);
  });
  test("each answer has an audit id", async () =>
    expect((await server.ask("GET", configMaps)).headers.get("audit-id")).toMatch(/^[0-9a-f-]{36}$/));
  test("large answers are compressed when the client takes it", async () => {
    const blob = { blob: "x".repeat(200_000) };
    await server.ask("POST", configMaps, configMap("large", blob));
    const gzip = await server.ask("GET", `${configMaps}/large`, undefined, { "accept-encoding": "gzip" });
    expect([gzip.headers.get("content-encoding"), gzip.body.data]).toEqual(["gzip", blob]);
    const plain = await server.ask("GET", `${configMaps}/large`, undefined, { "accept-encoding": "identity" });
    expect([plain.headers.get("content-encoding"), plain.body.data]).toEqual([null, blob]);
  });
  test("pretty", async () => expect((await server.ask("GET", "/version?pretty=1")).text).toMatch(/^\{\n {2}"major"/));
});

test("a fault inside is logged, not told", async () => {
  const broken = await testServer({
    authenticate() {
      throw new Error("the secret inside");
    },
  });
  const { code, body } = await broken.ask("GET", configMaps);
  expect([code, body.reason, body.message]).toEqual([
    500,
    "InternalError",
    "Internal error occurred: the server has logged what went wrong",
  ]);
  expect(broken.log.join()).toContain("the secret inside");
  await broken.close();
});

test("closing ends watches and does not wait for idle connections", async () => {
  const other = await testServer();
  const response = await fetch(`${other.url}/api/v1/pods?watch=1`, { headers: { authorization: "Bearer admin" } });
  const ended = response.text();
  await other.close();
  expect(await ended).toBe("");
});
