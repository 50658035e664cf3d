import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigMaps, CustomResourceDefinitions, Deployments, Gateways, Nodes } from "./generated/resources.ts";
import { typeNamed } from "./lookup.ts";
import { decodeProtobuf, encodeProtobuf, isProtobuf } from "./protobuf.ts";
import { apiVersionOf, type Resource } from "./resource.ts";
import type { FieldSchema, TypeRef } from "./schema.ts";

const golden = new URL("./testdata/", import.meta.url);

for (const file of readdirSync(golden).filter((name) => name.endsWith(".pb"))) {
  const bytes = readFileSync(new URL(file, golden));
  const json: unknown = JSON.parse(readFileSync(new URL(file.replace(/pb$/, "json"), golden), "utf8"));
  test(`reads ${file} as Kubernetes does`, () => expect(decodeProtobuf(bytes)).toEqual(json));
  test(`writes ${file} as Kubernetes does`, () =>
    expect(Buffer.from(encodeProtobuf(json as object) ?? [])).toEqual(bytes));
}

// Values that are not zero: protobuf cannot tell those from absence where Go leaves them out.
const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: fc.string({ minLength: 1 }),
  boolean: fc.constant(true),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((value) => value !== 0),
  int64: fc.maxSafeInteger().filter((value) => value !== 0),
  double: fc.double({ noNaN: true, min: 0.5 }),
  bytes: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString("base64")),
  Quantity: fc.constantFrom("1", "500m", "1Gi", "-3k"),
  IntOrString: fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom("25%", "http", "")),
  Time: fc.integer({ min: 0, max: 4e9 }).map((seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`),
  MicroTime: fc.constantFrom("2026-01-02T03:04:05.678901Z", "1999-12-31T23:59:59.000001Z"),
};
// "-0" is 0 in JSON text.
const json = fc.jsonValue().filter((value) => value !== null && !JSON.stringify(value).includes("-0"));

function wrapped(wrapper: string, depth: number): fc.Arbitrary<unknown> {
  const props = objectOf("apiextensions.k8s.io/v1.JSONSchemaProps", depth);
  const words = fc.array(fc.string(), { minLength: 1, maxLength: 3 });
  if (wrapper === "SchemaOrBool") return fc.oneof(fc.boolean(), props);
  if (wrapper === "SchemaOrArray") return fc.oneof(props, fc.array(props, { minLength: 1, maxLength: 2 }));
  if (wrapper === "SchemaOrStringArray") return fc.oneof(props, words);
  if (wrapper === "Items") return words;
  return json.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
}

function valueFor(ref: TypeRef, wrapper: string | undefined, depth: number): fc.Arbitrary<unknown> {
  if (typeof ref === "object" && "map" in ref) {
    return fc.dictionary(fc.string(), valueFor(ref.map, wrapper, depth), {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    });
  }
  if (typeof ref === "object" && "list" in ref && wrapper !== "Items") {
    return fc.array(valueFor(ref.list, wrapper, depth), { minLength: 1, maxLength: 2 });
  }
  if (wrapper) return wrapped(wrapper, depth);
  if (typeof ref === "string") return scalars[ref] ?? json;
  return "ref" in ref ? objectOf(ref.ref, depth + 1) : fc.constant([]);
}

/** Objects with up to five of the type's fields; none below a depth of four. */
function objectOf(type: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(typeNamed(type).fields).filter(([, field]) => field.proto !== undefined);
  if (depth > 4 || fields.length === 0) return fc.constant({});
  const some = fc.subarray(fields, { maxLength: Math.min(5, fields.length) });
  return some.chain((chosen: [string, FieldSchema][]) =>
    fc.record(
      Object.fromEntries(
        chosen.map(([name, field]) => [name, valueFor(field.type, field.protoWrapper, depth)]),
      ) as Record<string, fc.Arbitrary<unknown>>,
    ),
  );
}

const kinds: readonly Resource[] = [Deployments, Nodes, CustomResourceDefinitions];
for (const resource of kinds) {
  test(`any ${resource.kind} comes back as it was`, () =>
    fc.assert(
      fc.property(objectOf(resource.type ?? "", 0), (fields) => {
        const object = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...fields };
        expect(decodeProtobuf(encodeProtobuf(object) ?? new Uint8Array())).toEqual(object);
      }),
      { numRuns: 60 },
    ));
}

const bytesOf = (...parts: (number | string | readonly number[])[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === "number" ? Buffer.of(part) : typeof part === "string" ? Buffer.from(part) : Buffer.from(part),
    ),
  );
const typeMeta = bytesOf(0x0a, 2, "v1", 0x12, 9, "ConfigMap");
const body = (raw: Uint8Array): Uint8Array =>
  bytesOf("k8s\0", 0x0a, typeMeta.length, [...typeMeta], 0x12, raw.length, [...raw]);

test("leaves out what Go leaves out, and keeps what a pointer says", () => {
  // metadata {name: "a", generateName: "", generation: 0}, immutable: false (a pointer), and a field that nobody knows.
  const metadata = bytesOf(0x0a, 1, "a", 0x12, 0, 0x38, 0);
  const raw = bytesOf(0x0a, metadata.length, [...metadata], 0x20, 0, 0xf8, 0x3f, 1);
  expect(decodeProtobuf(body(raw))).toEqual({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a" },
    immutable: false,
  });
});

test("a key may be called __proto__", () => {
  const entry = bytesOf(0x0a, 9, "__proto__", 0x12, 1, "x");
  const decoded = decodeProtobuf(body(bytesOf(0x12, entry.length, [...entry])));
  expect(Object.entries(decoded.data as object)).toEqual([["__proto__", "x"]]);
});

const whole = encodeProtobuf({ apiVersion: "v1", kind: ConfigMaps.kind, ...{ data: { a: "b" } } }) ?? new Uint8Array();
test("a body that is cut off anywhere is refused or smaller, never a crash", () => {
  for (let length = 0; length < whole.length; length++) {
    try {
      decodeProtobuf(whole.subarray(0, length));
    } catch (error) {
      expect(error).toMatchObject({ name: "StatusError", code: 400 });
    }
  }
});

test("noise is refused as a bad request", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
      try {
        decodeProtobuf(body(noise));
      } catch (error) {
        expect(error).toMatchObject({ name: "StatusError", code: 400 });
      }
    }),
  ));

test("tells its own from other bodies", () => {
  expect(isProtobuf(whole)).toBe(true);
  expect(isProtobuf(Buffer.from("{}"))).toBe(false);
  expect(() => decodeProtobuf(Buffer.from("{}"))).toThrow("does not appear to be a protobuf message");
});

test("refuses kinds it does not know, and writes none for kinds without numbers", () => {
  const other = bytesOf("k8s\0", 0x0a, 7, 0x0a, 2, "v1", 0x12, 1, "X");
  expect(() => decodeProtobuf(other)).toThrow('no kind "X" is registered for version "v1"');
  const gateway = { apiVersion: apiVersionOf(Gateways), kind: "Gateway", spec: { gatewayClassName: "x" } };
  expect(encodeProtobuf(gateway)).toBeUndefined();
});

test("options of meta/v1 belong to every group", () => {
  const options = { apiVersion: "apps/v1", kind: "DeleteOptions", propagationPolicy: "Background" };
  expect(decodeProtobuf(encodeProtobuf(options) ?? new Uint8Array())).toEqual(options);
});
