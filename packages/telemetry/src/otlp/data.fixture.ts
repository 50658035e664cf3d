/** Arbitrary OTLP messages, made from the table of fields, in the form in which they are decoded. */
import * as fc from "fast-check";
import { type Field, type Message, messageNamed } from "./schema.ts";

const signed = (bits: number) => fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n });
const unsigned = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
const hex = fc.uint8Array({ minLength: 0, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const base64 = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("base64"));

const scalars: Readonly<Record<Exclude<Field["kind"], "message">, fc.Arbitrary<unknown>>> = {
  string: fc.string({ unit: "grapheme" }),
  bytes: base64,
  id: hex,
  bool: fc.boolean(),
  double: fc.double({ noNaN: false }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  sint32: fc.integer(),
  fixed32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: signed(64).map(String),
  uint64: unsigned(64).map(String),
  fixed64: unsigned(64).map(String),
  sfixed64: signed(64).map(String),
  enum: fc.integer({ min: 0, max: 24 }),
};

const isZero = (value: unknown): boolean =>
  value === "" || value === "0" || value === false || (value === 0 && !Object.is(value, -0));

function memberOf(field: Field, depth: number): fc.Arbitrary<unknown> {
  const one = field.message ? messageOf(field.message, depth + 1) : scalars[field.kind as keyof typeof scalars];
  if (field.repeated) return fc.array(one, { minLength: 1, maxLength: 3 });
  return field.presence || field.always ? one : one.filter((value) => !isZero(value));
}

function messageOf(message: Message, depth: number): fc.Arbitrary<object> {
  const fields = message.fields.filter((field) => depth < 12 || field.message === undefined);
  const plain = fields.filter((field) => !field.oneof);
  const choices = fields.filter((field) => field.oneof);
  const members = fc.record(Object.fromEntries(plain.map((field) => [field.name, memberOf(field, depth)])), {
    requiredKeys: plain.filter((field) => field.always).map((field) => field.name),
    noNullPrototype: true,
  });
  if (choices.length === 0) return members;
  const choice = fc.option(
    fc.oneof(...choices.map((field) => memberOf(field, depth).map((value) => ({ [field.name]: value })))),
    { nil: {} },
  );
  return fc.tuple(members, choice).map((parts) => Object.assign({}, ...parts) as object);
}

/** Every field of the message and of those in it is set in some of them. */
export const arbitrary = (name: string): fc.Arbitrary<object> =>
  fc.memo((_: number) => messageOf(messageNamed(name), 0))(1);
