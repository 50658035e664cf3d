import { seededRandom } from "@flotilla/ambient";
import { describe, expect, test } from "vitest";
import { Bloom, mayHold, mayHoldHash } from "./bloom.ts";

const random = seededRandom(1);
/** Ids of which only the last bytes differ, as some generators make them. */
const similar = (number: number) => {
  const id = Buffer.alloc(16, 7);
  id.writeUInt32LE(number, 12);
  return id;
};
const reader = (bytes: Buffer) => (offset: number, length: number) => bytes.subarray(offset, offset + length);

describe.each([
  ["random ids", () => Buffer.from(random.bytes(16))],
  ["ids that are alike", similar],
] as const)("%s", (_, idOf) => {
  const ids = Array.from({ length: 20_000 }, (_, index) => idOf(index));
  const bloom = new Bloom(10_000);
  for (const id of ids.slice(0, 10_000)) bloom.add(id);
  const found = ids.map((id) => mayHold(bloom.bytes.length, reader(bloom.bytes), id));
  test("what is in it is found", () => expect(found.slice(0, 10_000).every(Boolean)).toBe(true));
  test("few others are", () => expect(found.slice(10_000).filter(Boolean).length).toBeLessThan(100));
});

test("hashes that are in it are found, few others are", () => {
  const bloom = new Bloom(10_000);
  for (let hash = 0; hash < 10_000; hash++) bloom.addHash(hash);
  const found = (hash: number) => mayHoldHash(bloom.bytes.length, reader(bloom.bytes), hash);
  const all = Array.from({ length: 20_000 }, (_, hash) => found(hash));
  expect(all.slice(0, 10_000).every(Boolean)).toBe(true);
  expect(all.slice(10_000).filter(Boolean).length).toBeLessThan(100);
});

test("an empty one holds nothing", () => {
  const { bytes } = new Bloom(0);
  expect(mayHold(bytes.length, reader(bytes), similar(1))).toBe(false);
});
