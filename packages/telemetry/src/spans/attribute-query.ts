/**
 * Finding spans by attributes without decoding them: what is looked for is encoded, found in the bytes of many spans at once, and
 * then checked to be an attribute of the span itself. Only lists and maps, whose text is JSON, are decoded.
 */
import { textOf } from "../attributes.ts";
import { decode, encode } from "../otlp/codec.ts";
import { messageNamed } from "../otlp/schema.ts";
import type { AnyValue, KeyValue } from "../otlp/types.ts";
import { afterScalar, afterVarint, varintAt } from "./check.ts";

const keyValue = messageNamed("KeyValue");
/** Of a span's field 9. */
export const attributesTag = 0x4a;

export class AttributeQuery {
  readonly key: string;
  readonly text: string;
  /** What every match contains one of. */
  readonly needles: readonly Buffer[];
  /** A match is one of the needles, whole; otherwise its text is compared. */
  readonly whole: boolean;

  /** `text`: as `textOf` gives it. */
  constructor(key: string, text: string) {
    this.key = key;
    this.text = text;
    this.whole = !/^[[{]/.test(text);
    const values = this.whole ? valuesOf(text) : [undefined];
    const encoded = [...values, { stringValue: text }].map((value) => Buffer.from(encode(keyValue, { key, value })));
    // Without a value: the key alone, which begins all others.
    this.needles = this.whole ? encoded : encoded.slice(0, 1);
  }

  /** Whether the span whose rest lies there has it. */
  isIn(bytes: Buffer, start: number, end: number): boolean {
    for (let at = start; at < end; ) {
      const tag = varintAt(bytes, at);
      at = afterVarint(bytes, at, end);
      if ((tag & 7) !== 2) {
        at = afterScalar(bytes, at, end, tag & 7);
        continue;
      }
      const value = afterVarint(bytes, at, end);
      at = value + varintAt(bytes, at);
      if (tag === attributesTag && this.#matches(bytes, value, at)) return true;
    }
    return false;
  }

  /** Whether the attributes have it. */
  isAmong(attributes: readonly KeyValue[] | undefined): boolean {
    return attributes?.some(({ key, value }) => key === this.key && textOf(value) === this.text) ?? false;
  }

  #matches(bytes: Buffer, start: number, end: number): boolean {
    if (this.whole)
      return this.needles.some((needle) => needle.length === end - start && needle.compare(bytes, start, end) === 0);
    const key = this.needles[0] as Buffer;
    if (end - start < key.length || key.compare(bytes, start, start + key.length) !== 0) return false;
    return this.isAmong([decode<KeyValue>(keyValue, bytes.subarray(start, end))]);
  }
}

/** Values but texts, lists and maps that have this text; undefined is none at all. */
function valuesOf(text: string): (AnyValue | undefined)[] {
  const values: (AnyValue | undefined)[] = [];
  if (text === "") values.push(undefined);
  if (text === "null") values.push({});
  if (text === "true" || text === "false") values.push({ boolValue: text === "true" });
  if (/^(0|-?[1-9]\d{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text))
    values.push({ intValue: text });
  if (String(Number(text)) === text) values.push({ doubleValue: Number(text) });
  if (text === "0") values.push({ doubleValue: -0 });
  if (Buffer.from(text, "base64").toString("base64") === text) values.push({ bytesValue: text });
  return values;
}
