/** A structural schema in the form of the table of kinds, so that apply merges custom objects as their schema says. */
import { type FieldSchema, isRecord, type TypeRef, type TypeSchema } from "@flotilla/objects";
import type { StructuralSchema } from "./structural-schema.ts";

/** Calls `add` with each type; names begin with `name`. The type of the whole has exactly that name. */
export function addTypes(name: string, schema: StructuralSchema, add: (name: string, type: TypeSchema) => void): void {
  const fields: Record<string, FieldSchema> = {};
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    fields[key] = fieldOf(`${name}.${key}`, property, add);
  fields.apiVersion = { type: "string" };
  fields.kind = { type: "string" };
  fields.metadata = { type: { ref: "meta/v1.ObjectMeta" } };
  add(name, { fields });
}

function fieldOf(name: string, schema: StructuralSchema, add: (name: string, type: TypeSchema) => void): FieldSchema {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"];
  const isAtomic = schema["x-kubernetes-map-type"] === "atomic";
  return {
    type: refOf(name, schema, add),
    ...(listType ? { listType: listType as "atomic" | "set" | "map" } : {}),
    ...(keys ? { listMapKeys: keys } : {}),
    ...(isAtomic ? { mapType: "atomic" as const } : {}),
    ...(schema.default !== undefined ? { default: schema.default } : {}),
  };
}

const scalars = { string: "string", boolean: "boolean", integer: "int64", number: "double" } as const;

function refOf(name: string, schema: StructuralSchema, add: (name: string, type: TypeSchema) => void): TypeRef {
  const { type, properties, items, additionalProperties } = schema;
  if (schema["x-kubernetes-int-or-string"]) return "IntOrString";
  // What may hold anything merges by its own structure.
  if (schema["x-kubernetes-preserve-unknown-fields"] || schema["x-kubernetes-embedded-resource"]) return "json";
  if (type === "array") return { list: items ? refOf(`${name}[]`, items, add) : "json" };
  if (isRecord(additionalProperties)) return { map: refOf(`${name}{}`, additionalProperties as StructuralSchema, add) };
  if (properties) {
    const fields: Record<string, FieldSchema> = {};
    for (const [key, property] of Object.entries(properties)) fields[key] = fieldOf(`${name}.${key}`, property, add);
    add(name, { fields });
    return { ref: name };
  }
  return (type && scalars[type as keyof typeof scalars]) || "json";
}
