/** Objects of custom kinds against their structural schema: unknown fields go, defaults come. Source: apiextensions-apiserver pkg/apiserver/schema */
import { isRecord, type JSONSchemaProps } from "@flotilla/objects";
import { clone } from "../registry/clone.ts";

export type StructuralSchema = Omit<JSONSchemaProps, "properties" | "items" | "additionalProperties"> & {
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema | boolean;
};

/** What every object has, whatever the schema says of it. */
const objectFields = ["apiVersion", "kind", "metadata"];

/** Removes unknown fields in place and adds their paths to `unknown`. `known`: fields that need no schema here. */
export function pruneBySchema(
  schema: StructuralSchema,
  value: unknown,
  unknown: string[],
  path = "",
  known: readonly string[] = objectFields,
): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return;
    for (const [index, item] of value.entries())
      pruneBySchema(items, item, unknown, `${path}[${index}]`, knownIn(items));
    return;
  }
  if (!isRecord(value)) return;
  const { additionalProperties } = schema;
  for (const key of Object.keys(value)) {
    const at = path ? `${path}.${key}` : key;
    const property = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    if (known.includes(key)) continue;
    if (property) pruneBySchema(property, value[key], unknown, at, knownIn(property));
    else if (isRecord(additionalProperties))
      pruneBySchema(additionalProperties, value[key], unknown, at, knownIn(additionalProperties));
    else if (!schema["x-kubernetes-preserve-unknown-fields"] && additionalProperties !== true) {
      unknown.push(at);
      delete value[key];
    }
  }
}

const knownIn = (schema: StructuralSchema) => (schema["x-kubernetes-embedded-resource"] ? objectFields : []);

/** In place. A null that may not be null counts as missing. */
export function setDefaults(schema: StructuralSchema, value: unknown): void {
  const { properties, items, additionalProperties } = schema;
  if (Array.isArray(value)) {
    if (items) for (const item of value) setDefaults(items, item);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, property] of Object.entries(properties ?? {})) {
    const missing = value[key] === undefined || (value[key] === null && !property.nullable);
    if (missing && property.default !== undefined) value[key] = clone(property.default);
    setDefaults(property, value[key]);
  }
  if (isRecord(additionalProperties))
    for (const [key, item] of Object.entries(value))
      if (!properties || !Object.hasOwn(properties, key)) setDefaults(additionalProperties, item);
}
