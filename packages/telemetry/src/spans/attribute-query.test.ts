import { expect, test } from "vitest";
import { textOf } from "../attributes.ts";
import { encodeSpan } from "../otlp/codec.ts";
import type { AnyValue } from "../otlp/types.ts";
import { AttributeQuery } from "./attribute-query.ts";

const has = (value: AnyValue | undefined, text: string, key = "k") => {
  const attributes = [
    { key: "other", value: { stringValue: text } },
    { key: "k", ...(value && { value }) },
  ];
  const bytes = Buffer.from(encodeSpan({ traceId: "", spanId: "", attributes }));
  const query = new AttributeQuery(key, text);
  return query.isIn(bytes, 0, bytes.length) && query.needles.some((needle) => bytes.includes(needle));
};

test.each<[AnyValue | undefined]>([
  [{ stringValue: "text" }],
  [{ stringValue: "" }],
  [{ stringValue: "42" }],
  [{ stringValue: "[1]" }],
  [{ stringValue: "größer 🚀".repeat(50) }],
  [{ intValue: "0" }],
  [{ intValue: "-1" }],
  [{ intValue: "9223372036854775807" }],
  [{ intValue: "-9223372036854775808" }],
  [{ doubleValue: 0 }],
  [{ doubleValue: -0 }],
  [{ doubleValue: 1.5 }],
  [{ doubleValue: 1e21 }],
  [{ doubleValue: 5e-324 }],
  [{ doubleValue: Number.NaN }],
  [{ doubleValue: Number.POSITIVE_INFINITY }],
  [{ doubleValue: Number.NEGATIVE_INFINITY }],
  [{ boolValue: true }],
  [{ boolValue: false }],
  [{ bytesValue: "" }],
  [{ bytesValue: "AAEC" }],
  [{ arrayValue: { values: [{ intValue: "1" }, { stringValue: "b" }] } }],
  [{ arrayValue: {} }],
  [{ kvlistValue: { values: [{ key: "a", value: { boolValue: true } }] } }],
  [{ kvlistValue: {} }],
  [{}],
  [undefined],
])("%j is found by its text", (value) => {
  const text = textOf(value);
  expect(has(value, text)).toBe(true);
  expect(has(value, `${text}x`)).toBe(false);
  expect(has(value, text, "K")).toBe(false);
});

test.each(["1.0", "01", "+1", "1e0", "9223372036854775808", "True", " 1", "0x1"])(
  "%j is not the number 1 or true",
  (text) => {
    expect(has({ intValue: "1" }, text)).toBe(false);
    expect(has({ doubleValue: 1 }, text)).toBe(false);
    expect(has({ boolValue: true }, text)).toBe(false);
  },
);
