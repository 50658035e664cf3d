/** Whether bytes are a message of OTLP, without making anything of them: what is kept as it came must be readable later. */
import { deepest, type Message, messageNamed, wireType } from "../otlp/schema.ts";
import { MalformedError } from "../sink.ts";

/** By field number: the wire type (255: unknown), and the shape of a message. */
export interface Shape {
  readonly types: Uint8Array;
  readonly nested: (Shape | undefined)[];
}

const shapes = new Map<Message, Shape>();

function shapeOf(message: Message): Shape {
  const known = shapes.get(message);
  if (known) return known;
  const types = new Uint8Array(message.byNumber.length).fill(255);
  const shape: Shape = { types, nested: new Array(types.length).fill(undefined) };
  shapes.set(message, shape);
  for (const { number, kind, message: nested } of message.fields) {
    types[number] = wireType[kind];
    if (nested) shape.nested[number] = shapeOf(nested);
  }
  return shape;
}

export const shape = {
  span: shapeOf(messageNamed("Span")),
  attribute: shapeOf(messageNamed("KeyValue")),
  event: shapeOf(messageNamed("SpanEvent")),
  link: shapeOf(messageNamed("SpanLink")),
  status: shapeOf(messageNamed("Status")),
};

export const cutOff = (): Error => new MalformedError("a value is cut off");

/** A `MalformedError` if the bytes from `at` to `end` are not the message's. */
export function check(bytes: Buffer, at: number, end: number, { types, nested }: Shape, depth = 1): void {
  if (depth > deepest) throw new MalformedError("messages are nested too deeply");
  while (at < end) {
    let tag = bytes[at++] as number;
    if (tag >= 0x80) {
      const next = afterVarint(bytes, at - 1, end);
      tag = varintAt(bytes, at - 1);
      at = next;
    }
    const type = tag & 7;
    const number = tag >>> 3;
    const expected = types[number] ?? 255;
    if (number === 0 || (type !== expected && expected !== 255))
      throw new MalformedError(`a field ${number} is of wire type ${type}`);
    if (type === 2) {
      let length = bytes[at++] as number;
      if (length >= 0x80) {
        const next = afterVarint(bytes, at - 1, end);
        length = varintAt(bytes, at - 1);
        at = next;
      }
      const inner = nested[number];
      if (!(at + length <= end)) throw cutOff();
      if (inner) check(bytes, at, at + length, inner, depth + 1);
      at += length;
    } else at = afterScalar(bytes, at, end, type);
  }
  if (at > end) throw cutOff();
}

/** Place after a number or fixed value of this wire type. */
export function afterScalar(bytes: Buffer, at: number, end: number, type: number): number {
  if (type === 0) return afterVarint(bytes, at, end);
  if (type === 1) at += 8;
  else if (type === 5) at += 4;
  else throw new MalformedError(`wire type ${type}`);
  if (at > end) throw cutOff();
  return at;
}

export function afterVarint(bytes: Buffer, at: number, end: number): number {
  const limit = Math.min(end, at + 10);
  while (at < limit) if ((bytes[at++] as number) < 0x80) return at;
  throw at < end ? new MalformedError("a number is longer than 64 bits") : cutOff();
}

/** The low 32 bits, unsigned, of a number that is whole. */
export function varintAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
}
