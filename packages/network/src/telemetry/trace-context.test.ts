import { seededRandom } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { SpanBudget } from "./span-budget.ts";
import { hasMember, isSampled, parentOf, TraceIds, traceparentOf, withMember } from "./trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

test.each<[string, string, boolean]>([
  ["sampled", `00-${traceId}-${spanId}-01`, true],
  ["not sampled", `00-${traceId}-${spanId}-00`, false],
  ["other flags", `00-${traceId}-${spanId}-03`, true],
  ["a later version", `01-${traceId}-${spanId}-01`, true],
  ["a later version with more", `cc-${traceId}-${spanId}-00-what`, false],
])("read: %s", (_, header, sampled) => {
  const parent = parentOf(header);
  expect(parent).toMatchObject({ traceId, spanId });
  expect(parent && isSampled(parent)).toBe(sampled);
});

test.each<[string, string | undefined]>([
  ["none", undefined],
  ["empty", ""],
  ["words", "trace me"],
  ["the invalid version", `ff-${traceId}-${spanId}-01`],
  ["this version with more", `00-${traceId}-${spanId}-01-what`],
  ["a later version with more but no dash", `01-${traceId}-${spanId}-01what`],
  ["no trace id", `00-${"0".repeat(32)}-${spanId}-01`],
  ["no span id", `00-${traceId}-${"0".repeat(16)}-01`],
  ["capitals", `00-${traceId.toUpperCase()}-${spanId}-01`],
  ["too short", `00-${traceId.slice(1)}-${spanId}-01`],
  ["no flags", `00-${traceId}-${spanId}`],
  ["two of them", `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
])("begins anew: %s", (_, header) => expect(parentOf(header)).toBeUndefined());

test("what is passed on can be read", () =>
  expect(parentOf(traceparentOf(traceId, spanId, true))).toEqual({ traceId, spanId, flags: 1 }));

test.each([
  ["", "flotilla=o", "flotilla=o"],
  ["a=1,b=2", "flotilla=o", "flotilla=o,a=1,b=2"],
  ["a=1, flotilla=x ,b=2", "flotilla=o", "flotilla=o,a=1,b=2"],
  [
    Array.from({ length: 40 }, (_, i) => `k${i}=1`).join(),
    "a=1",
    ["a=1", ...Array.from({ length: 31 }, (_, i) => `k${i}=1`)].join(),
  ],
])("tracestate %j with %s", (state, member, expected) => {
  expect(withMember(state, member)).toBe(expected);
  expect(hasMember(expected, member)).toBe(true);
});

test("a member is found by its whole text", () =>
  expect(["", "flotilla=oo", "xflotilla=o", "a=flotilla=o"].map((state) => hasMember(state, "flotilla=o"))).toEqual([
    false,
    false,
    false,
    false,
  ]));

test("ids are of the right length, differ, and are never all zeros", () => {
  let calls = 0;
  const random = seededRandom(1);
  const ids = new TraceIds({
    ...random,
    bytes: (length) => (calls++ === 0 ? new Uint8Array(length) : random.bytes(length)),
  });
  const made = Array.from({ length: 1000 }, () => ids.trace() + ids.span());
  expect(new Set(made).size).toBe(1000);
  for (const id of made) expect(id).toMatch(/^(?!0{32})[0-9a-f]{48}$/);
});

/** Asks at an even rate for `seconds`; the share of the last second's traces that was kept. */
function kept(budget: SpanBudget, rate: number, from: number, seconds: number): number {
  const ids = new TraceIds(seededRandom(from));
  let keeps = 0;
  for (let i = 0; i < rate * seconds; i++) {
    budget.note((from + i / rate) * 1000);
    if (i >= rate * (seconds - 1) && budget.keeps(ids.trace())) keeps++;
  }
  return keeps / rate;
}

test.each([
  [100, 1],
  [1000, 1],
  [2000, 0.5],
  [10_000, 0.1],
  [100_000, 0.01],
])("of %d spans a second a budget of 1000 keeps the share %d", (rate, share) =>
  expect(Math.abs(kept(new SpanBudget(1000), rate, 10, 3) - share)).toBeLessThanOrEqual(0.05 * share),
);

test("when the rush is over everything is kept again, also after a silence", () => {
  const budget = new SpanBudget(1000);
  expect(kept(budget, 10_000, 10, 3)).toBeLessThan(0.2);
  expect(kept(budget, 100, 13, 2)).toBe(1);
  expect(kept(budget, 10_000, 15, 2)).toBeLessThan(0.2);
  budget.note(100_000);
  expect([budget.threshold, budget.member]).toEqual([0, undefined]);
});

test("what a stricter budget keeps, a looser one keeps as well", () => {
  const [strict, loose] = [new SpanBudget(10), new SpanBudget(50)];
  for (const budget of [strict, loose]) kept(budget, 1000, 10, 2);
  const ids = new TraceIds(seededRandom(3));
  const all = Array.from({ length: 5000 }, ids.trace);
  const both = all.filter((id) => strict.keeps(id));
  expect(both.length).toBeGreaterThan(10);
  expect(both.filter((id) => !loose.keeps(id))).toEqual([]);
});

test("the probability is told as the threshold's leading digits", () => {
  const budget = new SpanBudget(1000);
  kept(budget, 2000, 10, 2);
  expect(budget.member).toBe("ot=th:8");
});
