import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addressRange, claimAddressRange, registryFolder } from "./address-range.ts";

let registry: string;
beforeEach(() => {
  registry = mkdtempSync(join(tmpdir(), "ranges-"));
});
afterEach(() => rmSync(registry, { recursive: true }));
const everybodyHolds = () => true;

test.each([
  [0, "127.96.0.0/20", "127.96.0.0/21", "127.96.8.0/21"],
  [17, "127.97.16.0/20", "127.97.16.0/21", "127.97.24.0/21"],
  [511, "127.127.240.0/20", "127.127.240.0/21", "127.127.248.0/21"],
])("range %i", (index, all, services, pods) => expect(addressRange(index)).toEqual({ all, services, pods }));

test("a claim is kept", () => {
  const first = claimAddressRange(registry, "/a/.flotilla", everybodyHolds);
  expect(claimAddressRange(registry, "/a/.flotilla", everybodyHolds)).toBe(first);
  expect(readdirSync(registry)).toEqual([String(first)]);
});
test("no two have the same, until there is none", () => {
  const claims = Array.from({ length: 512 }, (_, i) => claimAddressRange(registry, `/${i}`, everybodyHolds));
  expect(new Set(claims).size).toBe(512);
  expect(() => claimAddressRange(registry, "/one-more", everybodyHolds)).toThrow("All 512 address ranges are claimed");
});
test("the range of a cluster that is gone is free again", () => {
  for (let i = 0; i < 512; i++) claimAddressRange(registry, `/${i}`, everybodyHolds);
  const range = claimAddressRange(registry, "/new", (owner) => owner !== "/7");
  expect(claimAddressRange(registry, "/new", everybodyHolds)).toBe(range);
});
test("the registry is where the user's state is", () =>
  expect(registryFolder({ XDG_STATE_HOME: "/state" })).toBe("/state/flotilla/address-ranges"));
