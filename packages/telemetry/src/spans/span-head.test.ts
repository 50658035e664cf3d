import { expect, test } from "vitest";
import { SpanHead } from "./span-head.ts";

/** Bytes of the columns, and of the table of traces. */
const sizeOf = ({ traces, starts, durations, names, resources, scopes, bits, ids, traceIds }: SpanHead): number =>
  [traces, starts, durations, names, resources, scopes, bits, ...Object.values(ids)].reduce(
    (sum, { byteLength }) => sum + byteLength,
    traceIds.buffer.byteLength,
  );

test("room that one large request took is given back, and the head goes on", () => {
  const head = new SpanHead(0);
  const before = sizeOf(head);
  const id = Buffer.alloc(16);
  const view = new DataView(id.buffer, id.byteOffset, 16);
  const add = (count: number) => {
    for (let row = 0; row < count; row++) {
      id.writeUInt32LE(row + 1);
      head.reserve();
      head.traces[row] = head.traceTable.intern(view, 0);
      head.endRow();
    }
    head.commit();
  };
  add(300_000);
  expect(sizeOf(head)).toBeGreaterThan(10 * before);
  head.clear(0);
  expect(sizeOf(head)).toBe(before);
  add(10_000);
  expect([head.count, head.traces[9999], head.traceIds.readUInt32LE(9999 * 16)]).toEqual([10_000, 9999, 10_000]);
});
