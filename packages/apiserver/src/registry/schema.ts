/** The table of kinds as patches need it: types are looked up, and parsed, only when a patch gets to them. */
import { type Resource, type TypeTable, typeNamed } from "@flotilla/objects";
import type { Schema } from "@flotilla/patch";

/** Types that CustomResourceDefinitions have brought, by a name that starts with "custom:". */
const custom = new Map<string, TypeTable[string]>();

export const setCustomType = (name: string, type: TypeTable[string]): void => void custom.set(name, type);

const table: TypeTable = new Proxy<Record<string, TypeTable[string]>>(
  {},
  {
    get: (_, name) =>
      typeof name !== "string" ? undefined : name.startsWith("custom:") ? custom.get(name) : typeNamed(name),
    has: (_, name) => typeof name === "string" && (custom.has(name) || typeNamed(name) !== undefined),
  },
);

export const schemaOf = (resource: Resource): Schema => ({ table, type: resource.type });
