/** What the patches are told about the shape of the objects that they change. */
import type { FieldSchema, TypeRef, TypeTable } from "@flotilla/objects";
import { get } from "./json.ts";

/** `type` is a key of the table, as "apps/v1.Deployment"; undefined for kinds without a schema. */
export interface Schema {
  readonly table: TypeTable;
  readonly type: string | undefined;
}

/** How one field takes part in a strategic merge patch. */
export interface PatchField {
  /** Of the field's value; undefined: unknown, which merges as a plain merge patch does. */
  readonly type: TypeRef | undefined;
  readonly strategy: "merge" | "replace" | undefined;
  readonly retainKeys: boolean;
  readonly mergeKey: string | undefined;
}

const unknownField: PatchField = { type: undefined, strategy: undefined, retainKeys: false, mergeKey: undefined };

const patchFields = new WeakMap<FieldSchema, PatchField>();

export function patchField(table: TypeTable, parent: TypeRef | undefined, key: string): PatchField {
  if (typeof parent !== "object") return unknownField;
  if ("map" in parent) return { ...unknownField, type: parent.map };
  if ("list" in parent) return unknownField;
  const fields = table[parent.ref]?.fields;
  const field = fields && (get(fields as Record<string, unknown>, key) as FieldSchema | undefined);
  if (!field) return unknownField;
  let known = patchFields.get(field);
  if (!known) {
    const strategies = field.patchStrategy?.split(",") ?? [];
    known = {
      type: field.type,
      strategy: strategies.find((strategy) => strategy === "merge" || strategy === "replace"),
      retainKeys: strategies.includes("retainKeys"),
      mergeKey: field.patchMergeKey,
    };
    patchFields.set(field, known);
  }
  return known;
}

/** The type of a list's items. A field declared as a single struct may hold a list of them (as in strategicpatch). */
export const itemType = (type: TypeRef | undefined): TypeRef | undefined =>
  typeof type === "object" && "list" in type ? type.list : type;
