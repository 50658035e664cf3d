/**
 * The shape of the table of kinds: for every type, what each field holds, how lists and maps merge, and its protobuf number.
 * The table itself is generated (`generated/`); types, OpenAPI, apply, strategic merge and protobuf all read it.
 */

/** A leaf: a JSON scalar or one of Kubernetes' own scalar types. `json` is any JSON value (RawExtension, free-form specs). */
export type Scalar =
  | "string"
  | "boolean"
  | "int32"
  | "int64"
  | "double"
  | "bytes"
  | "Quantity"
  | "IntOrString"
  | "Time"
  | "MicroTime"
  | "json";

/** What a field holds: a scalar, a named type (a key of `types`, as "core/v1.PodSpec"), a list of something or a map from string to something. */
export type TypeRef = Scalar | { readonly ref: string } | { readonly list: TypeRef } | { readonly map: TypeRef };

export interface FieldSchema {
  readonly type: TypeRef;
  /** The field may not be left out by a client. */
  readonly required?: true;
  /** How a list merges in server-side apply; without it a list is atomic. */
  readonly listType?: "atomic" | "set" | "map";
  /** The keys that tell the items of a `listType: "map"` apart. */
  readonly listMapKeys?: readonly string[];
  /** How a map or a struct merges in server-side apply; without it, granular. */
  readonly mapType?: "atomic" | "granular";
  /** Strategic merge patch: "merge", "replace", "retainKeys", or two of them, comma separated. */
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  /** The default that the API's own OpenAPI states (from `+default`), as a JSON value. */
  readonly default?: unknown;
  readonly enum?: readonly string[];
  /** The field's number in the kind's protobuf message. Absent: the type has no protobuf form. */
  readonly proto?: number;
  /** An inlined struct is a message of its own in protobuf: the numbers that lead from the type's message to the one that holds `proto`. */
  readonly protoWithin?: readonly number[];
  /** The protobuf message that holds this value (or, in a list or map, each item) where JSON has none: see protobuf-plan.ts. */
  readonly protoWrapper?: string;
  /** A pointer in Go: its zero value differs from its absence. */
  readonly pointer?: true;
  /** Written even when empty (no omitempty in Go). */
  readonly always?: true;
}

export interface TypeSchema {
  readonly fields: Readonly<Record<string, FieldSchema>>;
  /** The whole struct is replaced by server-side apply (`+structType=atomic`). */
  readonly atomic?: true;
}

/** All types by name, "group/version.Type" with "core" for the empty group, and "meta/v1.ObjectMeta". */
export type TypeTable = Readonly<Record<string, TypeSchema>>;
