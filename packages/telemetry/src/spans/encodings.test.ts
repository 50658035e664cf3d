import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteTable } from "../store/byte-table.ts";
import { decodeList, encodeList } from "./byte-list.ts";
import { decodeParents, encodeParents } from "./parents.ts";
import { decodeIntegers, decodeNumbers, encodeIntegers, encodeNumbers } from "./planes.ts";
import { TraceTable } from "./trace-table.ts";

const integer = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const most = 2 ** 52;
const offset = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.maxSafeInteger().map((value) => value % most),
);

describe("columns come out as they went in", () => {
  test("integers", () =>
    fc.assert(
      fc.property(fc.array(integer), (values) => {
        const column = Uint32Array.from(values);
        expect(decodeIntegers(encodeIntegers(column), 0, column.length)).toEqual(column);
      }),
    ));
  test.each([true, false])("numbers, as differences: %s", (differences) =>
    fc.assert(
      fc.property(fc.array(offset), (values) => {
        const column = Float64Array.from(values, (value) => value + 0);
        expect(decodeNumbers(encodeNumbers(column, differences), differences)).toEqual(column);
      }),
    ),
  );
  test("lists of bytes", () =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (items) => {
        expect(decodeList(encodeList(items)).map((bytes) => Uint8Array.from(bytes))).toEqual(items);
      }),
    ));
  test("parents, near, far, unknown, and spans that are their own", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(integer, fc.nat(300)), { maxLength: 200 }), (rows) => {
        const low = Uint32Array.from(rows, ([id]) => id);
        const high = Uint32Array.from(rows, (_, row) => row);
        const parent = rows.map(([, choice]) =>
          choice === 0 ? [0, 0] : [low[choice] ?? choice, high[choice] ?? choice],
        );
        const parentLow = Uint32Array.from(parent, ([a]) => a as number);
        const parentHigh = Uint32Array.from(parent, ([, b]) => b as number);
        const ids = { low, high, parentLow, parentHigh };
        expect(decodeParents(low, high, encodeParents(ids))).toEqual(ids);
      }),
    ));
});

describe("tables give each run of bytes one number", () => {
  test("texts, as a Map would, over cuts", () =>
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 })), fc.array(fc.string({ maxLength: 3 })), (first, second) => {
        const table = new ByteTable();
        const intern = (text: string) => table.intern(Buffer.from(text), 0, Buffer.byteLength(text));
        const known = [...new Set(first)];
        for (const text of first) expect(intern(text)).toBe(known.indexOf(text));
        for (const text of second) intern(text);
        table.cut(known.length);
        for (const [number, text] of known.entries()) expect(String(table.bytes(number))).toBe(text);
        const all = [...new Set([...first, ...second])];
        for (const text of second) expect(intern(text)).toBeGreaterThanOrEqual(0);
        expect(table.count).toBe(all.length);
      }),
    ));
  test("a hundred thousand, and none of them after it is cleared", () => {
    const table = new ByteTable();
    const intern = (number: number) => table.intern(Buffer.from(`name ${number}`), 0, `name ${number}`.length);
    for (let number = 0; number < 100_000; number++) expect(intern(number)).toBe(number);
    expect(intern(77_777)).toBe(77_777);
    table.clear();
    expect([table.count, table.size, intern(5)]).toEqual([0, 0, 0]);
  });
  test("trace ids, over growth and cuts", () => {
    const table = new TraceTable();
    const bytes = Buffer.alloc(16);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const intern = (number: number) => {
      bytes.writeUInt32BE(number, 12);
      return table.intern(view, 0);
    };
    for (let number = 0; number < 10_000; number++) expect(intern(number)).toBe(number);
    expect(intern(1234)).toBe(1234);
    expect(table.ids.readUInt32BE(1234 * 16 + 12)).toBe(1234);
    table.cut(5000);
    expect([intern(4999), intern(9000), table.count]).toEqual([4999, 5000, 5001]);
  });
});
