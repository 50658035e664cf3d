/** The table of kinds as patches need it: types are looked up, and parsed, only when a patch gets to them. */
import { type Resource, type TypeSchema, type TypeTable, typeNamed } from "@flotilla/objects";
import type { Schema } from "@flotilla/patch";
import { type CustomResource, isCustom } from "../custom/custom-resource.ts";

function lazyTable(own: ReadonlyMap<string, TypeSchema>): TypeTable {
  const find = (name: string | symbol) =>
    typeof name !== "string"
      ? undefined
      : (own.get(name) ?? (name.startsWith("custom:") ? undefined : typeNamed(name)));
  return new Proxy<Record<string, TypeSchema>>(
    {},
    { get: (_, name) => find(name), has: (_, name) => find(name) !== undefined },
  );
}

const table = lazyTable(new Map());
const customTables = new WeakMap<CustomResource, TypeTable>();

export function schemaOf(resource: Resource): Schema {
  if (!isCustom(resource)) return { table, type: resource.type };
  const { types, typeName } = resource.custom;
  let own = customTables.get(resource);
  if (!own) {
    own = lazyTable(types);
    customTables.set(resource, own);
  }
  return { table: own, type: typeName };
}
