import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "@flotilla/ambient";
import { ConfigMaps, Namespaces, newObject, notFound, Pods, StatusError } from "@flotilla/objects";
import { afterEach, expect, test } from "vitest";
import type { WatchEvent } from "./api.ts";
import { type HttpApi, httpApi } from "./http-api.ts";
import { ApiUnreachableError } from "./unreachable.ts";
import { bind } from "./writes.ts";

interface Asked {
  readonly method?: string;
  readonly url?: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let server: Server | undefined;
let api: HttpApi | undefined;
afterEach(async () => {
  api?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** Where every wait is over at once. */
const hasty: Clock = {
  now: () => 0,
  after(_delay, run) {
    queueMicrotask(run);
    return () => undefined;
  },
  soon: queueMicrotask,
};

/** An API that answers as told, and what it was asked. */
async function answering(answer: (asked: Asked, response: ServerResponse, nth: number) => void) {
  const asked: Asked[] = [];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    asked.push({ method, url, headers, body });
    answer({ method, url, headers, body }, response, asked.length);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  api = httpApi({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: "secret",
    userAgent: "test/1",
    clock: hasty,
  });
  return { api, asked };
}

const json = (response: ServerResponse, value: unknown, code = 200) =>
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(value));

const key = { namespace: "default", name: "a" };
const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: key };

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

test("says who asks", async () => {
  const { api, asked } = await answering((_asked, response) => json(response, configMap));
  expect(await api.get(ConfigMaps, key)).toEqual(configMap);
  expect(asked[0]).toMatchObject({
    url: "/api/v1/namespaces/default/configmaps/a",
    headers: { authorization: "Bearer secret", "user-agent": "test/1" },
  });
});

test("a refusal is a StatusError with the API's own words", async () => {
  const { api } = await answering((_asked, response) => json(response, notFound(ConfigMaps, "a").status, 404));
  await expect(api.get(ConfigMaps, key)).rejects.toThrow('configmaps "a" not found');
  await expect(api.get(ConfigMaps, key)).rejects.toBeInstanceOf(StatusError);
});

test("a refusal that is no Status says what was asked", async () => {
  const { api } = await answering((_asked, response) => response.writeHead(404).end("<html>"));
  await expect(api.get(ConfigMaps, key)).rejects.toMatchObject({
    code: 404,
    reason: "NotFound",
    message: "the server could not find the requested resource (GET /api/v1/namespaces/default/configmaps/a): <html>",
  });
});

test("a server that is not there: address and remedy", async () => {
  const { api } = await answering(() => undefined);
  await new Promise((resolve) => server?.close(resolve));
  const error = await api.list(Pods).catch((each: unknown) => each);
  expect(error).toBeInstanceOf(ApiUnreachableError);
  expect((error as Error).message).toMatch(
    /^cannot reach the API at http:\/\/127.0.0.1:\d+: connection refused; nothing listens there: start the cluster/,
  );
});

test("items of a list know their kind, and selectors are sent", async () => {
  const { api, asked } = await answering((_asked, response) =>
    json(response, {
      kind: "ConfigMapList",
      apiVersion: "v1",
      metadata: { resourceVersion: "5" },
      items: [{ metadata: key }],
    }),
  );
  const list = await api.list(ConfigMaps, { labelSelector: "a in (b,c)", limit: 2, continue: "x" });
  expect(list.items).toEqual([configMap]);
  expect(asked[0]?.url).toBe("/api/v1/configmaps?labelSelector=a+in+%28b%2Cc%29&limit=2&continue=x");
});

test.each([
  ["json", "application/json-patch+json"],
  ["merge", "application/merge-patch+json"],
  ["strategic", "application/strategic-merge-patch+json"],
  ["apply", "application/apply-patch+yaml"],
] as const)("a %s patch is sent as %s", async (type, contentType) => {
  const { api, asked } = await answering((_asked, response) => json(response, configMap));
  await api.write({ verb: "patch", resource: ConfigMaps, ...key, type, patch: {}, fieldManager: "me", force: true });
  expect(asked[0]?.headers["content-type"]).toBe(contentType);
  const force = type === "apply" ? "&force=true" : "";
  expect(asked[0]?.url).toBe(`/api/v1/namespaces/default/configmaps/a?fieldManager=me${force}`);
});

test("a delete carries its options in the body and answers with the object that is gone", async () => {
  const { api, asked } = await answering((_asked, response) =>
    json(response, { kind: "Status", apiVersion: "v1", status: "Success", details: { name: "a", uid: "u" } }),
  );
  const gone = await api.write({
    verb: "delete",
    resource: ConfigMaps,
    ...key,
    preconditions: { uid: "u" },
    gracePeriodSeconds: 0,
  });
  expect(gone).toEqual({ apiVersion: "v1", kind: "ConfigMap", metadata: { ...key, uid: "u" } });
  expect(JSON.parse(asked[0]?.body ?? "")).toEqual({
    apiVersion: "v1",
    kind: "DeleteOptions",
    preconditions: { uid: "u" },
    gracePeriodSeconds: 0,
  });
});

test("a subresource is created below its object", async () => {
  const { api, asked } = await answering((_asked, response) =>
    json(response, { kind: "Status", status: "Success" }, 201),
  );
  await api.write(bind(newObject(Pods, { metadata: key, spec: { containers: [] } }), "node"));
  expect(asked[0]).toMatchObject({ method: "POST", url: "/api/v1/namespaces/default/pods/a/binding" });
});

test("a namespaced object without a namespace is refused before anything is sent", async () => {
  const { api, asked } = await answering((_asked, response) => json(response, {}));
  await expect(api.get(ConfigMaps, { name: "a" })).rejects.toThrow('configmaps "a": a namespace is needed');
  expect(asked).toEqual([]);
});

test("comes back when the server says when", async () => {
  const { api, asked } = await answering((_asked, response, nth) => {
    if (nth < 3) response.writeHead(429, { "retry-after": "1" }).end();
    else json(response, configMap);
  });
  await api.write({ verb: "create", resource: ConfigMaps, object: configMap });
  expect(asked.map(({ body }) => body)).toEqual(Array(3).fill(JSON.stringify(configMap)));
});

test("a watch delivers what arrives in pieces, however long", async () => {
  const long = "ü".repeat(300_000);
  const events = [1, 2].map((n) => ({
    type: "ADDED",
    object: { ...configMap, metadata: { name: `${n}` }, data: { long } },
  })) as unknown as WatchEvent[];
  const { api, asked } = await answering(async (_asked, response) => {
    const bytes = Buffer.from(events.map((each) => `${JSON.stringify(each)}\n`).join(""));
    for (let at = 0; at < bytes.length; at += 99_991) {
      response.write(bytes.subarray(at, at + 99_991));
      await new Promise(setImmediate);
    }
    response.end();
  });
  expect(await collect(api.watch(ConfigMaps, { resourceVersion: "7", allowWatchBookmarks: true }))).toEqual(events);
  expect(asked[0]?.url).toBe("/api/v1/configmaps?watch=true&resourceVersion=7&allowWatchBookmarks=true");
});

test("an ERROR event rejects the watch", async () => {
  const { api } = await answering((_asked, response) => {
    const status = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version: 1 (9)" };
    response.end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
  });
  await expect(collect(api.watch(Pods))).rejects.toMatchObject({ code: 410, reason: "Expired" });
});

test("a watch that is cut within a line is unreachable, not malformed", async () => {
  const { api } = await answering((_asked, response) => {
    response.write('{"type":"ADDED","obj');
    setImmediate(() => response.destroy());
  });
  await expect(collect(api.watch(Pods))).rejects.toBeInstanceOf(ApiUnreachableError);
});

test("a watch ends without error when its signal says so, and lets go of its connection", async () => {
  const closed = Promise.withResolvers<void>();
  const { api } = await answering((_asked, response) => {
    response.on("close", () => closed.resolve());
    response.write(`${JSON.stringify({ type: "ADDED", object: configMap })}\n`);
  });
  const stop = new AbortController();
  const seen: unknown[] = [];
  for await (const { type } of api.watch(Pods, { signal: stop.signal })) {
    seen.push(type);
    stop.abort();
  }
  await closed.promise;
  expect(seen).toEqual(["ADDED"]);
});

test("leaving a watch lets go of its connection", async () => {
  const closed = Promise.withResolvers<void>();
  const { api } = await answering((_asked, response) => {
    response.on("close", () => closed.resolve());
    response.write(`${JSON.stringify({ type: "ADDED", object: configMap })}\n`);
  });
  for await (const _event of api.watch(Pods)) break;
  await closed.promise;
});

test("learns what is served, known kinds with their types and others as described", async () => {
  const resource = (plural: string, kind: string, scope: string) => ({
    resource: plural,
    responseKind: { group: "", version: "", kind },
    scope,
    singularResource: kind.toLowerCase(),
    verbs: ["get", "list", "watch"],
  });
  const group = (name: string, version: string, ...resources: unknown[]) => ({
    metadata: { name },
    versions: [{ version, resources }],
  });
  const { api } = await answering(({ url }, response) =>
    json(response, {
      kind: "APIGroupDiscoveryList",
      items:
        url === "/api"
          ? [group("", "v1", resource("namespaces", "Namespace", "Cluster"))]
          : [group("example.com", "v1", resource("widgets", "Widget", "Namespaced"))],
    }),
  );
  const [namespaces, widgets] = await api.resources();
  expect(namespaces?.type).toBe(Namespaces.type);
  expect(widgets).toMatchObject({
    group: "example.com",
    version: "v1",
    plural: "widgets",
    kind: "Widget",
    namespaced: true,
  });
});

test("learns what is served by a server without aggregated discovery", async () => {
  const answers: Record<string, unknown> = {
    "/api": { kind: "APIVersions", versions: ["v1"] },
    "/apis": { kind: "APIGroupList", groups: [{ name: "apps", versions: [{ version: "v1" }] }] },
    "/api/v1": {
      resources: [
        { name: "pods", kind: "Pod", namespaced: true, verbs: ["list"] },
        { name: "pods/log", kind: "Pod", namespaced: true, verbs: ["get"] },
      ],
    },
    "/apis/apps/v1": { resources: [{ name: "deployments", kind: "Deployment", namespaced: true, verbs: ["list"] }] },
  };
  const { api } = await answering(({ url }, response) => json(response, answers[url ?? ""]));
  const found = await api.resources();
  expect(found.map(({ plural, subresources }) => [plural, subresources])).toEqual([
    ["pods", ["log"]],
    ["deployments", []],
  ]);
});
