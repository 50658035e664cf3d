/**
 * Whether a JSON value has the shape of its kind: fields that the table does not know, values of another type. What the values
 * may be is validation's business, not the shape's.
 *
 * Source of messages: sigs.k8s.io/json (a fork of Go's decoder) and apiserver pkg/endpoints/handlers/rest.go.
 */
import { typeNamed, typeOf } from "./lookup.ts";
import { parseQuantity } from "./quantity.ts";
import { isRecord } from "./record.ts";
import type { Resource } from "./resource.ts";
import type { Scalar, TypeRef, TypeSchema } from "./schema.ts";
import { badRequest, type StatusError } from "./status-error.ts";

export interface Shape {
  /** Paths of fields that the kind does not have, such as "spec.template.spec.containers[0].imagee"; at most 100. */
  readonly unknown: readonly string[];
  /** Values of a wrong type, as Go's JSON decoder says it; an API refuses with the first, whatever the client asks for. */
  readonly wrongType: readonly string[];
}

/** As `Shape`, for people: each value with its path, in words that do not come from Go. */
export interface ShapeOfType {
  readonly unknown: readonly string[];
  readonly wrongType: readonly { readonly path: string; readonly message: string }[];
}

/** A kind without a schema has every shape. */
export function validateShape(resource: Resource, value: unknown): Shape {
  const check = new Check(false);
  const type = typeOf(resource);
  if (type) check.struct(type, resource.kind, `${resource.version}.${resource.kind}`, value, { path: "", field: "" });
  return { unknown: check.unknown, wrongType: check.wrong.map(({ go }) => go) };
}

/** Whether a value has the shape of a type of the table ("core/v1.Container"); paths begin with `path`. */
export function validateType(type: string, value: unknown, path: string): ShapeOfType {
  const check = new Check(false);
  const name = type.slice(type.lastIndexOf(".") + 1);
  check.struct(typeNamed(type), name, goTypeOf({ ref: type }), value, { path, field: "" });
  return { unknown: check.unknown, wrongType: check.wrong.map(({ path, message }) => ({ path, message })) };
}

/** Removes the fields that the kind does not have, in place; says which they were. */
export function prune(resource: Resource, value: unknown): readonly string[] {
  const check = new Check(true);
  const type = typeOf(resource);
  if (type) check.struct(type, resource.kind, resource.kind, value, { path: "", field: "" });
  return check.unknown;
}

/** `strict decoding error: unknown field "spec.replicsa"`; one warning each is `unknown field "..."`. */
export const strictDecodingMessage = (unknown: readonly string[]): string =>
  `strict decoding error: ${unknown.map(unknownFieldMessage).join(", ")}`;

export const unknownFieldMessage = (path: string): string => `unknown field ${JSON.stringify(path)}`;

/** The refusal of a body that is not of the kind; with `strict`, also for unknown fields. Undefined: accepted. */
export function shapeError(resource: Resource, shape: Shape, strict: boolean): StatusError | undefined {
  const why =
    shape.wrongType[0] ?? (strict && shape.unknown.length > 0 ? strictDecodingMessage(shape.unknown) : undefined);
  if (why === undefined) return undefined;
  const { kind, version } = resource;
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}

/** Where a value stands: with indexes for unknown fields, without for types (as Go writes them), and the struct it is in. */
interface Place {
  readonly path: string;
  readonly field: string;
  readonly struct?: string;
}

class Check {
  readonly unknown: string[] = [];
  readonly wrong: { path: string; go: string; message: string }[] = [];
  readonly #prune: boolean;

  constructor(prune: boolean) {
    this.#prune = prune;
  }

  struct(type: TypeSchema, name: string, goType: string, value: unknown, place: Place): void {
    if (value === null) return;
    if (!isRecord(value)) {
      this.#mismatch(value, goType, place);
      return;
    }
    for (const key of Object.keys(value)) {
      const path = place.path ? `${place.path}.${key}` : key;
      const field = Object.hasOwn(type.fields, key) ? type.fields[key] : undefined;
      if (field) {
        const dotted = place.field ? `${place.field}.${key}` : key;
        this.#value(field.type, value[key], { path, field: dotted, struct: name });
      } else {
        if (this.unknown.length < 100) this.unknown.push(path);
        if (this.#prune) delete value[key];
      }
    }
  }

  #value(ref: TypeRef, value: unknown, place: Place): void {
    if (value === null || value === undefined) return;
    if (typeof ref === "string") {
      const wrong = wrongScalar(ref, value);
      if (wrong === mismatch) this.#mismatch(value, goTypeOf(ref), place);
      else if (wrong !== undefined) this.wrong.push({ path: place.path, go: wrong, message: wrong });
    } else if ("ref" in ref) {
      const name = ref.ref.slice(ref.ref.lastIndexOf(".") + 1);
      this.struct(typeNamed(ref.ref), name, goTypeOf(ref), value, place);
    } else if ("list" in ref) {
      if (!Array.isArray(value)) this.#mismatch(value, goTypeOf(ref), place);
      else
        for (const [i, item] of value.entries()) this.#value(ref.list, item, { ...place, path: `${place.path}[${i}]` });
    } else if (!isRecord(value)) {
      this.#mismatch(value, goTypeOf(ref), place);
    } else {
      for (const [key, item] of Object.entries(value)) {
        this.#value(ref.map, item, { ...place, path: `${place.path}.${key}` });
      }
    }
  }

  #mismatch(value: unknown, goType: string, { struct, field, path }: Place): void {
    const into = struct ? `struct field ${struct}.${field}` : "value";
    const found = described(value, goType);
    this.wrong.push({
      path,
      go: `json: cannot unmarshal ${found} into Go ${into} of type ${goType}`,
      message: `is of type ${goType}, not ${found}`,
    });
  }
}

/** A number says which one where a number is wanted, but not this. */
function described(value: unknown, goType: string): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return goType.startsWith("int") ? `number ${value}` : "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function goTypeOf(ref: TypeRef): string {
  if (typeof ref === "object") {
    if ("list" in ref) return `[]${goTypeOf(ref.list)}`;
    if ("map" in ref) return `map[string]${goTypeOf(ref.map)}`;
    return ref.ref.slice(ref.ref.indexOf("/") + 1);
  }
  switch (ref) {
    case "boolean":
      return "bool";
    case "double":
      return "float64";
    case "bytes":
      return "[]uint8";
    case "Quantity":
      return "resource.Quantity";
    case "IntOrString":
      return "intstr.IntOrString";
    case "Time":
    case "MicroTime":
      return `v1.${ref}`;
    case "json":
      return "runtime.RawExtension";
    default:
      return ref;
  }
}

/** The value is of another JSON type than the field. */
const mismatch = Symbol("mismatch");

/** What is wrong; types with a decoder of their own do not know where they stand, so their messages have no path. */
function wrongScalar(scalar: Scalar, value: unknown): string | typeof mismatch | undefined {
  switch (scalar) {
    case "string":
      return typeof value === "string" ? undefined : mismatch;
    case "boolean":
      return typeof value === "boolean" ? undefined : mismatch;
    case "double":
      return typeof value === "number" ? undefined : mismatch;
    case "int32":
      return isInt32(value) ? undefined : mismatch;
    case "int64":
      return Number.isInteger(value) ? undefined : mismatch;
    case "bytes":
      return typeof value === "string" ? wrongBase64(value) : mismatch;
    case "Quantity":
      return wrongQuantity(value);
    case "IntOrString":
      if (typeof value === "string" || isInt32(value)) return undefined;
      return `json: cannot unmarshal ${described(value, "int32")} into Go value of type int32`;
    case "Time":
      return wrongTime(value, "2006-01-02T15:04:05Z07:00");
    case "MicroTime":
      return wrongTime(value, "2006-01-02T15:04:05.000000Z07:00");
    case "json":
      return undefined;
  }
}

const isInt32 = (value: unknown): boolean =>
  typeof value === "number" && Number.isInteger(value) && Math.abs(value + 0.5) < 2 ** 31;

/** Line breaks are passed over, as Go does. */
function wrongBase64(text: string): string | undefined {
  const bare = text.replace(/[\r\n]/g, "");
  if (bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return undefined;
  const foreign = text.search(/[^A-Za-z0-9+/=\r\n]/);
  return `illegal base64 data at input byte ${foreign < 0 ? text.length - (text.length % 4) : foreign}`;
}

function wrongQuantity(value: unknown): string | undefined {
  try {
    parseQuantity(typeof value === "string" || typeof value === "number" ? value : "");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/;

function wrongTime(value: unknown, layout: string): string | undefined {
  if (typeof value !== "string") {
    return `json: cannot unmarshal ${described(value, "string")} into Go value of type string`;
  }
  if (time.test(value) && !Number.isNaN(Date.parse(value.replace(",", ".")))) return undefined;
  const text = JSON.stringify(value);
  return `parsing time ${text} as ${JSON.stringify(layout)}: cannot parse ${text} as "2006"`;
}
