/**
 * The form in which the API answers with an object, whatever a client has sent: nothing that says no more than its absence,
 * structs that are always there, quantities in canonical form, and the defaults that the table itself states.
 *
 * Kubernetes' own kinds get it from Go: nulls vanish, a field without a pointer loses its zero value, a struct without a pointer
 * is always written. Kinds that a CustomResourceDefinition brings keep what they are given and only get their defaults.
 */
import {
  canonicalQuantity,
  type FieldSchema,
  formatQuantity,
  type KubeObject,
  parseQuantity,
  type Quantity,
  type Resource,
  type TypeRef,
  type TypeSchema,
  typeNamed,
  typeOf,
} from "@flotilla/objects";

type Json = Record<string, unknown>;

/** Served from CustomResourceDefinitions on a real cluster. */
const customGroups = new Set(["gateway.networking.k8s.io", "flotilla.dev"]);

/** In place. */
export function normalize(resource: Resource, object: KubeObject): void {
  const type = typeOf(resource);
  if (!type) return;
  const native = !customGroups.has(resource.group) && resource.schema === undefined;
  for (const [name, field] of Object.entries(type.fields)) {
    if (name === "metadata" || name === "apiVersion" || name === "kind") continue;
    normalizeField(object as unknown as Json, name, field, native);
  }
  if (native) normalizeMetadata(object.metadata as unknown as Json);
}

/** managedFields stay: an empty list asks to forget them. */
function normalizeMetadata(metadata: Json): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (name === "managedFields" || name === "name") continue;
    if (value === null || value === "" || isEmpty(value)) delete metadata[name];
  }
}

function normalizeStruct(type: TypeSchema, value: Json, native: boolean): void {
  for (const name in value) {
    const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
    if (field) normalizeField(value, name, field, native);
  }
  for (const [name, field] of absentable(type, native)) {
    if (value[name] === undefined) normalizeField(value, name, field, native);
  }
}

/** Fields that appear even when nobody sets them. */
function absentable(type: TypeSchema, native: boolean): readonly [string, FieldSchema][] {
  const known = native ? nativeAbsentable : customAbsentable;
  let fields = known.get(type);
  if (!fields) {
    fields = Object.entries(type.fields).filter(
      ([, field]) => field.default !== undefined || (native && zeroOf(field) !== undefined),
    );
    known.set(type, fields);
  }
  return fields;
}
const nativeAbsentable = new WeakMap<TypeSchema, readonly [string, FieldSchema][]>();
const customAbsentable = new WeakMap<TypeSchema, readonly [string, FieldSchema][]>();

/** What Go writes for a field that nobody set; undefined: nothing, or a null that says no more. */
function zeroOf({ type, pointer, always }: FieldSchema): unknown {
  if (pointer) return undefined;
  if (typeof type === "object") return "ref" in type ? {} : undefined;
  if (type === "Quantity") return "0";
  if (!always) return undefined;
  if (type === "string") return "";
  if (type === "boolean") return false;
  return type === "int32" || type === "int64" || type === "double" || type === "IntOrString" ? 0 : undefined;
}

function normalizeField(parent: Json, name: string, field: FieldSchema, native: boolean): void {
  const set = (value: unknown) => {
    if (value === undefined) delete parent[name];
    else parent[name] = value;
  };
  if (isAbsent(parent[name], field, native)) {
    const { default: given } = field;
    const useful = given !== undefined && !(native && !field.pointer && isZero(given));
    set(useful ? structuredClone(given) : native ? structuredClone(zeroOf(field)) : undefined);
  }
  if (parent[name] !== undefined) parent[name] = normalized(field.type, parent[name], native);
}

function isAbsent(value: unknown, { type, pointer, always }: FieldSchema, native: boolean): boolean {
  if (value === undefined || value === null) return true;
  if (!native || always) return false;
  if (typeof type === "object") return !("ref" in type) && isEmpty(value);
  return !pointer && isZero(value);
}

const isZero = (value: unknown): boolean => value === "" || value === 0 || value === false;

function normalized(type: TypeRef, value: unknown, native: boolean): unknown {
  if (typeof type === "string") return type === "Quantity" && native ? quantity(value as Quantity) : value;
  if ("ref" in type) {
    if (typeof value === "object" && value !== null) normalizeStruct(typeNamed(type.ref), value as Json, native);
    return value;
  }
  if ("list" in type) {
    const list = value as unknown[];
    for (let i = 0; i < list.length; i++) if (list[i] !== null) list[i] = normalized(type.list, list[i], native);
    return list;
  }
  const map = value as Json;
  for (const key in map) {
    if (map[key] === null && native && type.map === "string") map[key] = "";
    else if (type.map === "Quantity" && native) map[key] = quantity(roundedUp(map[key] as Quantity));
    else if (map[key] !== null) map[key] = normalized(type.map, map[key], native);
  }
  return map;
}

const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (Array.isArray(value) ? value.length === 0 : !hasKeys(value));

function hasKeys(value: object): boolean {
  for (const _ in value) return true;
  return false;
}

/** What is no quantity is for the shape's check to say. */
const quantity = (value: Quantity): Quantity => canonicalQuantity(value);

const milli = 1_000_000n;

/** Resource lists are kept to a thousandth. Source: kubernetes pkg/apis/core/v1/defaults.go */
function roundedUp(value: Quantity): Quantity {
  const { nano, format } = parseQuantity(value);
  const rest = nano % milli;
  return rest === 0n ? value : formatQuantity({ nano: nano - rest + (rest > 0n ? milli : -milli), format });
}
