/**
 * How a type of the table lies in protobuf: its fields by number, with inlined structs as messages of their own again.
 *
 * Wrappers (`FieldSchema.protoWrapper`), each a message where JSON has just the value:
 *
 *     Raw                  {raw = 1}: any JSON value as text (RawExtension, FieldsV1, apiextensions' JSON)
 *     Items                {items = 1, repeated}: a list inside of a map or a list (ExtraValue, Verbs)
 *     Duration             {duration = 1}: nanoseconds; text in JSON
 *     SchemaOrBool         {allows = 1, schema = 2}
 *     SchemaOrArray        {schema = 1, jSONSchemas = 2, repeated}
 *     SchemaOrStringArray  {schema = 1, property = 2, repeated}
 */
import { typeNamed } from "./lookup.ts";
import type { FieldSchema } from "./schema.ts";

export type Slot =
  | { readonly number: number; readonly name: string; readonly field: FieldSchema; readonly within?: undefined }
  | { readonly number: number; readonly within: Plan };

export interface Plan {
  readonly byNumber: ReadonlyMap<number, Slot>;
  /** By rising number, as Kubernetes writes them. */
  readonly slots: readonly Slot[];
}

export const schemaProps = "apiextensions.k8s.io/v1.JSONSchemaProps";

const plans = new Map<string, Plan>();

export function planOf(type: string): Plan {
  let plan = plans.get(type);
  if (!plan) {
    const fields = Object.entries(typeNamed(type).fields).filter(([, field]) => field.proto !== undefined);
    plan = planFor(fields, 0);
    plans.set(type, plan);
  }
  return plan;
}

/** The fields of one message; `depth` counts the inlined messages around it. */
function planFor(fields: readonly (readonly [string, FieldSchema])[], depth: number): Plan {
  const slots: Slot[] = [];
  const inner = new Map<number, (readonly [string, FieldSchema])[]>();
  for (const entry of fields) {
    const [name, field] = entry;
    const within = field.protoWithin?.[depth];
    if (within === undefined) {
      slots.push({ number: field.proto ?? 0, name, field });
    } else {
      const group = inner.get(within) ?? [];
      if (group.length === 0) inner.set(within, group);
      group.push(entry);
    }
  }
  for (const [number, group] of inner) slots.push({ number, within: planFor(group, depth + 1) });
  slots.sort((a, b) => a.number - b.number);
  return { slots, byNumber: new Map(slots.map((slot) => [slot.number, slot])) };
}
