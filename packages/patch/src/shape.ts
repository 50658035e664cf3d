/**
 * How values merge in server-side apply: derived from the table of kinds, or, where there is no schema, from the values
 * themselves (objects granular, lists atomic).
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 schema (Atom), with Kubernetes' translation of its own types into it.
 */
import type { FieldSchema, TypeRef, TypeTable } from "@flotilla/objects";
import { isObject } from "./json.ts";
import type { Schema } from "./schema.ts";

export type ScalarKind = "string" | "boolean" | "numeric" | "any";

export interface ListShape {
  readonly relation: "atomic" | "set" | "map";
  /** Sorted; empty unless the relation is "map". */
  readonly keys: readonly string[];
  item(): Shape;
  /** What a key field that an item leaves out stands for. */
  keyDefault(key: string): unknown;
}

export interface MapShape {
  readonly atomic: boolean;
  /** The shape of a declared field; undefined for all others. */
  field(name: string): Shape | undefined;
  /** The shape of what is not declared; undefined: nothing else is allowed. */
  readonly values: (() => Shape) | undefined;
  /** Go writes the field even when nobody set it, so that its presence alone is nobody's doing. */
  always(name: string): boolean;
}

/** What a value may be. At least one form; several where the type is not known. */
export interface Shape {
  readonly scalar?: ScalarKind;
  readonly list?: ListShape;
  readonly map?: MapShape;
}

export type Form = "scalar" | "list" | "map";

const none = () => undefined;
const never = () => false;

const atomicList: ListShape = { relation: "atomic", keys: [], item: () => untyped, keyDefault: none };

/** Unknown type: the value says what it is. */
export const untyped: Shape = {
  scalar: "any",
  list: atomicList,
  map: { atomic: false, field: none, values: () => untyped, always: never },
};

/** Any JSON value, replaced as a whole. */
const atomicJson: Shape = {
  scalar: "any",
  list: atomicList,
  map: { atomic: true, field: none, values: () => untyped, always: never },
};

/** The form that a value of this shape has; for null, undefined and misfits the first that the shape allows. */
export function formOf(shape: Shape, value: unknown): Form {
  if (Array.isArray(value)) {
    if (shape.list) return "list";
  } else if (isObject(value)) {
    if (shape.map) return "map";
  } else if (value !== null && value !== undefined && shape.scalar) {
    return "scalar";
  }
  return shape.map ? "map" : shape.scalar ? "scalar" : "list";
}

/** The shape of a field of a map, declared or not. */
export const childShape = (map: MapShape, key: string): Shape => map.field(key) ?? map.values?.() ?? untyped;

const roots = new WeakMap<TypeTable, Map<string | undefined, Shape>>();

/** The shape of whole objects. Shapes are kept as long as the table is. */
export function rootShape({ table, type }: Schema): Shape {
  const shapes: Map<string | undefined, Shape> = roots.get(table) ?? new Map();
  roots.set(table, shapes);
  let shape = shapes.get(type);
  if (!shape) {
    shape = type !== undefined && table[type] ? structShape(table, type, false, shapes) : unknownObject(table, shapes);
    shapes.set(type, shape);
  }
  return shape;
}

/** An object of a kind without a schema: only its metadata is known. */
function unknownObject(table: TypeTable, shapes: Map<string | undefined, Shape>): Shape {
  const metaType = "meta/v1.ObjectMeta";
  const metadata = table[metaType] ? structShape(table, metaType, false, shapes) : untyped;
  const field = (name: string): Shape | undefined => {
    if (name === "metadata") return metadata;
    return name === "apiVersion" || name === "kind" ? { scalar: "string" } : undefined;
  };
  return { map: { atomic: false, field, values: () => untyped, always: (name) => name === "metadata" } };
}

function structShape(table: TypeTable, type: string, atomic: boolean, shapes: Map<string | undefined, Shape>): Shape {
  const key = atomic ? `atomic ${type}` : type;
  const known = shapes.get(key);
  if (known) return known;
  const schema = table[type];
  if (!schema) return untyped;
  const fields = new Map(Object.entries(schema.fields));
  const resolved = new Map<string, Shape>();
  const field = (name: string): Shape | undefined => {
    let shape = resolved.get(name);
    if (shape) return shape;
    const declared = fields.get(name);
    if (!declared) return undefined;
    shape = fieldShape(table, declared, shapes);
    resolved.set(name, shape);
    return shape;
  };
  const shape: Shape = {
    map: {
      atomic: atomic || schema.atomic === true,
      field,
      values: undefined,
      always: (name) => alwaysThere(fields.get(name)),
    },
  };
  shapes.set(key, shape);
  return shape;
}

const isStruct = (type: TypeRef): boolean => typeof type === "object" && "ref" in type;

const alwaysThere = (field: FieldSchema | undefined): boolean =>
  field !== undefined && (field.always === true || (isStruct(field.type) && field.pointer !== true));

function fieldShape(table: TypeTable, field: FieldSchema, shapes: Map<string | undefined, Shape>): Shape {
  const { type } = field;
  if (typeof type === "object" && "list" in type) {
    const relation = field.listType ?? "atomic";
    const keys = relation === "map" ? [...(field.listMapKeys ?? [])].sort() : [];
    const item = typeShape(table, type.list, shapes);
    const { list } = type;
    const itemFields = typeof list === "object" && "ref" in list ? table[list.ref]?.fields : undefined;
    return { list: { relation, keys, item, keyDefault: (key) => itemFields?.[key]?.default } };
  }
  if (field.mapType === "atomic" && typeof type === "object") {
    if ("ref" in type) return structShape(table, type.ref, true, shapes);
    return { map: { atomic: true, field: none, values: typeShape(table, type.map, shapes), always: never } };
  }
  return typeShape(table, type, shapes)();
}

/** Resolved when first asked for: types refer to themselves. */
function typeShape(table: TypeTable, type: TypeRef, shapes: Map<string | undefined, Shape>): () => Shape {
  let shape: Shape | undefined;
  return () => {
    shape ??= resolveType(table, type, shapes);
    return shape;
  };
}

function resolveType(table: TypeTable, type: TypeRef, shapes: Map<string | undefined, Shape>): Shape {
  if (typeof type !== "object") return type === "json" ? atomicJson : { scalar: scalarKind(type) };
  if ("ref" in type) return structShape(table, type.ref, false, shapes);
  if ("list" in type) {
    return { list: { relation: "atomic", keys: [], item: typeShape(table, type.list, shapes), keyDefault: none } };
  }
  return { map: { atomic: false, field: none, values: typeShape(table, type.map, shapes), always: never } };
}

function scalarKind(type: string): ScalarKind {
  if (type === "boolean") return "boolean";
  if (type === "int32" || type === "int64" || type === "double") return "numeric";
  return type === "Quantity" || type === "IntOrString" ? "any" : "string";
}
