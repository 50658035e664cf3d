import { encodeProtobuf } from "@flotilla/objects";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, configMaps, type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  await server.ask("POST", configMaps, configMap("known", { a: "1" }));
});
afterAll(() => server.close());

const type = (contentType: string) => ({ "content-type": contentType });

describe("bodies", () => {
  test("YAML", async () => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata: {a: b}\n";
    const { code, body } = await server.ask("POST", configMaps, text, type("application/yaml"));
    expect([code, body.data]).toEqual([201, { a: "b" }]);
  });
  test("protobuf", async () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "from-protobuf" }, data: { a: "b" } };
    const bytes = encodeProtobuf(object);
    const { code, body } = await server.ask("POST", configMaps, bytes, type("application/vnd.kubernetes.protobuf"));
    expect([code, body.metadata.name, body.data]).toEqual([201, "from-protobuf", { a: "b" }]);
  });
  test("apiVersion and kind may be left out", async () =>
    expect((await server.ask("POST", configMaps, { metadata: { name: "bare" } })).body.kind).toBe("ConfigMap"));

  const refused: [what: string, body: unknown, headers: Record<string, string>, code: number, message: RegExp][] = [
    ["malformed JSON names the place", '{"a": [1,}', {}, 400, /not valid JSON: Unexpected token '}', .*\[1,}/],
    ["malformed YAML names the place", "a: [1", type("application/yaml"), 400, /not valid YAML: .*line 1/],
    ["broken protobuf", "k8s\0\xff\xff", type("application/vnd.kubernetes.protobuf"), 400, /./],
    [
      "another media type",
      "x",
      type("text/plain"),
      415,
      /accepted media types include: application\/json, application\/yaml/,
    ],
    ["too large", `{"a":"${"x".repeat(3 << 20)}"}`, {}, 413, /Request entity too large: limit is 3145728/],
    ["nested too deep", "[".repeat(20_000), {}, 400, /nested deeper than 1000 levels/],
    [
      "a name that is a trap",
      '{"data":{"\\u005f_proto__":"x"}}',
      {},
      400,
      /data.__proto__: this field name is not allowed/,
    ],
    [
      "the same in YAML",
      "data: {__proto__: x}",
      type("application/yaml"),
      400,
      /data.__proto__: this field name is not allowed/,
    ],
    ["no object", "[]", {}, 400, /must be an object/],
    ["nothing", "", {}, 400, /empty/],
    [
      "another kind",
      { kind: "Secret", apiVersion: "v1" },
      {},
      400,
      /Secret in version "v1" cannot be handled as a ConfigMap/,
    ],
    [
      "another version",
      { kind: "ConfigMap", apiVersion: "v2" },
      {},
      400,
      /API version in the data \(v2\) does not match/,
    ],
    [
      "another namespace",
      { metadata: { name: "x", namespace: "other" } },
      {},
      400,
      /namespace of the provided object does not match/,
    ],
    ["metadata of a wrong type", { metadata: [] }, {}, 400, /metadata/],
    ["a name of a wrong type", { metadata: { name: 5 } }, {}, 400, /metadata.name/],
    ["a billion laughs", laughs(), type("application/yaml"), 400, /YAML/],
  ];
  test.each(refused)("%s", async (_what, body, headers, code, message) => {
    const answer = await server.ask("POST", configMaps, body, headers);
    expect([answer.code, answer.body.kind]).toEqual([code, "Status"]);
    expect(answer.body.message).toMatch(message);
  });

  test("what is nested as deep as it may is answered", async () => {
    const deep = `${"[".repeat(990)}${"]".repeat(990)}`;
    const text = `{"metadata":{"name":"deep"},"unknown":${deep}}`;
    expect((await server.ask("POST", configMaps, text)).code).toBe(201);
    expect((await server.ask("PATCH", `${configMaps}/deep`, text, type("application/merge-patch+json"))).code).toBe(
      200,
    );
    const apply = await server.ask(
      "PATCH",
      `${configMaps}/deep?fieldManager=m`,
      text,
      type("application/apply-patch+yaml"),
    );
    expect(apply.code).toBeLessThan(500);
  });
  test("a repeated field is refused when validation is strict", async () => {
    const text = '{"metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}';
    const strict = await server.ask("POST", `${configMaps}?fieldValidation=Strict`, text);
    expect([strict.code, strict.body.message]).toEqual([400, 'strict decoding error: duplicate field "data.a"']);
    const warned = await server.ask("POST", configMaps, text);
    expect([warned.code, warned.headers.get("warning")]).toEqual([201, '299 - "duplicate field \\"data.a\\""']);
  });
  test("an unknown field is refused when validation is strict, else warned of", async () => {
    const object = { metadata: { name: "odd" }, dat: {} };
    const strict = await server.ask("POST", `${configMaps}?fieldValidation=Strict`, object);
    expect([strict.code, strict.body.message]).toEqual([
      400,
      expect.stringContaining('strict decoding error: unknown field "dat"'),
    ]);
    const warned = await server.ask("POST", configMaps, object);
    expect([warned.code, warned.headers.get("warning")]).toEqual([201, '299 - "unknown field \\"dat\\""']);
  });
});

function laughs(): string {
  const lines = ["a0: &a0 [x, x]"];
  for (let i = 1; i < 30; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
  return lines.join("\n");
}

describe("patches", () => {
  test("a media type that is no patch: 415", async () => {
    const { code, body } = await server.ask("PATCH", `${configMaps}/known`, "{}", type("application/json"));
    expect([code, body.message]).toEqual([
      415,
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, " +
        "application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
    ]);
  });
  test.each([
    ["a JSON patch that is no list", "application/json-patch+json", "{}", ""],
    ["a merge patch that is no object", "application/merge-patch+json", "[]", ""],
  ])("%s: 400", async (_what, contentType, body, query) =>
    expect((await server.ask("PATCH", `${configMaps}/known${query}`, body, type(contentType))).code).toBe(400),
  );
  test("apply needs a manager", async () =>
    expect(
      (await server.ask("PATCH", `${configMaps}/known`, "{}", type("application/apply-patch+yaml"))).body.message,
    ).toBe('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'));
  test("only apply may force", async () =>
    expect(
      (await server.ask("PATCH", `${configMaps}/known?force=true`, "{}", type("application/merge-patch+json"))).code,
    ).toBe(422));
});

describe("answers", () => {
  const accept = (value: string) => ({ accept: value });

  test("YAML", async () => {
    const { headers, text } = await server.ask("GET", `${configMaps}/known`, undefined, accept("application/yaml"));
    expect(headers.get("content-type")).toBe("application/yaml");
    expect(text).toMatch(/^data:\n {2}a: "1"$/m);
  });
  test("JSON for who asks for protobuf first", async () => {
    const form = "application/vnd.kubernetes.protobuf,application/json";
    expect((await server.ask("GET", `${configMaps}/known`, undefined, accept(form))).body.kind).toBe("ConfigMap");
  });
  test("406 for who takes protobuf only", async () =>
    expect(
      (await server.ask("GET", configMaps, undefined, accept("application/vnd.kubernetes.protobuf"))).body.message,
    ).toBe("only the following media types are accepted: application/json, application/yaml"));
  test("406 for a form that does not exist", async () =>
    expect(
      (await server.ask("GET", configMaps, undefined, accept("application/json;as=Poem;g=meta.k8s.io;v=v1"))).code,
    ).toBe(406));

  const table = accept("application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  test("a Table", async () => {
    const { body } = await server.ask("GET", `${configMaps}?fieldSelector=metadata.name=known`, undefined, table);
    expect([body.kind, body.apiVersion, body.columnDefinitions.map((column: { name: string }) => column.name)]).toEqual(
      ["Table", "meta.k8s.io/v1", ["Name", "Data", "Age"]],
    );
    expect(body.rows).toMatchObject(
      [{ cells: ["known", 1, /s$/], object: { kind: "PartialObjectMetadata", metadata: { name: "known" } } }].map(
        (row) => ({ ...row, cells: ["known", 1, expect.stringMatching(/s$/)] }),
      ),
    );
  });
  test.each([
    ["None", undefined],
    ["Metadata", "PartialObjectMetadata"],
    ["Object", "ConfigMap"],
  ])("a Table whose rows carry %s", async (include, kind) => {
    const { body } = await server.ask("GET", `${configMaps}/known?includeObject=${include}`, undefined, table);
    expect(body.rows[0].object?.kind).toBe(kind);
  });
  test("metadata alone", async () => {
    const form = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    const { body } = await server.ask("GET", configMaps, undefined, accept(form));
    expect([body.kind, Object.keys(body.items[0])]).toEqual([
      "PartialObjectMetadataList",
      ["kind", "apiVersion", "metadata"],
    ]);
  });
  test("kinds without columns show when they were made", async () => {
    await server.ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", {
      metadata: { name: "reader" },
      rules: [],
    });
    const { body } = await server.ask(
      "GET",
      "/apis/rbac.authorization.k8s.io/v1/clusterroles/reader",
      undefined,
      table,
    );
    expect(body.rows[0].cells).toEqual(["reader", expect.stringMatching(/^\d{4}-.*Z$/)]);
  });
});
