/** The mistakes of a value by its schema. Source of messages: kube-openapi pkg/validation, apiextensions-apiserver pkg/apiserver/validation */
import { deepEqual, type FieldError, isRecord } from "@flotilla/objects";
import type { StructuralSchema } from "./structural-schema.ts";

const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  field,
  type: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value) ?? "null"}: ${field} in body ${detail}`,
});

export function schemaMistakes(schema: StructuralSchema, value: unknown, path = ""): FieldError[] {
  if (value === null && schema.nullable) return [];
  const wrong = typeMistake(schema, value, path);
  if (wrong) return [wrong];
  return [
    ...enumMistakes(schema, value, path),
    ...(typeof value === "number" ? numberMistakes(schema, value, path) : []),
    ...(typeof value === "string" ? textMistakes(schema, value, path) : []),
    ...(Array.isArray(value) ? listMistakes(schema, value, path) : []),
    ...(isRecord(value) ? objectMistakes(schema, value, path) : []),
    ...combinedMistakes(schema, value, path),
  ];
}

function typeMistake(schema: StructuralSchema, value: unknown, path: string): FieldError | undefined {
  const wanted = schema["x-kubernetes-int-or-string"] ? undefined : schema.type;
  const actual = typeOfValue(value);
  if (!wanted) {
    if (!schema["x-kubernetes-int-or-string"] || actual === "integer" || actual === "string") return undefined;
    return wrongType("integer,string");
  }
  if (actual === wanted || (wanted === "number" && actual === "integer")) return undefined;
  return wrongType(wanted);

  function wrongType(type: string): FieldError {
    const shown = JSON.stringify(actual);
    return {
      field: path,
      type: "FieldValueTypeInvalid",
      message: `Invalid value: ${shown}: ${path} in body must be of type ${type}: ${shown}`,
    };
  }
}

function typeOfValue(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function enumMistakes({ enum: allowed }: StructuralSchema, value: unknown, field: string): FieldError[] {
  if (!allowed || allowed.some((each) => deepEqual(each, value))) return [];
  const values = allowed.map((each) => JSON.stringify(each)).join(", ");
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`;
  return [{ field, type: "FieldValueNotSupported", message }];
}

function numberMistakes(schema: StructuralSchema, value: number, path: string): FieldError[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const mistakes: FieldError[] = [];
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    mistakes.push(invalid(path, value, `should be greater than ${exclusiveMinimum ? "" : "or equal to "}${minimum}`));
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    mistakes.push(invalid(path, value, `should be less than ${exclusiveMaximum ? "" : "or equal to "}${maximum}`));
  if (multipleOf && !Number.isInteger(value / multipleOf))
    mistakes.push(invalid(path, value, `should be a multiple of ${multipleOf}`));
  return mistakes;
}

function textMistakes({ minLength, maxLength, pattern }: StructuralSchema, value: string, path: string): FieldError[] {
  const mistakes: FieldError[] = [];
  const length = [...value].length;
  if (minLength !== undefined && length < minLength)
    mistakes.push(invalid(path, value, `should be at least ${minLength} chars long`));
  if (maxLength !== undefined && length > maxLength)
    mistakes.push({
      field: path,
      type: "FieldValueTooLong",
      message: `Too long: may not be more than ${maxLength} bytes`,
    });
  if (pattern && !new RegExp(pattern, "u").test(value))
    mistakes.push(invalid(path, value, `should match '${pattern}'`));
  return mistakes;
}

function listMistakes(schema: StructuralSchema, value: readonly unknown[], path: string): FieldError[] {
  const { minItems, maxItems, items } = schema;
  const mistakes: FieldError[] = [];
  if (minItems !== undefined && value.length < minItems)
    mistakes.push(invalid(path, value.length, `should have at least ${minItems} items`));
  if (maxItems !== undefined && value.length > maxItems)
    mistakes.push({
      field: path,
      type: "FieldValueTooMany",
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
    });
  value.forEach((item, index) => {
    const at = `${path}[${index}]`;
    if (items) mistakes.push(...schemaMistakes(items, item, at));
    const keys = schema["x-kubernetes-list-map-keys"];
    const isSame = (other: unknown) =>
      keys && isRecord(other) && isRecord(item)
        ? keys.every((key) => deepEqual(other[key], item[key]))
        : deepEqual(other, item);
    if (["set", "map"].includes(schema["x-kubernetes-list-type"] ?? "") && value.slice(0, index).some(isSame))
      mistakes.push({
        field: at,
        type: "FieldValueDuplicate",
        message: `Duplicate value: ${JSON.stringify(keys && isRecord(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item)}`,
      });
  });
  return mistakes;
}

function objectMistakes(schema: StructuralSchema, value: Record<string, unknown>, path: string): FieldError[] {
  const { properties, additionalProperties, required, minProperties, maxProperties } = schema;
  const at = (key: string) => (path ? `${path}.${key}` : key);
  const mistakes: FieldError[] = [];
  for (const key of required ?? [])
    if (value[key] === undefined)
      mistakes.push({ field: at(key), type: "FieldValueRequired", message: "Required value" });
  const count = Object.keys(value).length;
  if (minProperties !== undefined && count < minProperties)
    mistakes.push(invalid(path, count, `should have at least ${minProperties} properties`));
  if (maxProperties !== undefined && count > maxProperties)
    mistakes.push(invalid(path, count, `should have at most ${maxProperties} properties`));
  for (const [key, item] of Object.entries(value)) {
    // Metadata is checked as that of every object.
    if (path === "" && key === "metadata") continue;
    const property = properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property) mistakes.push(...schemaMistakes(property, item, at(key)));
    else if (isRecord(additionalProperties))
      mistakes.push(...schemaMistakes(additionalProperties as StructuralSchema, item, at(key)));
  }
  return mistakes;
}

function combinedMistakes(schema: StructuralSchema, value: unknown, path: string): FieldError[] {
  const fits = (each: object) => schemaMistakes(each as StructuralSchema, value, path).length === 0;
  const mistakes = (schema.allOf ?? []).flatMap((each) => schemaMistakes(each as StructuralSchema, value, path));
  if (schema.anyOf && !schema.anyOf.some(fits))
    mistakes.push(invalid(path, value, "must validate at least one schema (anyOf)"));
  if (schema.oneOf && schema.oneOf.filter(fits).length !== 1)
    mistakes.push(invalid(path, value, "must validate one and only one schema (oneOf)"));
  if (schema.not && fits(schema.not)) mistakes.push(invalid(path, value, "must not validate the schema (not)"));
  return mistakes;
}
