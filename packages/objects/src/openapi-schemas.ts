/**
 * Types of the table as OpenAPI v3 schemas, named and marked as Kubernetes' own documents are (without descriptions).
 *
 * Source: kube-openapi pkg/generators; kubernetes api/openapi-spec/v3.
 */
import { parseApiVersion, typeNamed } from "./lookup.ts";
import type { FieldSchema, Scalar, TypeRef, TypeSchema } from "./schema.ts";

export type JsonSchema = Record<string, unknown>;

const apimachinery = "io.k8s.apimachinery.pkg";
const places: Readonly<Record<string, string>> = {
  "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
  "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
  core: "io.k8s.api.core",
  meta: `${apimachinery}.apis.meta`,
};
/** Groups that are no part of Kubernetes itself are named by their domain, backwards; these, too. */
const ownDomains = new Set(["gateway.networking.k8s.io"]);

/** "apps/v1.Deployment" as "io.k8s.api.apps.v1.Deployment". */
export function schemaName(type: string): string {
  const dot = type.lastIndexOf(".");
  const { group, version } = parseApiVersion(type.slice(0, dot));
  const isForeign = group.includes(".") && !group.endsWith(".k8s.io");
  const place =
    isForeign || ownDomains.has(group)
      ? group.split(".").reverse().join(".")
      : (places[group] ?? `io.k8s.api.${group.split(".")[0]}`);
  return `${place}.${version}.${type.slice(dot + 1)}`;
}

export const schemaRef = (type: string): JsonSchema => ({ $ref: `#/components/schemas/${schemaName(type)}` });
const namedRef = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** Scalars with a schema of their own. */
const named: Partial<Record<Scalar, { readonly name: string; readonly schema: JsonSchema }>> = {
  Quantity: {
    name: `${apimachinery}.api.resource.Quantity`,
    schema: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  IntOrString: {
    name: `${apimachinery}.util.intstr.IntOrString`,
    schema: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  Time: { name: `${apimachinery}.apis.meta.v1.Time`, schema: { type: "string", format: "date-time" } },
  MicroTime: { name: `${apimachinery}.apis.meta.v1.MicroTime`, schema: { type: "string", format: "date-time" } },
};

const plain: Partial<Record<Scalar, JsonSchema>> = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  bytes: { type: "string", format: "byte" },
};

const customResources = `${places["apiextensions.k8s.io"]}.v1`;

/** JSON values of any kind are named for what holds them in Go. */
function anyJson(owner: string, field: FieldSchema): { readonly name?: string; readonly schema: JsonSchema } {
  if (owner.startsWith("apiextensions.k8s.io/")) {
    const wrapper = field.protoWrapper ?? "";
    if (wrapper === "Raw") return { name: `${customResources}.JSON`, schema: {} };
    return { name: `${customResources}.JSONSchemaProps${wrapper.replace("Schema", "")}`, schema: {} };
  }
  if (owner === "meta/v1.ManagedFieldsEntry") {
    return { name: `${apimachinery}.apis.meta.v1.FieldsV1`, schema: { type: "object" } };
  }
  if (field.protoWrapper === undefined) return { schema: { "x-kubernetes-preserve-unknown-fields": true } };
  return { name: `${apimachinery}.runtime.RawExtension`, schema: { type: "object" } };
}

/** Collects the schemas that types need. */
export class Schemas {
  readonly all: Record<string, JsonSchema> = {};
  readonly #kinds: ReadonlyMap<string, JsonSchema[]>;

  /** `kinds`: for the types that are kinds, their x-kubernetes-group-version-kind. */
  constructor(kinds: ReadonlyMap<string, JsonSchema[]>) {
    this.#kinds = kinds;
  }

  /** Adds a type and all that it reaches. */
  add(type: string, given?: TypeSchema): void {
    const name = schemaName(type);
    if (this.all[name]) return;
    const definition = given ?? typeNamed(type);
    const schema: JsonSchema = { type: "object" };
    this.all[name] = schema;
    const fields = Object.entries(definition.fields);
    schema.properties = Object.fromEntries(fields.map(([key, field]) => [key, this.#property(type, field)]));
    const required = fields.filter(([, field]) => field.required).map(([key]) => key);
    if (required.length > 0) schema.required = required;
    if (definition.atomic) schema["x-kubernetes-map-type"] = "atomic";
    const kinds = this.#kinds.get(type);
    if (kinds) schema["x-kubernetes-group-version-kind"] = kinds;
  }

  /** Adds a kind that is not in the table, by its own schema; what every object has is added to it. */
  addCustom(type: string, schema: JsonSchema): void {
    this.add("meta/v1.ObjectMeta");
    const metadata = { allOf: [schemaRef("meta/v1.ObjectMeta")], default: {} };
    const always = { apiVersion: plain.string, kind: plain.string, metadata };
    const { properties = {} } = schema as { properties?: JsonSchema };
    const kinds = { "x-kubernetes-group-version-kind": this.#kinds.get(type) };
    this.all[schemaName(type)] = { type: "object", ...schema, properties: { ...properties, ...always }, ...kinds };
  }

  #property(owner: string, field: FieldSchema): JsonSchema {
    const schema = this.#schema(owner, field.type, field);
    // A reference stands alone; what is said beside it needs an allOf.
    const property: JsonSchema = "$ref" in schema ? { allOf: [schema] } : schema;
    const value = field.default ?? (field.pointer ? undefined : zeroOf(field.type, field.always === true));
    if (value !== undefined) property.default = value;
    if (field.listType) property["x-kubernetes-list-type"] = field.listType;
    if (field.listMapKeys) property["x-kubernetes-list-map-keys"] = field.listMapKeys;
    if (field.mapType) property["x-kubernetes-map-type"] = field.mapType;
    if (field.patchStrategy) property["x-kubernetes-patch-strategy"] = field.patchStrategy;
    if (field.patchMergeKey) property["x-kubernetes-patch-merge-key"] = field.patchMergeKey;
    return property;
  }

  #schema(owner: string, ref: TypeRef, field: FieldSchema): JsonSchema {
    if (typeof ref === "object") {
      if ("list" in ref) return { type: "array", items: this.#item(owner, ref.list, field) };
      if ("map" in ref) return { type: "object", additionalProperties: this.#item(owner, ref.map, field) };
      this.add(ref.ref);
      return schemaRef(ref.ref);
    }
    const { name, schema } = ref === "json" ? anyJson(owner, field) : (named[ref] ?? { schema: plain[ref] ?? {} });
    if (name === undefined) return { ...schema, ...(field.enum ? { enum: field.enum } : {}) };
    this.all[name] ??= schema;
    return namedRef(name);
  }

  #item(owner: string, ref: TypeRef, field: FieldSchema): JsonSchema {
    const schema = this.#schema(owner, ref, field);
    const value = zeroOf(ref, true);
    if (value === undefined) return schema;
    return "$ref" in schema ? { allOf: [schema], default: value } : { ...schema, default: value };
  }
}

/** What Go puts where nothing is said; `always`: also for scalars. */
function zeroOf(ref: TypeRef, always: boolean): unknown {
  if (typeof ref === "object") return "ref" in ref ? {} : undefined;
  if (!always) return undefined;
  if (ref === "string") return "";
  if (ref === "boolean") return false;
  return ref === "int32" || ref === "int64" || ref === "double" ? 0 : undefined;
}
