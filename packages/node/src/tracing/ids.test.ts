import { seededRandom } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { idsFrom } from "./ids.ts";

const only = (value: number) => ({ next: () => value, bytes: () => new Uint8Array() });

test("a trace's is 32 digits", () => expect(idsFrom(seededRandom(1)).generateTraceId()).toMatch(/^[\da-f]{32}$/));
test("a span's is 16 digits", () => expect(idsFrom(seededRandom(1)).generateSpanId()).toMatch(/^[\da-f]{16}$/));
test("leading zeros are kept", () => expect(idsFrom(only(1 / 2 ** 32)).generateSpanId()).toBe("0000000100000001"));
test("the greatest", () => expect(idsFrom(only(1 - 2 ** -53)).generateSpanId()).toBe("ffffffffffffffff"));
test("never all zeros", () => {
  expect(idsFrom(only(0)).generateSpanId()).toBe("0000000000000001");
  expect(idsFrom(only(0)).generateTraceId()).toBe("00000000000000000000000000000001");
});
test("no two are the same", () => {
  const { generateSpanId } = idsFrom(seededRandom(7));
  expect(new Set(Array.from({ length: 1000 }, generateSpanId)).size).toBe(1000);
});
