import { afterAll, expect, test } from "vitest";
import { decodeSpan, encodeSpan } from "../otlp/codec.ts";
import { spanBytes } from "./assemble.ts";
import { RequestWalk } from "./request-walk.ts";
import { SpanHead } from "./span-head.ts";
import { World } from "./spans.fixture.ts";

const world = new World();
afterAll(() => world.end());

/** A field of bytes of less than 16 KiB; its length takes two bytes. */
const field = (tag: number, bytes: Uint8Array) =>
  Buffer.concat([Buffer.from([tag, (bytes.length & 127) | 128, bytes.length >> 7]), bytes]);
const request = (...spans: Uint8Array[]) =>
  field(0x0a, field(0x12, Buffer.concat(spans.map((span) => field(0x12, span)))));
const walked = (...spans: Uint8Array[]) => {
  const head = new SpanHead(world.begin);
  const walk = new RequestWalk(head, { tooOld: 1000, tooNew: 1000, spanBytes: 1000 });
  walk.walk(request(...spans), world.begin);
  head.commit();
  return Array.from({ length: head.count }, (_, row) => spanBytes(head, row, head.rest.bytes(0)));
};

test("fields of later versions are kept", () => {
  const unknown = Buffer.from([0xc2, 0x3e, 2, 7, 7]);
  const span = world.span({ attributes: { a: 1 } });
  const [bytes] = walked(Buffer.concat([encodeSpan(span), unknown]));
  expect(bytes?.includes(unknown)).toBe(true);
  expect(decodeSpan(bytes as Buffer)).toEqual(span);
});
test("fields may come in any order", () => {
  const span = world.span({ attributes: { a: 1 }, status: { code: 2 }, parentSpanId: "00000000000000aa" });
  const bytes = encodeSpan(span);
  const fields: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const type = (bytes[at] as number) & 7;
    const length = type === 2 ? 2 + (bytes[at + 1] as number) : type === 1 ? 9 : 2;
    fields.push(bytes.subarray(at, at + length));
    at += length;
  }
  expect(fields.length).toBeGreaterThan(8);
  expect(walked(Buffer.concat(fields.reverse())).map(decodeSpan)).toEqual([span]);
});
test("of a field that comes twice, the last counts", () => {
  const span = world.span({ name: "first" });
  const [bytes] = walked(Buffer.concat([encodeSpan(span), Buffer.from([0x2a, 4]), Buffer.from("last")]));
  expect(decodeSpan(bytes as Buffer)).toEqual({ ...span, name: "last" });
});
test("what is refused leaves nothing to its neighbours", () => {
  const good = world.span({ attributes: { a: "good" } });
  const bad = world.span({ at: -5000, attributes: { a: "bad" } });
  expect(walked(encodeSpan(good), encodeSpan(bad), encodeSpan(good)).map(decodeSpan)).toEqual([good, good]);
});
