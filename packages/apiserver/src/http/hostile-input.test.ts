/** Whatever is sent, the answer is a Status that blames the request, and the server stays. */
import { resources } from "@flotilla/objects";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const segment = fc.oneof(
  fc.constantFrom(
    "api",
    "apis",
    "v1",
    "namespaces",
    "default",
    "pods",
    "apps",
    "deployments",
    "status",
    "x",
    "",
    "proxy",
    "log",
  ),
  fc.string({ maxLength: 8 }).map(encodeURIComponent),
);
const resourcePath = fc.constantFrom(...resources).chain(({ group, version, plural, namespaced, subresources }) => {
  const base = `${group ? `/apis/${group}` : "/api"}/${version}${namespaced ? "/namespaces/default" : ""}/${plural}`;
  return fc.constantFrom(base, `${base}/x`, ...subresources.map((name) => `${base}/x/${name}`));
});
const path = fc.oneof(
  { weight: 3, arbitrary: resourcePath },
  { weight: 1, arbitrary: fc.array(segment, { maxLength: 7 }).map((segments) => `/${segments.join("/")}`) },
);
const parameter = fc.constantFrom(
  ...[
    "limit",
    "continue",
    "labelSelector",
    "fieldSelector",
    "resourceVersion",
    "resourceVersionMatch",
    "dryRun",
    "force",
  ],
  ...[
    "fieldManager",
    "fieldValidation",
    "propagationPolicy",
    "gracePeriodSeconds",
    "includeObject",
    "pretty",
    "container",
  ],
);
const query = fc.array(
  fc.tuple(parameter, fc.oneof(fc.string({ maxLength: 10 }), fc.constantFrom("1", "0", "-1", "All", "true"))),
  {
    maxLength: 3,
  },
);
const field = fc.constantFrom(
  "metadata",
  "spec",
  "status",
  "kind",
  "apiVersion",
  "name",
  "data",
  "labels",
  "containers",
  "op",
  "path",
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, 1e300, "", "x", "v1", "Pod", "__proto__"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(field, fc.constantFrom("__proto__", "constructor", "$patch", "a/b")), tie("value"), {
      maxKeys: 5,
    }),
  ),
})).value;
const body = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 30 }),
);
const contentType = fc.constantFrom(
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
);
const accept = fc.constantFrom(
  "*/*",
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
  "application/yaml",
  "text/html",
);
const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD");

test("hostile requests", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      query,
      body,
      contentType,
      accept,
      async (verb, place, parameters, text, type, form) => {
        server.log.length = 0;
        const search = new URLSearchParams(parameters).toString();
        const hasBody = verb !== "GET" && verb !== "HEAD";
        const headers = { "content-type": type, accept: form };
        const answer = await server.ask(verb, `${place}?${search}`, hasBody ? text : undefined, headers);
        // 503 is the honest answer about a backend that is not there.
        if (answer.code === 503) expect(place).toContain("proxy");
        else
          expect({ code: answer.code, log: server.log }).toMatchObject({
            code: expect.toSatisfy((code: number) => code < 500),
            log: [],
          });
        if (answer.code >= 400 && answer.body) expect(answer.body).toMatchObject({ kind: "Status", code: answer.code });
      },
    ),
    { numRuns: 800 },
  );
  expect((await server.ask("GET", "/readyz")).code).toBe(200);
});
