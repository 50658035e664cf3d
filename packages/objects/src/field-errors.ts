/**
 * One mistake in one field of an object, with the message that Kubernetes gives it.
 *
 * Source of types and messages: apimachinery pkg/util/validation/field.
 */

const words = {
  FieldValueNotFound: "Not found",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  FieldValueTypeInvalid: "Invalid value",
  InternalError: "Internal error",
} as const;

export type FieldErrorType = keyof typeof words;

export interface FieldError {
  /** "spec.containers[0].name" */
  readonly field: string;
  readonly type: FieldErrorType;
  /** Without the field: `Invalid value: "x": must be ...`. */
  readonly message: string;
}

function made(type: FieldErrorType, field: string, value: string | undefined, detail: string): FieldError {
  const parts = [words[type], ...(value === undefined ? [] : [value]), ...(detail ? [detail] : [])];
  return { field, type, message: parts.join(": ") };
}

/** As Go's encoder writes it: with <, > and & escaped. */
const shown = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value)
    : (JSON.stringify(value) ?? "null").replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);

export const required = (field: string, detail = ""): FieldError =>
  made("FieldValueRequired", field, undefined, detail);

export const invalidValue = (field: string, value: unknown, detail: string): FieldError =>
  made("FieldValueInvalid", field, shown(value), detail);

export const duplicate = (field: string, value: unknown): FieldError =>
  made("FieldValueDuplicate", field, shown(value), "");

export const notFoundValue = (field: string, value: unknown): FieldError =>
  made("FieldValueNotFound", field, shown(value), "");

export const forbiddenField = (field: string, detail: string): FieldError =>
  made("FieldValueForbidden", field, undefined, detail);

export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  made(
    "FieldValueNotSupported",
    field,
    shown(value),
    supported.length > 0 ? `supported values: ${supported.map((each) => JSON.stringify(each)).join(", ")}` : "",
  );

/** `most` is in bytes. */
export const tooLong = (field: string, most: number): FieldError =>
  made("FieldValueTooLong", field, undefined, `may not be more than ${most} ${most === 1 ? "byte" : "bytes"}`);

export const tooMany = (field: string, count: number, most: number): FieldError =>
  made("FieldValueTooMany", field, String(count), `must have at most ${most} ${most === 1 ? "item" : "items"}`);
