/** Reading OTLP's attributes. */
import type { AnyValue, KeyValue } from "./otlp/types.ts";

/** Text of a value: of strings, numbers and booleans their own, of everything else JSON. */
export function textOf(value: AnyValue | undefined): string {
  if (value === undefined) return "";
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = value;
  if (stringValue !== undefined) return stringValue;
  if (intValue !== undefined) return intValue;
  if (doubleValue !== undefined) return String(doubleValue);
  if (boolValue !== undefined) return String(boolValue);
  if (bytesValue !== undefined) return bytesValue;
  return JSON.stringify(plain(value));
}

/** As JSON would have it; integers become numbers. */
export function plain(value: AnyValue): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.kvlistValue)
    return Object.fromEntries(
      (value.kvlistValue.values ?? []).map(({ key, value }) => [key, value ? plain(value) : null]),
    );
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue ?? null;
}

export const attribute = (attributes: readonly KeyValue[] | undefined, key: string): string | undefined => {
  const found = attributes?.find((attribute) => attribute.key === key);
  return found && textOf(found.value);
};

export const serviceOf = (resource: { attributes?: KeyValue[] } | undefined): string =>
  attribute(resource?.attributes, "service.name") ?? "unknown_service";

/** `service.name` of what carries requests between services and to them: of every trace it would tell the same. */
export const carriers: ReadonlySet<string> = new Set(["gateway", "data-plane"]);

/** Attributes of a record of plain values; integers as `intValue`. What is undefined is left out. */
export const attributesOf = (values: Readonly<Record<string, string | number | boolean | undefined>>): KeyValue[] =>
  Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]));

function anyValue(value: string | number | boolean): AnyValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
