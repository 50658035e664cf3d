/** The JSON schema of flotilla.yaml for editors, from the one description of the model. References are for `flotilla check`. */
import { appShape } from "./model/fields.ts";
import { formatOf } from "./model/formats.ts";
import type { Field, Shape } from "./model/shape.ts";

export type JsonSchema = { readonly [key: string]: unknown };

function schemaOf(shape: Shape): JsonSchema {
  switch (shape.is) {
    case "text": {
      if (!shape.format) return { type: "string" };
      const { pattern, maxLength } = formatOf(shape.format);
      return { type: "string", pattern, ...(maxLength && { maxLength }) };
    }
    case "number":
      return {
        type: "integer",
        ...(shape.min !== undefined && { minimum: shape.min }),
        ...(shape.max !== undefined && { maximum: shape.max }),
      };
    case "boolean":
      return { type: "boolean" };
    case "choice":
      return { enum: shape.of };
    case "name":
      return { type: "string" };
    case "list":
      return { type: "array", items: schemaOf(shape.of) };
    case "record": {
      const { pattern, maxLength } = formatOf(shape.keys);
      return {
        type: "object",
        additionalProperties: schemaOf(shape.of),
        propertyNames: { pattern, ...(maxLength && { maxLength }) },
      };
    }
    case "object":
      return objectSchema(shape.fields, true);
    case "either":
      return { anyOf: shape.of.map(schemaOf), description: shape.says };
    case "kube":
      return { type: "object", description: `as Kubernetes has it: ${shape.type}` };
    case "json":
      return {};
  }
}

function objectSchema(fields: Readonly<Record<string, Field>>, whole: boolean): JsonSchema {
  // What is not built yet is not offered.
  const offered = Object.entries(fields).filter(([, field]) => !field.later);
  const required = offered.flatMap(([name, field]) => (whole && field.required ? [name] : []));
  return {
    type: "object",
    properties: Object.fromEntries(offered.map(([name, field]) => [name, fieldSchema(name, field)])),
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  };
}

function fieldSchema(name: string, field: Field): JsonSchema {
  const schema = name === "environments" ? overlays(field.shape) : schemaOf(field.shape);
  return { ...schema, description: field.doc, ...(field.default !== undefined && { default: field.default }) };
}

/** In an environment nothing is required, and null deletes. */
function overlays(shape: Shape): JsonSchema {
  return shape.is === "record"
    ? { type: "object", additionalProperties: optional(schemaOf(shape.of)) }
    : schemaOf(shape);
}

function optional(schema: unknown): JsonSchema {
  const { required: _, ...rest } = schema as Record<string, unknown>;
  const { properties, additionalProperties } = rest as {
    properties?: Record<string, unknown>;
    additionalProperties?: unknown;
  };
  const nullable = (each: unknown) => ({ anyOf: [optional(each), { type: "null" }] });
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, nullable(each)])),
    }),
    ...(typeof additionalProperties === "object" && { additionalProperties: nullable(additionalProperties) }),
  };
}

export const jsonSchema = (): JsonSchema => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "A Flotilla app",
  ...schemaOf(appShape),
});
