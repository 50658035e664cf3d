import { describe, expect, test } from "vitest";
import { defaultTiers, expired, nextMerge } from "./compaction.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** A Thursday, as the epoch: spans of 7 days begin here. */
const start = 2800 * 7 * day;

const block = (name: string, from: number, to: number, resolution = 0, bytes = 10) => ({
  name,
  bytes,
  facts: { resolution, from: start + from, to: start + to, series: 1, samples: 1 },
});

describe("what is merged next", () => {
  const merge = (now: number, ...blocks: ReturnType<typeof block>[]) => {
    const found = nextMerge(blocks, start + now, defaultTiers);
    return found && `${found.inputs.map(({ name }) => name).join("+")} at ${found.resolution / 1000} s`;
  };
  const a = block("a", 0, hour);
  const b = block("b", hour, 2 * hour - 1);
  const c = block("c", 2 * hour, 3 * hour);
  test.each<[string, string | undefined, string | undefined]>([
    ["nothing of nothing", merge(3 * hour), undefined],
    ["small ones of one span", merge(3 * hour, a, b, c), "a+b at 0 s"],
    ["not before the span is over and what is late has come", merge(2 * hour + 60_000, a, b), undefined],
    ["one alone stays", merge(12 * hour, a, c), undefined],
    ["a day becomes one of a minute", merge(2 * day, a, c), "a+c at 60 s"],
    ["not before all of it is a day old", merge(2 * day - 1, a, c), undefined],
    ["one alone becomes coarser as well", merge(2 * day, a), "a at 60 s"],
    ["and then stays", merge(2 * day, block("m", 0, hour, 60_000)), undefined],
    ["what came late joins", merge(2 * day, block("m", 0, hour, 60_000), c), "m+c at 60 s"],
    [
      "a week becomes one of 150 s",
      merge(21 * day, block("m", 0, hour, 60_000), block("n", day, 2 * day, 60_000)),
      "m+n at 150 s",
    ],
    ["and then stays as well", merge(300 * day, block("w", 0, 7 * day - 1, 150_000)), undefined],
  ])("%s", (_, found, expected) => expect(found).toBe(expected));
});

describe("what is deleted", () => {
  const blocks = [block("new", 2 * day, 3 * day), block("old", 0, day), block("middle", day, 2 * day)];
  const names = (maxAge: number, maxBytes: number) =>
    expired(blocks, start + 4 * day, { maxAge, maxBytes }).map(({ name }) => name);
  test.each([
    ["nothing", 10 * day, 30, []],
    ["by age", 2 * day, 30, ["old"]],
    ["by size, the oldest first", 10 * day, 15, ["old", "middle"]],
    ["all", 0, 30, ["old", "middle", "new"]],
  ])("%s", (_, age, bytes, expected) => expect(names(age, bytes)).toEqual(expected));
});
