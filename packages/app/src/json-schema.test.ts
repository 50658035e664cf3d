import { expect, test } from "vitest";
import { jsonSchema } from "./json-schema.ts";
import { appFields } from "./model/fields.ts";

type Schema = {
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  anyOf?: Schema[];
  required?: string[];
  [key: string]: unknown;
};
const schema = jsonSchema() as Schema;
const service = schema.properties?.services?.additionalProperties as Schema;

test("offers the fields that are built, with their texts and defaults", () => {
  const built = Object.entries(appFields).flatMap(([name, field]) => (field.later ? [] : [name]));
  expect(Object.keys(schema.properties ?? {})).toEqual(built);
  expect(schema.required).toEqual(["name", "services"]);
  expect(service.properties?.replicas).toEqual({
    type: "integer",
    minimum: 0,
    description: "How many copies.",
    default: 1,
  });
  expect(service.properties).not.toHaveProperty("dev");
});
test("says the form of texts", () =>
  expect(service.properties?.image).toMatchObject({ type: "string", pattern: expect.stringContaining("sha256") }));
test("environments: nothing is required, null deletes", () => {
  const environment = schema.properties?.environments?.additionalProperties as Schema;
  expect(environment.required).toBeUndefined();
  const overlaid = environment.properties?.services?.anyOf?.[0]?.additionalProperties?.anyOf;
  expect(overlaid?.[1]).toEqual({ type: "null" });
  expect(overlaid?.[0]?.properties?.port?.anyOf).toHaveLength(2);
});
test("is JSON", () => expect(JSON.parse(JSON.stringify(schema))).toEqual(schema));
