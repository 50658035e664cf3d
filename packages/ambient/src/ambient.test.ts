import { describe, expect, test } from "vitest";
import { sleep, systemClock } from "./clock.ts";
import { seededRandom, systemRandom, uuid } from "./random.ts";
import { simulation } from "./simulation.ts";

describe("randomness", () => {
  const first = (seed: number, count = 5) => {
    const random = seededRandom(seed);
    return Array.from({ length: count }, () => random.next());
  };
  test("the same seed gives the same numbers", () => expect(first(7)).toEqual(first(7)));
  test("another seed gives others", () => expect(first(7)).not.toEqual(first(8)));
  test("numbers are in [0, 1) and spread", () => {
    const numbers = first(1, 1000);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / 1000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
  });
  test("bytes have the length asked for", () => expect(seededRandom(1).bytes(33)).toHaveLength(33));
  test.each([
    ["seeded", seededRandom(3)],
    ["the system's", systemRandom],
  ] as const)("%s UUIDs are of version 4", (_, random) => {
    expect(uuid(random)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("the simulated clock", () => {
  test("runs what is due in the order of time, then of asking", async () => {
    const { clock, advance } = simulation(1);
    const seen: string[] = [];
    clock.after(20, () => seen.push("late"));
    clock.after(10, () => seen.push("first"));
    clock.after(10, () => seen.push("second"));
    await advance(10);
    expect(seen).toEqual(["first", "second"]);
    await advance(10);
    expect(seen).toEqual(["first", "second", "late"]);
  });

  test("time stands still but for what is asked", async () => {
    const { clock, advance } = simulation(1, 1000);
    expect(clock.now()).toBe(1000);
    await advance(3_600_000);
    expect(clock.now()).toBe(3_601_000);
  });

  test("what a timer starts is seen at its own time", async () => {
    const { clock, advance } = simulation(1, 0);
    const seen: number[] = [];
    const again = () => {
      seen.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    await advance(35);
    expect(seen).toEqual([10, 20, 30]);
  });

  test("a cancelled timer does not run", async () => {
    const { clock, advance } = simulation(1);
    let ran = false;
    clock.after(5, () => {
      ran = true;
    })();
    await advance(10);
    expect(ran).toBe(false);
  });

  test("soon runs at the same instant, after promises have settled", async () => {
    const { clock, settle } = simulation(1, 0);
    const seen: string[] = [];
    clock.soon(() => seen.push("soon"));
    void Promise.resolve().then(() => seen.push("promise"));
    await settle();
    expect(seen).toEqual(["promise", "soon"]);
    expect(clock.now()).toBe(0);
  });

  test("until stops as soon as it holds, and says when it never does", async () => {
    const { clock, until } = simulation(1, 0);
    let done = false;
    clock.after(50, () => {
      done = true;
    });
    clock.after(500, () => undefined);
    expect(await until(() => done, 1000)).toBe(true);
    expect(clock.now()).toBe(50);
    expect(await until(() => false, 1000)).toBe(false);
  });
});

describe("sleep", () => {
  test("resolves after its time", async () => {
    const { clock, advance } = simulation(1);
    let awake = false;
    void sleep(clock, 100).then(() => {
      awake = true;
    });
    await advance(99);
    expect(awake).toBe(false);
    await advance(1);
    expect(awake).toBe(true);
  });
  test("rejects with the signal's reason, and leaves no timer", async () => {
    const abort = new AbortController();
    const sleeping = sleep(systemClock, 60_000, abort.signal);
    abort.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
    await expect(sleep(systemClock, 1, abort.signal)).rejects.toThrow("enough");
  });
});
