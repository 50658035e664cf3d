/** The language in which `fields.ts` describes the model: what a value may be, read by check, by the JSON schema and by docs. */
import type { FormatName } from "./formats.ts";

/** What a reference may name. */
export type NameKind = "service" | "backing" | "external" | "secret";

export type Shape =
  | { readonly is: "text"; readonly format?: FormatName }
  | { readonly is: "number"; readonly min?: number; readonly max?: number }
  | { readonly is: "boolean" }
  /** `later`: known words that are not built yet. */
  | { readonly is: "choice"; readonly of: readonly (string | number)[]; readonly later?: readonly string[] }
  /** The key of one of these records of the same app. */
  | { readonly is: "name"; readonly of: readonly NameKind[] }
  | { readonly is: "list"; readonly of: Shape }
  | { readonly is: "record"; readonly of: Shape; readonly keys: FormatName }
  | { readonly is: "object"; readonly fields: Fields }
  /** The first alternative that a value could be meant as. `says` completes "must be ...". */
  | { readonly is: "either"; readonly of: readonly Shape[]; readonly says: string }
  /** A type of the table of kinds, as "core/v1.Container". */
  | { readonly is: "kube"; readonly type: string }
  /** Part of a Kubernetes object; checked after it is merged. */
  | { readonly is: "json" };

export interface Field {
  readonly shape: Shape;
  readonly doc: string;
  readonly required?: true;
  /** Known but not built yet: refused by name. */
  readonly later?: true;
  readonly default?: string | number | boolean;
}

export type Fields = Readonly<Record<string, Field>>;

/** The fields of a type of the model: the compiler asks for each of them, and for no other. */
export type FieldsOf<T> = { readonly [K in keyof Required<T>]: Field };

export const text = (format?: FormatName): Shape => ({ is: "text", format });
export const number = (min?: number, max?: number): Shape => ({ is: "number", min, max });
export const flag: Shape = { is: "boolean" };
export const choice = (of: readonly (string | number)[], later?: readonly string[]): Shape => ({
  is: "choice",
  of,
  later,
});
export const name = (...of: readonly NameKind[]): Shape => ({ is: "name", of });
export const list = (of: Shape): Shape => ({ is: "list", of });
export const record = (keys: FormatName, of: Shape): Shape => ({ is: "record", keys, of });
export const object = (fields: Fields): Shape => ({ is: "object", fields });
export const either = (says: string, ...of: readonly Shape[]): Shape => ({ is: "either", of, says });
export const kube = (type: string): Shape => ({ is: "kube", type });
export const json: Shape = { is: "json" };

type Options = Pick<Field, "required" | "default">;

export const field = (shape: Shape, doc: string, options: Options = {}): Field => ({ shape, doc, ...options });
export const needed = (shape: Shape, doc: string): Field => ({ shape, doc, required: true });
export const later = (doc: string): Field => ({ shape: json, doc, later: true });
